// SPDX-License-Identifier: Apache-2.0
// metal/model.bin: the config from its header, the tensors from their order. All but the experts
// come first; then each layer's experts from a page of their own, one record of six arrays per
// expert. The file ends with the last record.
#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>

#include "formats/metal_bin.h"
#include "model/config_keys.h"
#include "model/source.h"

namespace vitalis::model {
namespace {

using formats::MetalBin;

struct SizeField {
  uint32_t Config::*member;
  uint32_t MetalBin::*field;
  std::string_view name;
};
constexpr SizeField kSizes[] = {
    {&Config::layers, &MetalBin::blocks, "num_blocks"},
    {&Config::hidden, &MetalBin::embedding_dim, "embedding_dim"},
    {&Config::intermediate, &MetalBin::mlp_dim, "mlp_dim"},
    {&Config::heads, &MetalBin::heads, "num_heads"},
    {&Config::kv_heads, &MetalBin::kv_heads, "num_kv_heads"},
    {&Config::head_dim, &MetalBin::head_dim, "head_dim"},
    {&Config::experts, &MetalBin::experts, "num_experts"},
    {&Config::experts_per_token, &MetalBin::active_experts, "num_active_experts"},
    {&Config::sliding_window, &MetalBin::attention_window, "attention_window"},
};

constexpr std::string_view kBeforeBlocks[] = {"embedding.weight"};
constexpr std::string_view kBlock[] = {
    "block.{}.attn.norm.scale", "block.{}.attn.qkv.weight", "block.{}.attn.qkv.bias",
    "block.{}.attn.sinks",      "block.{}.attn.out.weight", "block.{}.attn.out.bias",
    "block.{}.mlp.norm.scale",  "block.{}.mlp.gate.weight", "block.{}.mlp.gate.bias",
};
constexpr std::string_view kAfterBlocks[] = {"norm.scale", "unembedding.weight"};
constexpr std::string_view kExpert[] = {
    "block.{}.mlp.mlp1_weight.blocks", "block.{}.mlp.mlp1_weight.scales", "block.{}.mlp.mlp1_bias",
    "block.{}.mlp.mlp2_weight.blocks", "block.{}.mlp.mlp2_weight.scales", "block.{}.mlp.mlp2_bias",
};

class HeaderReader {
 public:
  HeaderReader(const MetalBin& bin, std::string_view where) : bin_(bin), where_(where) {}

  Result<Config> read() {
    for (const SizeField& size : kSizes) {
      const auto key = std::find_if(std::begin(kIntegerKeys), std::end(kIntegerKeys),
                                    [&](const IntegerKey& k) { return k.member == size.member; });
      read_integer(*key, size.name, bin_.*size.field);
    }
    read_integer(kContextKey, "context_length", bin_.context_length);
    const uint64_t rows = bin_.text_tokens.size() + bin_.special_tokens.size();
    const auto vocab = std::find_if(std::begin(kIntegerKeys), std::end(kIntegerKeys),
                                    [](const IntegerKey& k) { return k.member == &Config::vocab; });
    read_integer(*vocab, "number of tokens", rows);
    read_real(kRealKeys[0], "rmsnorm_eps", bin_.rms_norm_eps);
    read_real(kRealKeys[1], "swiglu_limit", bin_.swiglu_limit);
    read_real(kRealKeys[2], "rope_theta", bin_.rope_theta);
    read_real(kYarnKeys[0], "interpolation_scale", 1 / bin_.interpolation_scale);
    check_relations(config_, where_, problems_);
    if (problems_.empty()) check_yarn();
    VITALIS_TRY(problems_.status(where_));
    alternate_layers(config_);
    return config_;
  }

 private:
  void read_integer(const IntegerKey& key, std::string_view name, uint64_t value) {
    if (!fits(key, value)) {
      problems_.add(Code::kMalformed, where_, ": ", name, " is ", value, "; expected ",
                    expectation(key));
      return;
    }
    config_.*key.member = static_cast<uint32_t>(value);
  }

  void read_real(const RealKey& key, std::string_view name, double value) {
    if (!fits(key, value)) {
      problems_.add(Code::kMalformed, where_, ": ", name, " gives ", decimal(value), "; expected ",
                    expectation(key));
      return;
    }
    key.set(config_, value);
  }

  // The header has the ramp itself. It must be the one that gpt-oss's settings, which are the
  // defaults of Yarn, give: there is no way back to settings from a ramp.
  void check_yarn() {
    const auto turns_at = [&](double turns) {
      return config_.head_dim / 2.0 *
             std::log(config_.yarn.original_context / (turns * 2 * std::numbers::pi)) /
             std::log(config_.rope_theta);
    };
    const double low = turns_at(config_.yarn.beta_fast);
    const double high = turns_at(config_.yarn.beta_slow);
    compare("yarn_offset", bin_.yarn_offset, -low / (high - low));
    compare("yarn_scale", bin_.yarn_scale, 1 / (high - low));
    compare("yarn_multiplier", bin_.yarn_multiplier, 0.1 * std::log(config_.yarn.factor) + 1);
  }

