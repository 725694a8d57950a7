// SPDX-License-Identifier: Apache-2.0
// Both spellings of a config, OpenAI's own, and everything that a config may get wrong.
#include "model/config.h"

#include <gtest/gtest.h>

#include "base/mapped_file.h"
#include "base/problems.h"
#include "model/same_model.h"

namespace vitalis::model {
namespace {

const std::string kGoldens = VITALIS_SOURCE_DIR "/tests/goldens/numerics/";

std::string golden(const std::string& name) {
  Result<std::string> json = read_file(kGoldens + name + "/config.json", 1 << 20);
  EXPECT_TRUE(json.ok()) << json.status().message();
  return json.ok() ? json.take() : "";
}

// The golden config with one piece of its text replaced.
std::string changed(const std::string& from, const std::string& to) {
  std::string json = golden("base");
  const size_t place = json.find(from);
  EXPECT_NE(place, std::string::npos) << from;
  return place == std::string::npos ? json : json.replace(place, from.size(), to);
}

std::string refusal(const std::string& json, Code code = Code::kMalformed) {
  const auto config = parse_config(json, "config.json");
  EXPECT_FALSE(config.ok()) << json;
  EXPECT_EQ(config.status().code(), code);
  return config.status().message();
}

const std::string kRope = R"("rope_scaling": {
    "beta_fast": 32.0,
    "beta_slow": 1.0,
    "factor": 32.0,
    "original_max_position_embeddings": 4096,
    "rope_type": "yarn",
    "truncate": false
  },
  "rope_theta": 150000,)";

TEST(Config, ReadsTheHuggingFaceSpelling) {
  const auto config = parse_config(golden("odd-widths"), "config.json");
  ASSERT_TRUE(config.ok()) << config.status().message();
  EXPECT_EQ(config->layers, 3U);
  EXPECT_EQ(config->hidden, 160U);
  EXPECT_EQ(config->intermediate, 352U);
  EXPECT_EQ(config->heads, 8U);
  EXPECT_EQ(config->kv_heads, 1U);
  EXPECT_EQ(config->head_dim, 64U);
  EXPECT_EQ(config->q_width(), 512U);
  EXPECT_EQ(config->kv_width(), 64U);
  EXPECT_EQ(config->experts, 5U);
  EXPECT_EQ(config->experts_per_token, 3U);
  EXPECT_EQ(config->vocab, 331U);
  EXPECT_EQ(config->context, 131072U);
  EXPECT_EQ(config->sliding_window, 7U);
  EXPECT_EQ(config->sliding, std::vector<bool>({true, false, true}));
  EXPECT_EQ(config->rope_theta, 150000);
  EXPECT_EQ(config->yarn.factor, 32);
  EXPECT_EQ(config->yarn.beta_fast, 32);
  EXPECT_EQ(config->yarn.beta_slow, 1);
  EXPECT_EQ(config->yarn.original_context, 4096);
  EXPECT_FALSE(config->yarn.truncate);
  EXPECT_EQ(config->rms_norm_eps, 1e-5F);
  EXPECT_EQ(config->swiglu_limit, 7.0F);
}

TEST(Config, OtherSpellingsSayTheSame) {
  const auto reference = parse_config(golden("base"), "config.json");
  ASSERT_TRUE(reference.ok());
  for (const std::string& json :
       {golden("base/original"),
        changed(kRope, R"("rope_parameters": {"rope_type": "yarn", "factor": 32, "beta_fast": 32,
          "beta_slow": 1, "original_max_position_embeddings": 4096, "rope_theta": 150000.0},)"),
        changed(kRope, R"("rope_scaling": null, "rope_parameters": {"type": "yarn", "factor": 32,
          "rope_theta": 150000, "attention_factor": 1.3465735902799727},)"),
        changed("\"experts_per_token\": 4,", ""), changed("\"num_experts_per_tok\": 4,", ""),
        changed("\"num_local_experts\": 8", "\"num_experts\": 8"),
        changed("\"max_position_embeddings\": 131072,", ""),
        changed("\"rms_norm_eps\": 1e-05,", ""), changed("\"swiglu_limit\": 7.0,", ""),
        changed("\"layer_types\": [\n    \"sliding_attention\",\n    \"full_attention\"\n  ]",
                "\"swiglu_alpha\": 1.702")}) {
    const auto config = parse_config(json, "config.json");
    ASSERT_TRUE(config.ok()) << config.status().message() << json;
    expect_equal(*config, *reference);
  }
}

TEST(Config, ScalesNothingUnlessAsked) {
  for (const std::string rope :
       {R"("rope_theta": 1e4,)", R"("rope_theta": 1e4, "rope_scaling": null,)",
        R"("rope_parameters": {"rope_type": "default", "rope_theta": 10000},)"}) {
    const auto config = parse_config(changed(kRope, rope), "config.json");
    ASSERT_TRUE(config.ok()) << config.status().message();
    EXPECT_EQ(config->yarn.factor, 1);
    EXPECT_EQ(config->rope_theta, 10000);
  }
  const auto rounded = parse_config(changed("\"truncate\": false", "\"truncate\": true"), "c");
  ASSERT_TRUE(rounded.ok());
  EXPECT_TRUE(rounded->yarn.truncate);
}

