// SPDX-License-Identifier: Apache-2.0
// Headers, good and bad. Every message is asserted whole: it must name file, tensor, what was
// expected and what was found.
#include "formats/safetensors.h"

#include <gtest/gtest.h>

namespace vitalis::formats {
namespace {

std::string file_of(std::string_view header, size_t data_bytes) {
  std::string out;
  for (int byte = 0; byte < 8; ++byte) out += static_cast<char>(header.size() >> 8 * byte);
  return out + std::string(header) + std::string(data_bytes, 'd');
}

Result<Safetensors> parse(std::string_view file) {
  return parse_safetensors(std::as_bytes(std::span(file)), "m.safetensors");
}

std::string message(std::string_view header, size_t data_bytes) {
  const auto parsed = parse(file_of(header, data_bytes));
  EXPECT_FALSE(parsed.ok()) << header;
  return parsed.ok() ? "" : parsed.status().message();
}

TEST(Safetensors, ReadsTensorsInTheOrderOfTheirBytes) {
  const std::string_view header =
      R"({"b":{"dtype":"F32","shape":[],"data_offsets":[12,16]},"__metadata__":{"first_row":"3"},)"
      R"("a":{"dtype":"BF16","shape":[2,3],"data_offsets":[0,12]},)"
      R"("none":{"dtype":"U8","shape":[4,0],"data_offsets":[16,16]}}   )";
  const auto parsed = parse(file_of(header, 16));
  ASSERT_TRUE(parsed.ok()) << parsed.status().message();
  ASSERT_EQ(parsed->tensors.size(), 3U);
  const TensorRange& a = parsed->tensors[0];
  EXPECT_EQ(a.name, "a");
  EXPECT_EQ(a.dtype, DType::kBf16);
  EXPECT_EQ(a.shape, std::vector<uint64_t>({2, 3}));
  EXPECT_EQ(a.offset, 8 + header.size());
  EXPECT_EQ(a.bytes, 12U);
  EXPECT_EQ(parsed->tensors[1].name, "b");
  EXPECT_EQ(parsed->tensors[1].bytes, 4U);
  EXPECT_EQ(parsed->tensors[2].bytes, 0U);
  ASSERT_EQ(parsed->metadata.size(), 1U);
  EXPECT_EQ(parsed->metadata[0], std::make_pair(std::string("first_row"), std::string("3")));
}

TEST(Safetensors, KnowsEveryTypeByItsName) {
  for (const auto& [name, bytes] : std::vector<std::pair<std::string, int>>{{"BOOL", 1},
                                                                            {"U8", 1},
                                                                            {"I8", 1},
                                                                            {"F8_E4M3", 1},
                                                                            {"F8_E5M2", 1},
                                                                            {"F8_E8M0", 1},
                                                                            {"U16", 2},
                                                                            {"I16", 2},
                                                                            {"F16", 2},
                                                                            {"BF16", 2},
                                                                            {"U32", 4},
                                                                            {"I32", 4},
                                                                            {"F32", 4},
                                                                            {"U64", 8},
                                                                            {"I64", 8},
                                                                            {"F64", 8}}) {
    const auto parsed = parse(file_of(
        text(R"({"t":{"dtype":")", name, R"(","shape":[3],"data_offsets":[0,)", 3 * bytes, "]}}"),
        3 * bytes));
    ASSERT_TRUE(parsed.ok()) << parsed.status().message();
    EXPECT_EQ(info(parsed->tensors[0].dtype).name, name);
  }
}

TEST(Safetensors, RefusesFilesWithoutRoomForTheirHeader) {
  EXPECT_EQ(parse("").status().message(),
            "m.safetensors: has 0 bytes; a safetensors file begins with the 8 bytes of its "
            "header's length");
  EXPECT_EQ(parse("1234567").status().code(), Code::kMalformed);
  EXPECT_EQ(parse(file_of("{}", 0).substr(0, 9)).status().message(),
            "m.safetensors: the header should have 2 bytes, but only 1 follow its length");
  EXPECT_EQ(parse(std::string(16, '\xFF')).status().message(),
            "m.safetensors: the header should have 18446744073709551615 bytes, but only 8 follow "
            "its length");
  const auto large = parse(file_of(std::string(100'000'001, ' '), 0));
  EXPECT_EQ(large.status().code(), Code::kUnsupported);
  EXPECT_EQ(large.status().message(),
            "m.safetensors: the header has 100000001 bytes; at most 100000000 are allowed");
}

TEST(Safetensors, RefusesHeadersThatAreNotJsonObjects) {
  for (const std::string_view header :
       {"", "  ", "{", "[1]x", R"({"a":})", "{\"\xFF\":{}}", R"({"a":1e999})", "\xEF\xBB\xBF{}"}) {
    EXPECT_TRUE(message(header, 0).starts_with("m.safetensors: header: not valid JSON: "))
        << header;
  }
  EXPECT_EQ(message("[]", 0), "m.safetensors: header: expected a JSON object, found an array");
  EXPECT_EQ(message("7", 0), "m.safetensors: header: expected a JSON object, found an integer");
  EXPECT_TRUE(message(std::string(5000, '[') + std::string(5000, ']'), 0).find("JSON") !=
              std::string::npos);
}

TEST(Safetensors, RefusesEntriesThatDescribeNoTensor) {
  const std::string_view shape = R"(m.safetensors: tensor "t": expected dtype, shape and )"
                                 R"(data_offsets once each, with unsigned numbers and two offsets)";
  for (const std::string_view entry :
       {R"({"dtype":"U8","shape":[1]})", R"({"dtype":"U8","data_offsets":[0,1]})",
        R"({"shape":[1],"data_offsets":[0,1]})",
        R"({"dtype":"U8","shape":[1],"data_offsets":[0,1],"shape":[1]})",
        R"({"dtype":"U8","shape":1,"data_offsets":[0,1]})",
        R"({"dtype":"U8","shape":[1.0],"data_offsets":[0,1]})",
        R"({"dtype":"U8","shape":[-1],"data_offsets":[0,1]})",
        R"({"dtype":"U8","shape":["1"],"data_offsets":[0,1]})",
        R"({"dtype":"U8","shape":[1],"data_offsets":[0,1,2]})",
        R"({"dtype":"U8","shape":[1],"data_offsets":[-1,1]})",
        R"({"dtype":"U8","shape":[1],"data_offsets":null})"}) {
    EXPECT_EQ(message(text(R"({"t":)", entry, "}"), 1), shape) << entry;
  }
  EXPECT_EQ(message(R"({"t":[]})", 0),
            R"(m.safetensors: tensor "t": expected an object, found an array)");
  EXPECT_EQ(message(R"({"t":{"dtype":"Q4","shape":[1],"data_offsets":[0,1]}})", 1),
            R"(m.safetensors: tensor "t": unknown dtype "Q4")");
  EXPECT_EQ(message(R"({"t":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"strides":[1]}})", 1),
            R"(m.safetensors: tensor "t": unknown field "strides")");
  EXPECT_EQ(message(R"({"__metadata__":[]})", 0),
            "m.safetensors: __metadata__ should be an object, found an array");
  EXPECT_EQ(message(R"({"__metadata__":{"a":1}})", 0),
            R"(m.safetensors: __metadata__ "a" should be a string, found an integer)");
  EXPECT_EQ(message(R"({"__metadata__":{},"__metadata__":{}})", 0),
            "m.safetensors: __metadata__ appears twice");
}

TEST(Safetensors, RefusesRangesThatDoNotFit) {
  EXPECT_EQ(message(R"({"t":{"dtype":"BF16","shape":[4],"data_offsets":[0,8]}})", 7),
            R"(m.safetensors: tensor "t": ends at byte 8 of the data, but the file has only 7 )"
            "(truncated?)");
  EXPECT_EQ(message(R"({"t":{"dtype":"BF16","shape":[4],"data_offsets":[8,0]}})", 8),
            R"(m.safetensors: tensor "t": begins at byte 8 of the data and ends at 0)");
  EXPECT_EQ(message(R"({"t":{"dtype":"BF16","shape":[5],"data_offsets":[0,8]}})", 8),
            R"(m.safetensors: tensor "t": BF16 [5] takes 10 bytes, but its range holds 8)");
  // 2^32 · 2^32 elements would come out as 0 bytes.
  EXPECT_EQ(
      message(R"({"t":{"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,0]}})", 0),
      R"(m.safetensors: tensor "t": U8 [4294967296, 4294967296] is more than 64 bits can )"
      "count");
  EXPECT_EQ(
      message(R"({"t":{"dtype":"F64","shape":[2305843009213693952],"data_offsets":[0,0]}})", 0),
      R"(m.safetensors: tensor "t": F64 [2305843009213693952] is more than 64 bits can count)");
}

