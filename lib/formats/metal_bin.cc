// SPDX-License-Identifier: Apache-2.0
#include "formats/metal_bin.h"

#include <bit>
#include <cstring>

#include "formats/cursor.h"

namespace vitalis::formats {
namespace {

constexpr std::string_view kMagic("GPT-OSS v1.0\0\0\0\0", 16);

constexpr MetalBin::Uuid uuid(std::array<uint8_t, 16> bytes) {
  MetalBin::Uuid out{};
  for (size_t i = 0; i < out.size(); ++i) out[i] = std::byte{bytes[i]};
  return out;
}
// They say which model, which order of arrays and which kind of tokenizer follow.
constexpr MetalBin::Uuid kModel = uuid({0xdf, 0x52, 0xdc, 0x86, 0x17, 0x89, 0x4e, 0xd0, 0xa2, 0x95,
                                        0x66, 0xf1, 0x05, 0x08, 0x14, 0x5b});
constexpr MetalBin::Uuid kLayout = uuid({0x22, 0x91, 0x77, 0xa8, 0x57, 0x75, 0x42, 0x68, 0xbf, 0xd8,
                                         0xd5, 0x88, 0xb3, 0x51, 0xc5, 0x6d});
constexpr MetalBin::Uuid kTokenizer = uuid({0x74, 0x01, 0xad, 0xed, 0x2a, 0x95, 0x40, 0xcb, 0xb7,
                                            0x82, 0x9c, 0xce, 0xba, 0xaf, 0xe7, 0x2b});

class Reader {
 public:
  Reader(std::span<const std::byte> file, std::string_view file_name)
      : file_(file), cursor_(file), file_name_(file_name) {}

  Result<MetalBin> read() {
    if (!is_metal_bin(file_)) return malformed("does not begin with \"GPT-OSS v1.0\"");
    cursor_.take(kMagic.size());
    VITALIS_TRY(expect(kModel, "model"));
    read_sizes();
    VITALIS_TRY(expect(kLayout, "layout"));
    VITALIS_TRY(expect(kTokenizer, "tokenizer"));
    VITALIS_TRY(read_tokens());
    out_.weights_offset = (cursor_.position() + kMetalPage - 1) / kMetalPage * kMetalPage;
    return std::move(out_);
  }

 private:
  template <class... Pieces>
  Status malformed(const Pieces&... pieces) const {
    return error(Code::kMalformed, file_name_, ": ", pieces...);
  }
  Status truncated(std::string_view inside) const {
    return malformed("ends inside ", inside, ", after byte ", cursor_.position(), " of ",
                     file_.size());
  }

  void read(uint32_t& value) { value = cursor_.u32(); }
  void read(float& value) { value = std::bit_cast<float>(cursor_.u32()); }

  Status expect(const MetalBin::Uuid& expected, std::string_view what) {
    const auto found = cursor_.take(expected.size());
    if (cursor_.failed()) return truncated("its header");
    if (std::memcmp(found.data(), expected.data(), expected.size()) == 0) return {};
    return error(Code::kUnsupported, file_name_, ": the UUID of its ", what,
                 " is not the one of gpt-oss");
  }

  void read_sizes() {
    for (uint32_t* value : {&out_.context_length, &out_.blocks, &out_.experts, &out_.active_experts,
                            &out_.embedding_dim, &out_.mlp_dim}) {
      read(*value);
    }
    read(out_.swiglu_limit);
    for (uint32_t* value : {&out_.head_dim, &out_.heads, &out_.kv_heads, &out_.attention_window}) {
      read(*value);
    }
    for (float* value : {&out_.rope_theta, &out_.interpolation_scale, &out_.yarn_offset,
                         &out_.yarn_scale, &out_.yarn_multiplier, &out_.rms_norm_eps}) {
      read(*value);
    }
  }

  Status read_tokens() {
    const uint32_t specials = cursor_.u32();
    const uint32_t texts = cursor_.u32();
    const uint32_t regex_bytes = cursor_.u32();
    const uint32_t table_bytes = cursor_.u32();
    const auto uuids = cursor_.take(uint64_t{specials} * 16);
    const auto regex = cursor_.take(regex_bytes);
    if (cursor_.failed()) return truncated("its tokenizer");
    for (uint64_t i = 0; i < specials; ++i) {
      std::memcpy(out_.special_tokens.emplace_back().data(), uuids.data() + 16 * i, 16);
    }
    if (regex.empty() || regex.back() != std::byte{0}) {
      return malformed("the tokenizer's regex does not end with a zero byte");
    }
    out_.regex = as_text(regex.first(regex.size() - 1));
    const uint64_t begin = cursor_.position();
    for (uint32_t i = 0; i < texts && !cursor_.failed(); ++i) {
      out_.text_tokens.push_back(as_text(cursor_.take(cursor_.u16())));
    }
    if (cursor_.failed()) return truncated("its token table");
    if (cursor_.position() - begin != table_bytes) {
      return malformed("the token table should have ", table_bytes, " bytes, but its ", texts,
                       " tokens take ", cursor_.position() - begin);
    }
    return {};
  }

  std::span<const std::byte> file_;
  Cursor cursor_;
  std::string_view file_name_;
  MetalBin out_;
};

}  // namespace

bool is_metal_bin(std::span<const std::byte> file) {
  return file.size() >= kMagic.size() &&
         std::memcmp(file.data(), kMagic.data(), kMagic.size()) == 0;
}

Result<MetalBin> parse_metal_bin(std::span<const std::byte> file, std::string_view file_name) {
  return Reader(file, file_name).read();
}

}  // namespace vitalis::formats