TEST(Config, RefusesTextThatIsNoObject) {
  EXPECT_TRUE(refusal("{").starts_with("config.json: not valid JSON: "));
  EXPECT_EQ(refusal("[]"), "config.json: expected a JSON object, found an array");
  EXPECT_EQ(refusal(changed("\"head_dim\": 64", "\"head_dim\": 64, \"head_dim\": 32")),
            "config.json: the key \"head_dim\" appears twice");
  EXPECT_EQ(refusal(changed("\"factor\": 32.0", "\"factor\": 32.0, \"factor\": 1.0")),
            "config.json: in \"rope_scaling\", the key \"factor\" appears twice");
}

TEST(Config, RefusesAbsurdSizes) {
  struct Case {
    std::string from, to, complaint;
  };
  for (const auto& [from, to, complaint] : std::vector<Case>{
           {"\"hidden_size\": 64", "\"hidden_size\": 4294967296",
            "\"hidden_size\" is 4294967296; expected an integer between 32 and 65536, a multiple "
            "of 32"},
           {"\"hidden_size\": 64", "\"hidden_size\": 72",
            "\"hidden_size\" is 72; expected an integer between 32 and 65536, a multiple of 32"},
           {"\"hidden_size\": 64", "\"hidden_size\": -64",
            "\"hidden_size\" is -64; expected an integer between 32 and 65536, a multiple of 32"},
           {"\"hidden_size\": 64", "\"hidden_size\": 64.0",
            "\"hidden_size\" is 64.0; expected an integer between 32 and 65536, a multiple of 32"},
           {"\"hidden_size\": 64", "\"hidden_size\": \"64\"",
            "\"hidden_size\" is \"64\"; expected an integer between 32 and 65536, a multiple of "
            "32"},
           {"\"hidden_size\": 64", "\"hidden_size\": null", "\"hidden_size\" is missing"},
           {"\"intermediate_size\": 96", "\"intermediate_size\": 0",
            "\"intermediate_size\" is 0; expected an integer between 32 and 131072, a multiple of "
            "32"},
           {"\"num_hidden_layers\": 2", "\"num_hidden_layers\": 0",
            "\"num_hidden_layers\" is 0; expected an integer between 1 and 1024"},
           {"\"num_attention_heads\": 4", "\"num_attention_heads\": 5",
            "\"num_attention_heads\" is 5; expected a multiple of \"num_key_value_heads\", 2"},
           {"\"num_local_experts\": 8", "\"num_local_experts\": 3",
            "\"experts_per_token\" is 4; expected at most the 3 experts"},
           {"\"num_experts_per_tok\": 4", "\"num_experts_per_tok\": 2",
            "\"experts_per_token\" is 4, but \"num_experts_per_tok\" is 2"},
           {"\"vocab_size\": 256", "\"vocab_size\": 1e30",
            "\"vocab_size\" is 1e+30; expected an integer between 1 and 4194304"},
           {"\"sliding_window\": 8", "\"sliding_window\": 0",
            "\"sliding_window\" is 0; expected an integer between 1 and 16777216"},
           {"\"max_position_embeddings\": 131072", "\"max_position_embeddings\": 99999999999",
            "\"max_position_embeddings\" is 99999999999; expected an integer between 1 and "
            "16777216"},
           {"\"rms_norm_eps\": 1e-05", "\"rms_norm_eps\": 0",
            "\"rms_norm_eps\" is 0; expected a number between 1e-12 and 0.01"},
           {"\"swiglu_limit\": 7.0", "\"swiglu_limit\": -7.0",
            "\"swiglu_limit\" is -7.0; expected a number between 0.001 and 1e+06"},
           {"\"rope_theta\": 150000", "\"rope_theta\": \"big\"",
            "\"rope_theta\" is \"big\"; expected a number between 1.000000001 and 1e+12"},
           {"\"rope_theta\": 150000,", "", "\"rope_theta\" is missing"},
           {"\"rope_theta\": 150000",
            "\"rope_theta\": 150000, \"rope_parameters\": "
            "{\"rope_theta\": 10000}",
            "\"rope_theta\" is 10000 in one place and 150000 in another"},
           {"\"factor\": 32.0,", "", "\"factor\" is missing"},
           {"\"factor\": 32.0", "\"factor\": 0.5",
            "\"factor\" is 0.5; expected a number between 1 and 10000"},
           {"\"beta_fast\": 32.0", "\"beta_fast\": 1.0",
            "\"beta_fast\" is 1; expected more than \"beta_slow\", 1"},
           {"\"truncate\": false", "\"truncate\": 0", "\"truncate\" is 0; expected true or false"},
           {"\"full_attention\"\n", "\"full_attention\", \"full_attention\"\n",
            "\"layer_types\" has 3 entries; expected 2"},
       }) {
    EXPECT_EQ(refusal(changed(from, to)), "config.json: " + complaint);
  }
}