TEST(Safetensors, RefusesOverlapsGapsAndRepetition) {
  const auto two = [](std::string_view first, std::string_view second) {
    return text(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":)", first,
                R"(},"b":{"dtype":"U8","shape":[4],"data_offsets":)", second, "}}");
  };
  EXPECT_EQ(message(two("[0,4]", "[3,7]"), 7),
            R"(m.safetensors: tensor "b": overlaps "a" by 1 bytes)");
  EXPECT_EQ(message(two("[0,4]", "[0,4]"), 4),
            R"(m.safetensors: tensor "b": overlaps "a" by 4 bytes)");
  EXPECT_EQ(message(two("[0,4]", "[5,9]"), 9),
            R"(m.safetensors: tensor "b": follows a gap of 1 bytes that belong to no tensor)");
  EXPECT_EQ(message(two("[1,5]", "[5,9]"), 9),
            R"(m.safetensors: tensor "a": follows a gap of 1 bytes that belong to no tensor)");
  const std::string whole = two("[0,4]", "[4,8]");
  EXPECT_EQ(message(whole, 9), text("m.safetensors: has ", 8 + whole.size() + 9,
                                    " bytes, but its tensors end at byte ", 8 + whole.size() + 8));
  EXPECT_EQ(message(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},)"
                    R"("a":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}})",
                    8),
            R"(m.safetensors: tensor "a" appears twice)");
}

