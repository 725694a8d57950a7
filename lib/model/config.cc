// SPDX-License-Identifier: Apache-2.0
#include "model/config.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "base/problems.h"
#include "formats/json.h"
#include "model/config_keys.h"

namespace vitalis::model {
namespace {

namespace dom = simdjson::dom;

constexpr std::string_view kRopeObjects[] = {"rope_parameters", "rope_scaling"};

class Reader {
 public:
  Reader(dom::object root, std::string_view where) : root_(root), where_(where) {}

  Result<Config> read() {
    refuse_repeated_keys(root_, "");
    check_family();
    for (const IntegerKey& key : kIntegerKeys) read_integer(key);
    find_rope_objects();
    for (const RealKey& key : kRealKeys) read_real(key);
    read_yarn();
    read_context();
    read_layer_types();
    check_relations(config_, where_, problems_);
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
    require_method("quantization_config", "the experts", "mxfp4");
    config_.dense_q8_0 = require_method(kDenseQuantizationKey, "the dense tensors", kQ8_0Method);
  }

  // False where there is no such key.
  bool require_method(std::string_view key, std::string_view what, std::string_view expected) {
    const auto value = find(root_, key);
    if (!value) return false;
    dom::object quantization;
    if (value->get(quantization)) {
      wrong(in_quotes(key), " should be an object");
      return false;
    }
    const auto method = find(quantization, "quant_method");
    std::string_view name;
    if (!method || method->get(name) || name != expected) {
      unsupported(what, " are quantized by ", method ? found(*method) : "an unnamed method",
                  "; supported: ", in_quotes(expected));
    }
    return true;
  }

  void read_integer(const IntegerKey& key) {
    std::optional<uint64_t> result;
    for (const std::string_view name : key.json) {
      const auto value = find(root_, name);
      if (!value) continue;
      const auto number = integer_in(*value, name, key);
      if (!number) return;
      if (result && *result != *number) {
        return wrong(in_quotes(key.json[0]), " is ", *result, ", but ", in_quotes(name), " is ",
                     *number);
      }
      result = number;
    }
    if (!result) return wrong(in_quotes(key.json[0]), " is missing");
    config_.*key.member = static_cast<uint32_t>(*result);
  }

  std::optional<uint64_t> integer_in(dom::element value, std::string_view name,
                                     const IntegerKey& key) {
    uint64_t number = 0;
    if (!value.get(number) && fits(key, number)) return number;
    wrong(in_quotes(name), " is ", found(value), "; expected ", expectation(key));
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
    const std::string_view name = key.json_rope.empty() ? key.json_top : key.json_rope;
    const auto take = [&](std::optional<dom::element> value) {
      if (!value) return true;
      double number = 0;
      if (value->get(number) || !fits(key, number)) {
        wrong(in_quotes(name), " is ", found(*value), "; expected ", expectation(key));
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
      if (!take(find(object, key.json_rope))) return;
    }
    if (!take(find(root_, key.json_top))) return;
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
    for (const RealKey& key : kYarnKeys) read_real(key);
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
    if (const auto value = find(root_, kContextKey.json[0])) {
      const auto number = integer_in(*value, kContextKey.json[0], kContextKey);
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
      return alternate_layers(config_);
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

  dom::object root_;
  std::string_view where_;
  std::vector<dom::object> rope_objects_;
  Config config_;
  Problems problems_;
};

}  // namespace

std::string decimal(double value) {
  char digits[32];
  return {digits, std::to_chars(digits, digits + sizeof digits, value).ptr};
}

std::string expectation(const IntegerKey& key) {
  return text("an integer between ", key.least, " and ", key.most,
              key.multiple_of > 1 ? text(", a multiple of ", key.multiple_of) : std::string());
}

bool fits(const IntegerKey& key, uint64_t value) {
  return value >= key.least && value <= key.most && value % key.multiple_of == 0;
}

std::string expectation(const RealKey& key) {
  return text("a number between ", decimal(key.least), " and ", decimal(key.most));
}

bool fits(const RealKey& key, double value) {
  return value >= key.least && value <= key.most;  // false for NaN
}

void check_relations(const Config& c, std::string_view where, Problems& problems) {
  const auto wrong = [&](const auto&... pieces) {
    problems.add(Code::kMalformed, where, ": ", pieces...);
  };
  if (c.heads && c.kv_heads && c.heads % c.kv_heads != 0) {
    wrong("\"num_attention_heads\" is ", c.heads,
          "; expected a multiple of \"num_key_value_heads\", ", c.kv_heads);
  }
  if (c.experts && c.experts_per_token > c.experts) {
    wrong("\"experts_per_token\" is ", c.experts_per_token, "; expected at most the ", c.experts,
          " experts");
  }
  if (c.yarn.beta_fast <= c.yarn.beta_slow) {
    wrong("\"beta_fast\" is ", decimal(c.yarn.beta_fast), "; expected more than \"beta_slow\", ",
          decimal(c.yarn.beta_slow));
  }
}

void alternate_layers(Config& config) {
  config.sliding.clear();
  for (uint32_t i = 0; i < config.layers; ++i) config.sliding.push_back(i % 2 == 0);
}

Result<Config> parse_config(std::string_view json, std::string_view where) {
  VITALIS_ASSIGN(const formats::JsonDocument document, formats::JsonDocument::parse(json, where));
  return Reader(document.root(), where).read();
}

}  // namespace vitalis::model
