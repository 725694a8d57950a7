// SPDX-License-Identifier: Apache-2.0
#include "model/gguf_config.h"

#include "model/config_keys.h"

namespace vitalis::model {
namespace {

using formats::GgufValue;

constexpr std::string_view kArchitectures[] = {"gpt-oss", "gptoss"};  // the second is Ollama's

class Reader {
 public:
  Reader(const formats::Gguf& gguf, std::string_view where) : gguf_(gguf), where_(where) {}

  Result<Config> read() {
    VITALIS_TRY(read_architecture());
    for (const IntegerKey& key : kIntegerKeys) read_integer(key);
    read_integer(kContextKey);
    for (const RealKey& key : kRealKeys) read_real(key);
    if (scaled()) {
      for (const RealKey& key : kYarnKeys) read_real(key);
    }
    check_relations(config_, where_, problems_);
    VITALIS_TRY(problems_.status(where_));
    alternate_layers(config_);
    return config_;
  }

 private:
  template <class... Pieces>
  void wrong(const Pieces&... pieces) {
    problems_.add(Code::kMalformed, where_, ": ", pieces...);
  }

  Status read_architecture() {
    const GgufValue* value = gguf_.find("general.architecture");
    const auto name = value ? value->string() : std::nullopt;
    for (const std::string_view known : kArchitectures) {
      if (name == known) prefix_ = text(known, '.');
    }
    if (!prefix_.empty()) return {};
    return error(Code::kUnsupported, where_, ": the architecture is ",
                 name ? in_quotes(*name) : "not named", "; supported: \"gpt-oss\", \"gptoss\"");
  }

  const GgufValue* find(std::string_view key) const {
    return key.empty() ? nullptr : gguf_.find(prefix_ + std::string(key));
  }

  void read_integer(const IntegerKey& key) {
    const GgufValue* value = find(key.gguf[0]);
    if (!value) value = find(key.gguf[1]);
    std::optional<uint64_t> number;
    if (value) {
      number = value->unsigned_integer();
    } else if (key.member == &Config::vocab) {
      // Usually told by the length of the list of tokens alone.
      const GgufValue* tokens = gguf_.find("tokenizer.ggml.tokens");
      if (tokens) number = tokens->count;
      value = tokens;
    }
    if (!value)
      return wrong("metadata ", in_quotes(prefix_ + std::string(key.gguf[0])), " is missing");
    if (!number || !fits(key, *number)) {
      return wrong("metadata ", in_quotes(prefix_ + std::string(key.gguf[0])), " is ",
                   number ? text(*number) : "not an unsigned integer", "; expected ",
                   expectation(key));
    }
    config_.*key.member = static_cast<uint32_t>(*number);
  }

  void read_real(const RealKey& key) {
    const GgufValue* value = find(key.gguf);
    if (!value) {
      if (key.otherwise) return key.set(config_, *key.otherwise);
      return wrong("metadata ", in_quotes(prefix_ + std::string(key.gguf)), " is missing");
    }
    const std::optional<double> number = value->number();
    if (!number || !fits(key, *number)) {
      return wrong("metadata ", in_quotes(prefix_ + std::string(key.gguf)), " is ",
                   number ? decimal(*number) : "not a number", "; expected ", expectation(key));
    }
    key.set(config_, *number);
  }

  // Early Ollama files give the factor without the type.
  bool scaled() {
    const GgufValue* type = find("rope.scaling.type");
    const auto name = type ? type->string() : std::nullopt;
    if (type && name != "yarn" && name != "none") {
      problems_.add(Code::kUnsupported, where_, ": the rotary scaling is ",
                    name ? in_quotes(*name) : "not a string", "; supported: \"yarn\", \"none\"");
    }
    return type ? name == "yarn" : find("rope.scaling.factor") != nullptr;
  }

  const formats::Gguf& gguf_;
  std::string_view where_;
  std::string prefix_;
  Config config_;
  Problems problems_;
};

}  // namespace

Result<Config> gguf_config(const formats::Gguf& gguf, std::string_view where) {
  return Reader(gguf, where).read();
}

}  // namespace vitalis::model