TEST(Config, RefusesOtherModels) {
  struct Case {
    std::string from, to, complaint;
  };
  for (const auto& [from, to, complaint] : std::vector<Case>{
           {"\"gpt_oss\"", "\"llama\"", "\"model_type\" is \"llama\"; supported: \"gpt_oss\""},
           {"\"silu\"", "\"gelu\"", "\"hidden_act\" is \"gelu\"; supported: \"silu\""},
           {"\"attention_bias\": true", "\"attention_bias\": false",
            "\"attention_bias\" is false; supported: true"},
           {"\"tie_word_embeddings\": false", "\"tie_word_embeddings\": true",
            "\"tie_word_embeddings\" is true; supported: false"},
           {"\"quant_method\": \"mxfp4\"", "\"quant_method\": \"gptq\"",
            "the experts are quantized by \"gptq\"; supported: \"mxfp4\""},
           {"\"swiglu_limit\"", "\"swiglu_alpha\": 1.5, \"swiglu_limit\"",
            "\"swiglu_alpha\" is 1.5; supported: 1.702"},
           {"\"rope_type\": \"yarn\"", "\"rope_type\": \"longrope\"",
            "the rotary scaling is \"longrope\"; supported: \"yarn\", \"default\""},
           {"\"factor\": 32.0", "\"factor\": 32.0, \"attention_factor\": 1.0",
            "\"attention_factor\" is 1.0; supported: none, or an \"attention_factor\" of "
            "1.3465735902799727"},
           {"\"full_attention\"\n", "\"chunked_attention\"\n",
            "\"layer_types\" holds \"chunked_attention\"; supported: \"sliding_attention\", "
            "\"full_attention\""},
       }) {
    EXPECT_EQ(refusal(changed(from, to), Code::kUnsupported), "config.json: " + complaint);
  }
}

TEST(Config, TellsEverythingAtOnce) {
  EXPECT_EQ(refusal("{}"),
            "config.json: 11 problems\n"
            "  config.json: \"num_hidden_layers\" is missing\n"
            "  config.json: \"hidden_size\" is missing\n"
            "  config.json: \"intermediate_size\" is missing\n"
            "  config.json: \"num_attention_heads\" is missing\n"
            "  config.json: \"num_key_value_heads\" is missing\n"
            "  config.json: \"head_dim\" is missing\n"
            "  config.json: \"num_local_experts\" is missing\n"
            "  config.json: \"experts_per_token\" is missing\n"
            "  config.json: \"vocab_size\" is missing\n"
            "  config.json: \"sliding_window\" is missing\n"
            "  config.json: \"rope_theta\" is missing");
}

// Each value of a valid config becomes each of these. Whatever is accepted must keep what the
// header promises, since code above divides, allocates and indexes by it.
TEST(Config, AcceptsOnlySoundNumbers) {
  const std::string json = golden("base");
  size_t accepted = 0;
  for (size_t colon = json.find(": "); colon != std::string::npos;
       colon = json.find(": ", colon + 1)) {
    const size_t begin = colon + 2;
    const size_t end = json.find_first_of(",\n", begin);
    for (const char* value : {"0",
                              "1",
                              "-1",
                              "31",
                              "32",
                              "33",
                              "65536",
                              "4294967295",
                              "4294967296",
                              "18446744073709551615",
                              "18446744073709551616",
                              "1e-400",
                              "1e308",
                              "-0.0",
                              "0.1",
                              "null",
                              "true",
                              "\"\"",
                              "[]",
                              "{}",
                              "[[[[[[[[",
                              "\x80"}) {
      const auto config =
          parse_config(text(json.substr(0, begin), value, json.substr(end)), "config.json");
      if (!config.ok()) continue;
      ++accepted;
      const Config& c = *config;
      EXPECT_TRUE(c.layers >= 1 && c.sliding.size() == c.layers);
      EXPECT_TRUE(c.hidden >= 32 && c.hidden % 32 == 0);
      EXPECT_TRUE(c.intermediate >= 32 && c.intermediate % 32 == 0);
      EXPECT_TRUE(c.head_dim >= 32 && c.head_dim % 32 == 0);
      EXPECT_TRUE(c.kv_heads >= 1 && c.heads >= c.kv_heads && c.heads % c.kv_heads == 0);
      EXPECT_TRUE(c.experts_per_token >= 1 && c.experts_per_token <= c.experts);
      EXPECT_TRUE(c.vocab >= 1 && c.context >= 1 && c.sliding_window >= 1);
      EXPECT_TRUE(c.rope_theta > 1 && c.yarn.factor >= 1 && c.yarn.original_context >= 1);
      EXPECT_TRUE(c.yarn.beta_fast > c.yarn.beta_slow && c.yarn.beta_slow > 0);
      EXPECT_TRUE(c.rms_norm_eps > 0 && c.swiglu_limit > 0);
    }
  }
  EXPECT_GT(accepted, 100U);
}

}  // namespace
}  // namespace vitalis::model
