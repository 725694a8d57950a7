// SPDX-License-Identifier: Apache-2.0
// Two tables say which keys a config may use and what values make sense; the code around them
// only looks up, compares and collects complaints.
#include "model/config.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "base/problems.h"
#include "formats/json.h"

namespace vitalis::model {
namespace {

namespace dom = simdjson::dom;

// The bounds are far beyond any published gpt-oss, and small enough that no product of the sizes
// of one tensor leaves 64 bits.
struct IntegerKey {
  std::string_view names[3];  // spellings in use; all that are present must agree
  uint32_t Config::*member;
  uint32_t least;
  uint32_t most;
  uint32_t multiple_of;
};
constexpr IntegerKey kIntegers[] = {
    {{"num_hidden_layers"}, &Config::layers, 1, 1024, 1},
    {{"hidden_size"}, &Config::hidden, 32, 1 << 16, 32},
    {{"intermediate_size"}, &Config::intermediate, 32, 1 << 17, 32},
    {{"num_attention_heads"}, &Config::heads, 1, 1024, 1},
    {{"num_key_value_heads"}, &Config::kv_heads, 1, 1024, 1},
    {{"head_dim"}, &Config::head_dim, 32, 1024, 32},
    {{"num_local_experts", "num_experts"}, &Config::experts, 1, 4096, 1},
    {{"experts_per_token", "num_experts_per_tok"}, &Config::experts_per_token, 1, 4096, 1},
    {{"vocab_size"}, &Config::vocab, 1, 1 << 22, 1},
    {{"sliding_window"}, &Config::sliding_window, 1, 1 << 24, 1},
};
constexpr uint32_t kMostContext = 1 << 24;

// Rotary settings stand in an object of their own under one of two names, or, in OpenAI's own
// config, at the top under other names.
constexpr std::string_view kRopeObjects[] = {"rope_parameters", "rope_scaling"};

struct RealKey {
  std::string_view in_rope;
  std::string_view at_top;
  void (*set)(Config&, double);
  double least;
  double most;
  std::optional<double> otherwise;  // none: must be there
};
constexpr RealKey kReals[] = {
    {"", "rms_norm_eps", [](Config& c, double x) { c.rms_norm_eps = static_cast<float>(x); }, 1e-12,
     1e-2, 1e-5},
    {"", "swiglu_limit", [](Config& c, double x) { c.swiglu_limit = static_cast<float>(x); }, 1e-3,
     1e6, 7.0},
    {"rope_theta", "rope_theta", [](Config& c, double x) { c.rope_theta = x; }, 1.0 + 1e-9, 1e12,
     std::nullopt},
};
constexpr RealKey kYarnReals[] = {
    {"factor", "rope_scaling_factor", [](Config& c, double x) { c.yarn.factor = x; }, 1, 1e4,
     std::nullopt},
    {"beta_fast", "rope_ntk_beta", [](Config& c, double x) { c.yarn.beta_fast = x; }, 1e-3, 1e6,
     32.0},
    {"beta_slow", "rope_ntk_alpha", [](Config& c, double x) { c.yarn.beta_slow = x; }, 1e-3, 1e6,
     1.0},
    {"original_max_position_embeddings", "initial_context_length",
     [](Config& c, double x) { c.yarn.original_context = x; }, 1, kMostContext, std::nullopt},
};

// As short as it can be read back.
std::string decimal(double value) {
  char digits[32];
  return {digits, std::to_chars(digits, digits + sizeof digits, value).ptr};
}

class Reader {
 public:
  Reader(dom::object root, std::string_view where) : root_(root), where_(where) {}

  Result<Config> read() {
    refuse_repeated_keys(root_, "");
    check_family();
    for (const IntegerKey& key : kIntegers) read_integer(key);
    find_rope_objects();
    for (const RealKey& key : kReals) read_real(key);
    read_yarn();
    read_context();
    read_layer_types();
    check_relations();
    VITALIS_TRY(problems_.status(where_));
    return std::move(config_);
  }

 private:
  template <class... Pieces>
  void wrong(const Pieces&... pieces) {
    problems_.add(Code::kMalformed, where_, ": ", pieces...);
  }
  template <class... Pieces>
  void unsupported(const Pieces&... pieces) {
    problems_.add(Code::kUnsupported, where_, ": ", pieces...);
  }