TEST(Safetensors, TellsEverythingAtOnceAndNamesSafely) {
  EXPECT_EQ(message(R"({"a":{"dtype":"Q4","shape":[1],"data_offsets":[0,1]},"b":3,)"
                    R"("line\nbreak":{"dtype":"U8","shape":[1],"data_offsets":[0,9]}})",
                    1),
            "m.safetensors: 3 problems\n"
            "  m.safetensors: tensor \"a\": unknown dtype \"Q4\"\n"
            "  m.safetensors: tensor \"b\": expected an object, found an integer\n"
            "  m.safetensors: tensor \"line?break\": ends at byte 9 of the data, but the file has "
            "only 1 (truncated?)");
  std::string many = "{";
  for (int i = 0; i < 5000; ++i) many += text(i ? "," : "", '"', i, "\":0");
  const std::string told = message(many + "}", 0);
  EXPECT_TRUE(told.starts_with("m.safetensors: 5000 problems\n"));
  EXPECT_TRUE(told.ends_with("\n  and 4000 more"));
}

TEST(SafetensorsIndex, MapsTensorsToFiles) {
  const auto index = parse_safetensors_index(
      R"({"metadata":{"total_size":1},"weight_map":{"b":"2.safetensors","a":"1.safetensors"}})",
      "i.json");
  ASSERT_TRUE(index.ok()) << index.status().message();
  EXPECT_EQ(*index, SafetensorsIndex({{"a", "1.safetensors"}, {"b", "2.safetensors"}}));
}

TEST(SafetensorsIndex, RefusesWhatIsNoIndex) {
  const auto refusal = [](std::string_view json) {
    const auto index = parse_safetensors_index(json, "i.json");
    EXPECT_FALSE(index.ok()) << json;
    return index.ok() ? "" : index.status().message();
  };
  EXPECT_TRUE(refusal("{").starts_with("i.json: not valid JSON: "));
  EXPECT_EQ(refusal("{}"), R"(i.json: expected an object "weight_map")");
  EXPECT_EQ(refusal(R"({"weight_map":[]})"), R"(i.json: expected an object "weight_map")");
  EXPECT_EQ(refusal(R"({"weight_map":{}})"), "i.json: names no tensor");
  EXPECT_EQ(refusal(R"({"weight_map":{"a":"x","a":"x"}})"), R"(i.json: tensor "a" appears twice)");
  for (const std::string_view name :
       {R"("../x")", R"("/etc/passwd")", R"("..")", R"("")", R"("a\\b")", R"("a\u0000")", "3"}) {
    EXPECT_EQ(refusal(text(R"({"weight_map":{"a":)", name, "}}")),
              text(R"(i.json: tensor "a" is in )", name,
                   "; expected the name of a file in the same folder"));
  }
}

}  // namespace
}  // namespace vitalis::formats
