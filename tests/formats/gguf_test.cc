// SPDX-License-Identifier: Apache-2.0
// GGUF files, good and bad; messages are asserted whole.
#include "formats/gguf.h"

#include <gtest/gtest.h>

#include "formats/gguf_writer.h"

namespace vitalis::formats {
namespace {

Result<Gguf> parse(std::string_view file) {
  return parse_gguf(std::as_bytes(std::span(file)), "m.gguf");
}

std::string refusal(const std::string& file, Code code = Code::kMalformed) {
  const auto parsed = parse(file);
  EXPECT_FALSE(parsed.ok());
  EXPECT_EQ(parsed.status().code(), code);
  return parsed.status().message();
}

GgufWriter small() {
  GgufWriter writer;
  writer.add("a.number", 7U);
  writer.add("a.text", std::string_view("words"));
  writer.add_strings("a.list", {"x", "", "yz"});
  writer.tensors = {{"t", {2, 3}, 0, std::string(24, 't')},
                    {"u", {64}, 8, std::string(68, 'u')},
                    {"v", {2, 2, 32}, 39, std::string(68, 'v')}};
  return writer;
}

TEST(Gguf, ReadsMetadataAndTensorsOfBothVersions) {
  for (const uint32_t version : {2U, 3U}) {
    GgufWriter writer = small();
    writer.version = version;
    const std::string file = writer.file();
    const auto parsed = parse(file);
    ASSERT_TRUE(parsed.ok()) << parsed.status().message();
    EXPECT_EQ(parsed->version, version);
    EXPECT_EQ(parsed->find("a.number")->unsigned_integer(), 7U);
    EXPECT_EQ(parsed->find("a.text")->string(), "words");
    EXPECT_EQ(parsed->find("a.list")->strings(), std::vector<std::string_view>({"x", "", "yz"}));
    EXPECT_EQ(parsed->find("a.list")->string(), std::nullopt);
    EXPECT_EQ(parsed->find("none"), nullptr);
    ASSERT_EQ(parsed->tensors.size(), 3U);
    const TensorRange& v = parsed->tensors[2];
    EXPECT_EQ(v.name, "v");
    EXPECT_EQ(v.dtype, DType::kMxfp4);
    EXPECT_EQ(v.shape, std::vector<uint64_t>({2, 2, 32}));
    EXPECT_EQ(v.bytes, 68U);
    EXPECT_EQ(file.substr(v.offset, v.bytes), std::string(68, 'v'));
    EXPECT_EQ(v.offset % 32, 0U);
  }
}

TEST(Gguf, ReadsEveryTypeOfNumber) {
  GgufWriter writer;
  writer.put("u8", 0, GgufWriter::number(200, 1));
  writer.put("i8", 1, GgufWriter::number(static_cast<uint64_t>(-2), 1));
  writer.put("u16", 2, GgufWriter::number(65535, 2));
  writer.put("i16", 3, GgufWriter::number(300, 2));
  writer.put("i32", 5, GgufWriter::number(static_cast<uint64_t>(-1), 4));
  writer.add("f32", 1.5F);
  writer.put("bool", 7, std::string(1, '\1'));
  writer.put("badbool", 7, std::string(1, '\2'));
  writer.put("u64", 10, GgufWriter::number(UINT64_MAX, 8));
  writer.put("i64", 11, GgufWriter::number(5, 8));
  writer.put("f64", 12, GgufWriter::number(std::bit_cast<uint64_t>(0.1), 8));
  writer.put("list", 9,
             GgufWriter::number(5, 4) + GgufWriter::number(2, 8) + GgufWriter::number(1, 4) +
                 GgufWriter::number(0xFFFFFFFF, 4));
  const std::string file = writer.file();
  const auto parsed = parse(file);
  ASSERT_TRUE(parsed.ok()) << parsed.status().message();
  EXPECT_EQ(parsed->find("u8")->unsigned_integer(), 200U);
  EXPECT_EQ(parsed->find("i8")->unsigned_integer(), std::nullopt);
  EXPECT_EQ(parsed->find("u16")->number(), 65535.0);
  EXPECT_EQ(parsed->find("i16")->unsigned_integer(), 300U);
  EXPECT_EQ(parsed->find("i32")->unsigned_integer(), std::nullopt);
  EXPECT_EQ(parsed->find("f32")->number(), 1.5);
  EXPECT_EQ(parsed->find("f32")->unsigned_integer(), std::nullopt);
  EXPECT_EQ(parsed->find("bool")->flag(), true);
  EXPECT_EQ(parsed->find("badbool")->flag(), std::nullopt);
  EXPECT_EQ(parsed->find("u64")->unsigned_integer(), UINT64_MAX);
  EXPECT_EQ(parsed->find("i64")->unsigned_integer(), 5U);
  EXPECT_EQ(parsed->find("f64")->number(), 0.1);
  EXPECT_EQ(parsed->find("list")->integers(), std::vector<int32_t>({1, -1}));
  EXPECT_EQ(parsed->find("list")->unsigned_integer(), std::nullopt);
}

TEST(Gguf, HonoursAnotherAlignment) {
  GgufWriter writer = small();
  writer.alignment = 4096;
  const std::string file = writer.file();
  const auto parsed = parse(file);
  ASSERT_TRUE(parsed.ok()) << parsed.status().message();
  EXPECT_EQ(parsed->tensors[1].offset % 4096, 0U);
  for (const uint64_t alignment : {0ULL, 24ULL, 1ULL << 21}) {
    GgufWriter bad = small();
    bad.add("general.alignment", static_cast<uint32_t>(alignment));
    EXPECT_EQ(refusal(bad.file()),
              "m.gguf: metadata \"general.alignment\" should be a power of two up to 1048576");
  }
}

TEST(Gguf, RefusesOtherFilesAndVersions) {
  EXPECT_EQ(refusal("GGML1234"), "m.gguf: does not begin with \"GGUF\"");
  EXPECT_EQ(refusal(""), "m.gguf: does not begin with \"GGUF\"");
  EXPECT_EQ(refusal("GGUF\3"), "m.gguf: ends inside its header, after byte 4 of 5");
  GgufWriter first = small();
  first.version = 1;
  EXPECT_EQ(refusal(first.file(), Code::kUnsupported),
            "m.gguf: is GGUF version 1; supported: 2 and 3");
  GgufWriter swapped = small();
  swapped.version = 3U << 24;
  EXPECT_EQ(refusal(swapped.file(), Code::kUnsupported),
            "m.gguf: is big-endian; supported: little-endian");
}

TEST(Gguf, RefusesMetadataThatCannotBeFollowed) {
  GgufWriter twice = small();
  twice.add("a.number", 8U);
  EXPECT_EQ(refusal(twice.file()), "m.gguf: metadata \"a.number\" appears twice");
  GgufWriter unknown = small();
  unknown.put("odd", 13, "");
  EXPECT_EQ(refusal(unknown.file()), "m.gguf: metadata \"odd\" has values of the unknown type 13");
  GgufWriter nested = small();
  nested.put("deep", 9, GgufWriter::number(9, 4) + GgufWriter::number(1, 8));
  EXPECT_EQ(refusal(nested.file()), "m.gguf: metadata \"deep\" has values of the unknown type 9");
  for (const uint64_t count : {uint64_t{1} << 61, UINT64_MAX, uint64_t{1000}}) {
    GgufWriter endless;
    endless.put("list", 9, GgufWriter::number(10, 4) + GgufWriter::number(count, 8));
    EXPECT_TRUE(
        refusal(endless.file()).starts_with("m.gguf: ends inside metadata \"list\", after"));
    GgufWriter strings;
    strings.put("list", 9, GgufWriter::number(8, 4) + GgufWriter::number(count, 8));
    EXPECT_TRUE(
        refusal(strings.file()).starts_with("m.gguf: ends inside metadata \"list\", after"));
  }
}

TEST(Gguf, RefusesTensorsAndTellsAllAtOnce) {
  GgufWriter writer = small();
  writer.tensors[0].type = 12;
  writer.tensors[1].shape = {63};
  writer.tensors[2].name = "u";
  writer.tensors.push_back({"w", {uint64_t{1} << 40, uint64_t{1} << 40}, 0, ""});
  writer.tensors.push_back({"x", {1}, 99, ""});
  EXPECT_EQ(refusal(writer.file()),
            "m.gguf: 5 problems\n"
            "  m.gguf: tensor \"t\" is of ggml's type 12 (Q4_K); supported: F32, F16, BF16, Q8_0, "
            "MXFP4\n"
            "  m.gguf: tensor \"u\": Q8_0 [63] cuts a block or is more than 64 bits can count\n"
            "  m.gguf: tensor \"u\" appears twice\n"
            "  m.gguf: tensor \"w\": F32 [1099511627776, 1099511627776] cuts a block or is more "
            "than 64 bits can count\n"
            "  m.gguf: tensor \"x\" is of ggml's type 99 (unknown); supported: F32, F16, BF16, "
            "Q8_0, MXFP4");
  GgufWriter deep = small();
  deep.tensors[0].shape = {1, 1, 1, 1, 6};
  EXPECT_EQ(refusal(deep.file()), "m.gguf: tensor \"t\" has 5 dimensions; at most 4 are allowed");
}

TEST(Gguf, RefusesTensorsThatLieElsewhere) {
  const std::string good = small().file();
  // The offset of "u" is the last number before the description of "v".
  const size_t place = good.find(GgufWriter::string("v")) - 8;
  for (const uint64_t offset : {uint64_t{0}, uint64_t{33}, uint64_t{64}}) {
    std::string file = good;
    file.replace(place, 8, GgufWriter::number(offset, 8));
    EXPECT_NE(refusal(file).find("\"u\" begins at byte "), std::string::npos) << refusal(file);
  }
  std::string beyond = good;
  beyond.replace(place, 8, GgufWriter::number(UINT64_MAX - 100, 8));
  EXPECT_NE(refusal(beyond).find("tensor \"u\" takes 68 bytes from byte 18446744073709551515 of "
                                 "the data"),
            std::string::npos);
  EXPECT_EQ(
      refusal(good + std::string(32, '\0')),
      text("m.gguf: has ", good.size() + 32, " bytes, but its tensors end at byte ", good.size()));
}

TEST(Gguf, RefusesEveryTruncation) {
  const std::string good = small().file();
  const size_t data_end = good.find_last_of('v') + 1;
  for (size_t size = 0; size < data_end; ++size) {
    EXPECT_FALSE(parse(good.substr(0, size)).ok()) << size;
  }
  EXPECT_TRUE(parse(good.substr(0, data_end)).ok()) << "padding after the last tensor is optional";
}

}  // namespace
}  // namespace vitalis::formats