  void refuse_repeated_keys(dom::object object, std::string_view inside) {
    std::vector<std::string_view> keys;
    for (const dom::key_value_pair field : object) {
      if (std::find(keys.begin(), keys.end(), field.key) != keys.end()) {
        wrong(inside, "the key ", in_quotes(field.key), " appears twice");
      }
      keys.push_back(field.key);
    }
  }

  // A value that is there and not null.
  static std::optional<dom::element> find(dom::object object, std::string_view key) {
    dom::element value;
    if (key.empty() || object.at_key(key).get(value) || value.is_null()) return std::nullopt;
    return value;
  }

  // What a message says was found.
  static std::string found(dom::element value) {
    std::string_view string;
    if (!value.get(string)) return in_quotes(string);
    return excerpt(simdjson::minify(value));
  }

  void require_text(std::string_view key, std::string_view expected) {
    const auto value = find(root_, key);
    std::string_view content;
    if (value && (value->get(content) || content != expected)) {
      unsupported(in_quotes(key), " is ", found(*value), "; supported: ", in_quotes(expected));
    }
  }

  void require_flag(std::string_view key, bool expected) {
    const auto value = find(root_, key);
    bool content = false;
    if (value && (value->get(content) || content != expected)) {
      unsupported(in_quotes(key), " is ", found(*value),
                  "; supported: ", expected ? "true" : "false");
    }
  }

  // What would be another architecture under the same tensor names. All are optional: OpenAI's
  // own config has none of them.
  void check_family() {
    require_text("model_type", "gpt_oss");
    require_text("hidden_act", "silu");
    require_flag("attention_bias", true);
    require_flag("tie_word_embeddings", false);
    if (const auto alpha = find(root_, "swiglu_alpha")) {
      double value = 0;
      if (alpha->get(value) || value != 1.702) {
        unsupported("\"swiglu_alpha\" is ", found(*alpha), "; supported: 1.702");
      }
    }
    dom::object quantization;
    const auto value = find(root_, "quantization_config");
    if (!value) return;
    if (value->get(quantization)) return wrong("\"quantization_config\" should be an object");
    const auto method = find(quantization, "quant_method");
    std::string_view name;
    if (!method || method->get(name) || name != "mxfp4") {
      unsupported("the experts are quantized by ", method ? found(*method) : "an unnamed method",
                  "; supported: \"mxfp4\"");
    }
  }

  void read_integer(const IntegerKey& key) {
    std::optional<uint64_t> result;
    for (const std::string_view name : key.names) {
      const auto value = find(root_, name);
      if (!value) continue;
      const auto number = integer_in(*value, name, key.least, key.most, key.multiple_of);
      if (!number) return;
      if (result && *result != *number) {
        return wrong(in_quotes(key.names[0]), " is ", *result, ", but ", in_quotes(name), " is ",
                     *number);
      }
      result = number;
    }
    if (!result) return wrong(in_quotes(key.names[0]), " is missing");
    config_.*key.member = static_cast<uint32_t>(*result);
  }

  std::optional<uint64_t> integer_in(dom::element value, std::string_view name, uint64_t least,
                                     uint64_t most, uint64_t multiple_of) {
    uint64_t number = 0;
    if (!value.get(number) && number >= least && number <= most && number % multiple_of == 0) {
      return number;
    }
    wrong(in_quotes(name), " is ", found(value), "; expected an integer between ", least, " and ",
          most, multiple_of > 1 ? text(", a multiple of ", multiple_of) : std::string());
    return std::nullopt;
  }

  void find_rope_objects() {
    for (const std::string_view name : kRopeObjects) {
      const auto value = find(root_, name);
      if (!value) continue;
      dom::object object;
      if (value->get(object)) {
        wrong(in_quotes(name), " should be an object, found ", formats::json_kind(*value));
        continue;
      }
      refuse_repeated_keys(object, text("in ", in_quotes(name), ", "));
      rope_objects_.push_back(object);
    }
  }

  // Every place where the setting stands; they must agree.
  void read_real(const RealKey& key) {
    std::optional<double> result;
    const std::string_view name = key.in_rope.empty() ? key.at_top : key.in_rope;
    const auto take = [&](std::optional<dom::element> value) {
      if (!value) return true;
      double number = 0;
      if (value->get(number) || !(number >= key.least && number <= key.most)) {
        wrong(in_quotes(name), " is ", found(*value), "; expected a number between ",
              decimal(key.least), " and ", decimal(key.most));
        return false;
      }
      if (result && *result != number) {
        wrong(in_quotes(name), " is ", decimal(*result), " in one place and ", decimal(number),
              " in another");
        return false;
      }
      result = number;
      return true;
    };
    for (const dom::object& object : rope_objects_) {
      if (!take(find(object, key.in_rope))) return;
    }
    if (!take(find(root_, key.at_top))) return;
    if (!result) result = key.otherwise;
    if (!result) return wrong(in_quotes(name), " is missing");
    key.set(config_, *result);
  }