  void compare(std::string_view name, double found, double expected) {
    if (std::abs(found - expected) <= 1e-4 * std::abs(expected)) return;
    problems_.add(Code::kUnsupported, where_, ": ", name, " is ", decimal(found), "; expected ",
                  decimal(expected), ", as gpt-oss has it");
  }

  const MetalBin& bin_;
  std::string_view where_;
  Config config_;
  Problems problems_;
};

// Gives every tensor its place, going through the file once.
class Walk {
 public:
  Walk(const Config& config, MappedFile file, uint64_t weights)
      : config_(config), file_(std::move(file)), position_(weights) {}

  // The tensors, or a problem if they do not end where the file does.
  Result<Source> place_all() {
    place(kBeforeBlocks, 0);
    for (uint32_t i = 0; i < config_.layers; ++i) place(kBlock, i);
    place(kAfterBlocks, 0);
    for (uint32_t i = 0; i < config_.layers; ++i) {
      round_up(formats::kMetalPage);
      place_experts(i);
    }
    if (position_ != file_.bytes().size()) {
      return error(Code::kMalformed, file_.path(), ": has ", file_.bytes().size(),
                   " bytes; expected ", position_, " by its header");
    }
    for (auto& [tensor, stride] : places_) add(std::move(tensor), stride);
    source_.files.push_back(std::move(file_));
    return std::move(source_);
  }

 private:
  // A tensor of a name, with its bytes but no place.
  formats::TensorRange describe(std::string_view name, uint32_t layer) const {
    const NameTable& table = metal_tables()[0];
    const auto named = [&](const NameRow& row) { return row.name == name; };
    const auto first = std::find_if(table.rows.begin(), table.rows.end(), named);
    const auto end = std::find_if_not(first, table.rows.end(), named);
    formats::TensorRange out;
    out.name = expand_name(name, layer);
    out.dtype = stored_types(*first, table).front();
    out.shape = stored_shape({first, end}, table, config_);
    out.bytes = formats::tensor_bytes(out.dtype, out.shape).value_or(0);
    return out;
  }

  void place(std::span<const std::string_view> names, uint32_t layer) {
    for (const std::string_view name : names) {
      formats::TensorRange tensor = describe(name, layer);
      round_up(formats::kMetalAlign);
      tensor.offset = position_;
      position_ += tensor.bytes;
      places_.emplace_back(std::move(tensor), 0);
    }
    round_up(formats::kMetalAlign);
  }

  void place_experts(uint32_t layer) {
    const uint64_t record = position_;
    const size_t first = places_.size();
    for (const std::string_view name : kExpert) {
      formats::TensorRange tensor = describe(name, layer);
      tensor.offset = position_;
      position_ += tensor.bytes / config_.experts;
      round_up(formats::kMetalAlign);
      places_.emplace_back(std::move(tensor), 0);
    }
    const uint64_t stride = position_ - record;
    for (size_t i = first; i < places_.size(); ++i) places_[i].second = stride;
    position_ = record + stride * config_.experts;
  }

  void round_up(uint64_t to) { position_ = (position_ + to - 1) / to * to; }

  void add(formats::TensorRange tensor, uint64_t stride) {
    source_.listing.push_back({tensor.name, std::string(formats::info(tensor.dtype).name),
                               tensor.shape, tensor.bytes, file_name()});
    const std::byte* data = file_.bytes().data() + tensor.offset;
    std::string key = tensor.name;
    source_.inventory.tensors.try_emplace(
        std::move(key), FoundTensor{std::move(tensor), data, file_.path(), stride});
  }

  std::string file_name() const { return file_.path().substr(file_.path().rfind('/') + 1); }

  const Config& config_;
  MappedFile file_;
  uint64_t position_;
  std::vector<std::pair<formats::TensorRange, uint64_t>> places_;  // with their strides
  Source source_;
};

}  // namespace

Result<Source> open_metal(MappedFile file) {
  const std::string path = file.path();
  VITALIS_ASSIGN(const MetalBin bin, formats::parse_metal_bin(file.bytes(), path));
  VITALIS_ASSIGN(Config config, HeaderReader(bin, path).read());
  VITALIS_ASSIGN(Source source, Walk(config, std::move(file), bin.weights_offset).place_all());
  source.config = std::move(config);
  source.tables = metal_tables();
  return source;
}

}  // namespace vitalis::model