  // No scaling unless an object asks for YaRN or OpenAI's top-level factor is there.
  void read_yarn() {
    bool scaled = find(root_, "rope_scaling_factor").has_value();
    for (const dom::object& object : rope_objects_) {
      auto type = find(object, "rope_type");
      if (!type) type = find(object, "type");
      std::string_view name = "yarn";
      if (type && type->get(name)) name = "";
      if (name == "yarn") {
        scaled = scaled || type || find(object, "factor");
      } else if (name != "default") {
        unsupported("the rotary scaling is ", found(*type), "; supported: \"yarn\", \"default\"");
      }
      if (const auto truncate = find(object, "truncate")) {
        if (truncate->get(config_.yarn.truncate)) {
          wrong("\"truncate\" is ", found(*truncate), "; expected true or false");
        }
      }
    }
    if (!scaled) return;
    for (const RealKey& key : kYarnReals) read_real(key);
    if (config_.yarn.beta_fast <= config_.yarn.beta_slow) {
      wrong("\"beta_fast\" is ", decimal(config_.yarn.beta_fast),
            "; expected more than \"beta_slow\", ", decimal(config_.yarn.beta_slow));
    }
    check_attention_factor();
  }

  // The engine derives it from the factor; a config that says otherwise is another model.
  void check_attention_factor() {
    const double derived = 0.1 * std::log(config_.yarn.factor) + 1;
    for (const dom::object& object : rope_objects_) {
      for (const std::string_view name : {"attention_factor", "mscale", "mscale_all_dim"}) {
        const auto value = find(object, name);
        if (!value) continue;
        double number = 0;
        if (name != "attention_factor" || value->get(number) || std::abs(number - derived) > 1e-6) {
          unsupported(in_quotes(name), " is ", found(*value),
                      "; supported: none, or an \"attention_factor\" of ", decimal(derived));
        }
      }
    }
  }

  void read_context() {
    if (const auto value = find(root_, "max_position_embeddings")) {
      const auto number = integer_in(*value, "max_position_embeddings", 1, kMostContext, 1);
      if (number) config_.context = static_cast<uint32_t>(*number);
      return;
    }
    const double context = config_.yarn.original_context * config_.yarn.factor;
    if (context > kMostContext) {
      return wrong("the context of ", decimal(context), " tokens is more than ", kMostContext);
    }
    config_.context = static_cast<uint32_t>(context);
  }

  void read_layer_types() {
    const auto value = find(root_, "layer_types");
    if (!value) {
      for (uint32_t i = 0; i < config_.layers; ++i) config_.sliding.push_back(i % 2 == 0);
      return;
    }
    dom::array types;
    if (value->get(types)) {
      return wrong("\"layer_types\" should be an array, found ", formats::json_kind(*value));
    }
    for (const dom::element type : types) {
      std::string_view name;
      if (type.get(name) || (name != "sliding_attention" && name != "full_attention")) {
        return unsupported("\"layer_types\" holds ", found(type),
                           "; supported: \"sliding_attention\", \"full_attention\"");
      }
      config_.sliding.push_back(name == "sliding_attention");
    }
    if (config_.layers && config_.sliding.size() != config_.layers) {
      wrong("\"layer_types\" has ", config_.sliding.size(), " entries; expected ", config_.layers);
    }
  }

  void check_relations() {
    const Config& c = config_;
    if (c.heads && c.kv_heads && c.heads % c.kv_heads != 0) {
      wrong("\"num_attention_heads\" is ", c.heads,
            "; expected a multiple of \"num_key_value_heads\", ", c.kv_heads);
    }
    if (c.experts && c.experts_per_token > c.experts) {
      wrong("\"experts_per_token\" is ", c.experts_per_token, "; expected at most the ", c.experts,
            " experts");
    }
  }

  dom::object root_;
  std::string_view where_;
  std::vector<dom::object> rope_objects_;
  Config config_;
  Problems problems_;
};

}  // namespace

Result<Config> parse_config(std::string_view json, std::string_view where) {
  VITALIS_ASSIGN(const formats::JsonDocument document, formats::JsonDocument::parse(json, where));
  return Reader(document.root(), where).read();
}

}  // namespace vitalis::model
