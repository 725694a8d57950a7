// SPDX-License-Identifier: Apache-2.0
// Each keyword: texts that its grammar has, texts that it has not, schemas that are refused.
#include <vector>

#include "harmony/grammar/held.h"

namespace vitalis::harmony::grammar {
namespace {

struct Case {
  const char* schema;
  std::vector<const char*> good, bad;
};

void check(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    for (const char* text : c.good) EXPECT_TRUE(holds(c.schema, text)) << c.schema << "\n" << text;
    for (const char* text : c.bad) EXPECT_FALSE(holds(c.schema, text)) << c.schema << "\n" << text;
  }
}

TEST(SchemaGrammar, Types) {
  check({
      {R"({"type":"null"})", {"null"}, {"nul", "nulll", "true", "\"null\""}},
      {R"({"type":"boolean"})", {"true", "false"}, {"null", "1", "tru"}},
      {R"({"type":"integer"})",
       {"0", "-1", "7", "123456789012345", "-99"},
       {"01", "1.0", "1e3", "+1", "-", "-0", "", "1234567890123456"}},
      {R"({"type":"number"})",
       {"0", "-0.5", "1.25", "1e9", "1.5E-07", "10", "0.0"},
       {"1.", ".5", "1e", "1e123", "--1", "0x1", "1.12345678901"}},
      {R"({"type":"string"})",
       {R"("")", R"("a")", R"("\"\\\/\b\f\n\r\t")", R"("\u00e9\ud83d\ude00")",
        "\"\xC3\xA9\xF0\x9F\x98\x80\""},
       {R"(")", R"("a)", R"("\x")", R"("\u12g4")", R"("\ud83d")", R"("\ud83dx")", "\"\n\"",
        "\"\xC3\"", "\"\xC0\x80\"", "\"\xED\xA0\x80\"", "\"\xF4\x90\x80\x80\"", R"("\udc00")",
        "\"a\"b"}},
      {R"({"type":["string","null"]})", {R"("x")", "null"}, {"1", "true"}},
      {R"({"type":["integer","number"]})", {"1", "1.5"}, {"\"1\""}},
      {R"({"type":"string","nullable":true})", {"null", "\"\""}, {"0"}},
      {"{}",
       {"null", "[1,{\"a\":[]}]", "{\"a\":{\"b\":\"c\"}}", "-1.5e3", "\"x\""},
       {"", "[,]", "{a:1}"}},
      {"true", {"null", "[]"}, {"]"}},
  });
}

TEST(SchemaGrammar, Values) {
  check({
      {R"({"enum":["red","green",1,null,{"a":[1,2]}]})",
       {R"("red")", R"("green")", "1", "null", R"({"a":[1,2]})"},
       {R"("blue")", "2", "\"re\"", R"({"a":[1]})"}},
      {R"({"const":"a\"b\nc"})", {R"("a\"b\nc")"}, {R"("a")"}},
      {R"({"type":"string","enum":["a",1,null]})", {R"("a")"}, {"1", "null"}},
      {R"({"enum":[1,5,9],"minimum":4,"maximum":8})", {"5"}, {"1", "9"}},
      {R"({"enum":["x","yy","zzz"],"minLength":2,"pattern":"^.y"})",
       {R"("yy")"},
       {R"("x")", R"("zzz")"}},
      {R"({"enum":[{"a":1},{"a":"b"}],"properties":{"a":{"type":"string"}}})",
       {R"({"a":"b"})"},
       {R"({"a":1})"}},
      {R"({"allOf":[{"enum":[1,2,3]},{"enum":[2.0,3,4]}]})", {"2", "3"}, {"1", "4"}},
  });
}

TEST(SchemaGrammar, Bounds) {
  check({
      {R"({"type":"integer","minimum":0})", {"0", "5", "123456"}, {"-1", "00"}},
      {R"({"type":"integer","minimum":-5,"maximum":12})",
       {"-5", "-1", "0", "9", "10", "12"},
       {"-6", "13", "20", "-10", "100"}},
      {R"({"type":"integer","exclusiveMinimum":9,"exclusiveMaximum":101})",
       {"10", "99", "100"},
       {"9", "101", "1000", "-10"}},
      {R"({"type":"integer","minimum":1.5,"maximum":3.5})", {"2", "3"}, {"1", "4"}},
      {R"({"type":"integer","minimum":-3.5,"maximum":-1.5})", {"-3", "-2"}, {"-4", "-1", "0", "2"}},
      {R"({"type":"integer","minimum":98,"maximum":9223372036854775807})",
       {"98", "9223372036854775807", "1000"},
       {"97", "9223372036854775808"}},
      {R"({"type":"integer","minimum":1000000000000000000})",
       {"1000000000000000000", "9999999999999999999"},
       {"999999999999999999"}},
      {R"({"type":"integer","maximum":-1000})", {"-1000", "-99999"}, {"-999", "0", "5"}},
      {R"({"type":"number","minimum":0,"maximum":1})",
       {"0", "1", "0.5", "1.0", "0.0", "0.999"},
       {"1.1", "-0.1", "1.01", "2", "1e0"}},
      {R"({"type":"number","exclusiveMinimum":0,"exclusiveMaximum":1})",
       {"0.1", "0.999", "0.0001"},
       {"0", "0.0", "1", "1.0", "0.00"}},
      {R"({"type":"number","minimum":-2.25,"maximum":3.75})",
       {"-2.25", "-2.250", "3.75", "3.7", "0", "-1.99"},
       {"-2.26", "3.76", "-3", "4", "3.751"}},
      {R"({"type":"number","minimum":1e2,"maximum":1.5e2})",
       {"100", "150", "149.9"},
       {"99.9", "150.1", "1e2"}},
      {R"({"type":"number","exclusiveMinimum":true,"minimum":2})", {"2.1", "3"}, {"2", "2.0"}},
      {R"({"type":"integer","multipleOf":7,"minimum":1,"maximum":50})",
       {"7", "49"},
       {"0", "8", "56"}},
      {R"({"type":"integer","multipleOf":5})", {"0", "-10", "15"}, {"7", "-3"}},
      {R"({"type":"number","multipleOf":0.01})", {"1.25", "3", "0.1"}, {"1.255", "1e2"}},
      {R"({"type":"integer","multipleOf":4,"allOf":[{"minimum":9},{"maximum":13}]})",
       {"12"},
       {"8", "16"}},
  });
}

TEST(SchemaGrammar, Strings) {
  check({
      {R"({"type":"string","minLength":2,"maxLength":3})",
       {R"("ab")", R"("abc")", "\"\xC3\xA9\xC3\xA9\"", R"("\n\n")", R"("\ud83d\ude00x")"},
       {R"("a")", R"("abcd")", "\"\xC3\xA9\"", R"("")"}},
      {R"({"type":"string","maxLength":0})", {R"("")"}, {R"("a")"}},
      {R"({"type":"string","pattern":"^[a-c]+$"})",
       {R"("abc")"},
       {R"("")", R"("abd")", R"("ABC")"}},
      {R"({"type":"string","pattern":"b"})", {R"("b")", R"("abc")"}, {R"("")", R"("ac")"}},
      {R"({"type":"string","pattern":"^a|b$"})", {R"("ax")", R"("xb")"}, {R"("xa")", R"("bx")"}},
      {R"({"type":"string","pattern":"^(\\d{3}-)?\\d{4}$"})",
       {R"("1234")", R"("123-4567")"},
       {R"("123")"}},
      {R"({"type":"string","pattern":"^\\S+ \\w*$"})", {R"("a b")", "\"\xC3\xA9 \""}, {R"("ab")"}},
      {R"({"type":"string","pattern":"^[^a-z]$"})",
       {R"("A")", "\"\xF0\x9F\x98\x80\"", R"("\n")", R"("\"")"},
       {R"("a")", R"("AB")"}},
      {R"({"type":"string","pattern":"^[\\u00e0-\\u00ff]{2}$"})",
       {"\"\xC3\xA9\xC3\xA0\""},
       {R"("ab")", "\"\xC3\xA9\""}},
      {R"({"type":"string","pattern":"^.$"})", {R"("a")", R"("\\")"}, {R"("\n")"}},
      {R"({"type":"string","pattern":"^x{2,}$","maxLength":4})",
       {R"("xx")", R"("xxxx")"},
       {R"("x")", R"("xxxxx")"}},
      {R"({"type":"string","pattern":"^(a|b)*$","minLength":2,"maxLength":3})",
       {R"("ab")", R"("bbb")"},
       {R"("a")", R"("abab")"}},
      {R"({"type":"string","allOf":[{"pattern":"^a"},{"pattern":"z$"}]})",
       {R"("az")", R"("abcz")"},
       {R"("a")", R"("z")"}},
      {R"({"type":"string","pattern":"a{x}"})", {R"("a{x}")"}, {R"("a")"}},
      {R"({"type":"string","format":"date"})",
       {R"("2024-02-29")", R"("1999-12-31")", R"("2023-04-30")"},
       {R"("2023-02-29")", R"("2023-13-01")", R"("2023-04-31")", R"("1900-02-29")"}},
      {R"({"type":"string","format":"date-time"})",
       {R"("2024-01-02T03:04:05Z")", R"("2024-01-02T03:04:05.678+02:00")"},
       {R"("2024-01-02 03:04:05")"}},
      {R"({"type":"string","format":"time"})", {R"("23:59:59Z")"}, {R"("24:00:00Z")"}},
      {R"({"type":"string","format":"uuid"})",
       {R"("123e4567-e89b-12d3-a456-426614174000")"},
       {R"("123e4567")"}},
      {R"({"type":"string","format":"email"})",
       {R"("a.b+c@example.com")"},
       {R"("a@")", R"("@b")", R"("a b@c.d")"}},
      {R"({"type":"string","format":"ipv4"})",
       {R"("192.168.0.1")"},
       {R"("256.1.1.1")", R"("1.2.3")"}},
      {R"({"type":"string","format":"ipv6"})", {R"("2001:db8:0:0:0:0:0:1")"}, {R"("1.2.3.4")"}},
      {R"({"type":"string","format":"hostname"})", {R"("a.example.com")"}, {R"("-a.com")"}},
      {R"({"type":"string","format":"uri"})",
       {R"("https://example.com/a?b=c#d")"},
       {R"("example")"}},
      {R"({"type":"string","format":"duration"})",
       {R"("P3D")", R"("PT5S")"},
       {R"("3D")", R"("P")"}},
      {R"({"type":"string","format":"of our own"})", {R"("anything")"}, {"1"}},
  });
}

TEST(SchemaGrammar, Arrays) {
  check({
      {R"({"type":"array","items":{"type":"integer"}})",
       {"[]", "[1]", "[1,2]", "[1, 2]", "[\n  1,\n  2\n]"},
       {"[,]", "[1,]", "[1 ,2]", "[\"a\"]", "[1,  2]"}},
      {R"({"type":"array","minItems":2,"maxItems":3,"items":{"type":"boolean"}})",
       {"[true,false]", "[true,true,true]"},
       {"[]", "[true]", "[true,true,true,true]"}},
      {R"({"type":"array","maxItems":0})", {"[]"}, {"[1]"}},
      {R"({"type":"array","maxItems":1})", {"[]", "[{}]"}, {"[1,2]"}},
      {R"({"type":"array","prefixItems":[{"const":1},{"const":2}]})",
       {"[]", "[1]", "[1,2]"},
       {"[2]", "[1,2,3]"}},
      {R"({"type":"array","prefixItems":[{"const":1}],"items":{"const":"x"},"minItems":2,"maxItems":4})",
       {R"([1,"x"])", R"([1,"x","x","x"])"},
       {"[1]", R"(["x","x"])", R"([1,"x","x","x","x"])"}},
      {R"({"type":"array","items":[{"const":1}],"additionalItems":{"const":2}})",
       {"[1,2,2]"},
       {"[1,1]"}},
      {R"({"type":"array","items":false})", {"[]"}, {"[1]"}},
      {R"({"type":"array","items":{"type":"array","items":{"const":0}}})",
       {"[[],[0,0]]"},
       {"[0]", "[[1]]"}},
      {R"({"type":"array","items":{"enum":["a"]},"uniqueItems":false})", {R"(["a","a"])"}, {"[1]"}},
      {R"({"type":"array","maxItems":1,"uniqueItems":true})", {"[1]"}, {"[1,1]"}},
  });
}

TEST(SchemaGrammar, Objects) {
  const char* person =
      R"({"type":"object","properties":{"name":{"type":"string"},"age":{"type":"integer"},"vip":{"const":true}},"required":["name"]})";
  check({
      {person,
       {R"({"name":"A"})", R"({"name":"A","age":3})", R"({"name": "A", "vip": true})",
        "{\n  \"name\": \"A\",\n  \"age\": 3\n}", R"({ "name": "A" })",
        R"({"name":"A","age":1,"vip":true})"},
       {"{}", R"({"age":3})", R"({"name":"A","other":1})", R"({"age":3,"name":"A"})",
        R"({"name":"A",})", R"({"name":"A","name":"B"})", R"({"name" :"A"})", R"({,"name":"A"})"}},
      {R"({"type":"object"})", {"{}", R"({"a":1,"b":[{}]})"}, {"[]", R"({"a"})"}},
      {R"({"type":"object","additionalProperties":{"type":"integer"}})",
       {"{}", R"({"x":1,"y":2})"},
       {R"({"x":"1"})"}},
      {R"({"type":"object","additionalProperties":false})", {"{}"}, {R"({"a":1})"}},
      {R"({"type":"object","properties":{"a":{"const":1}},"additionalProperties":{"const":2}})",
       {R"({"a":1})", R"({"b":2})", R"({"a":1,"b":2,"aa":2})", R"({"":2})"},
       {R"({"a":2})", R"({"b":1})", R"({"b":2,"a":2})", R"({"\u0061":2})"}},
      {R"({"type":"object","properties":{"a":{}},"required":["a","b"],"additionalProperties":{"const":2}})",
       {R"({"a":null,"b":2})"},
       {R"({"a":1})", R"({"a":1,"b":1})", R"({"a":1,"b":2,"b":1})"}},
      {R"({"required":["x"],"type":"object"})",
       {R"({"x":1})", R"({"x":[],"y":2})"},
       {"{}", R"({"y":1})"}},
      {R"({"type":"object","properties":{"a":{},"b":{},"c":{}},"minProperties":2})",
       {R"({"a":1,"b":1})", R"({"b":1,"c":1})", R"({"a":1,"b":1,"c":1})"},
       {"{}", R"({"a":1})", R"({"c":1})"}},
      {R"({"type":"object","properties":{"a":{},"b":{},"c":{}},"maxProperties":1})",
       {"{}", R"({"a":1})", R"({"c":1})"},
       {R"({"a":1,"b":1})"}},
      {R"({"type":"object","properties":{"a":{}},"required":["a"],"additionalProperties":{"const":1},"maxProperties":3})",
       {R"({"a":0})", R"({"a":0,"x":1,"y":1})"},
       {R"({"a":0,"x":1,"y":1,"z":1})", "{}"}},
      {R"({"type":"object","additionalProperties":{"const":1},"minProperties":1,"maxProperties":2})",
       {R"({"x":1})", R"({"x":1,"y":1})"},
       {"{}", R"({"x":1,"y":1,"z":1})"}},
      {R"({"type":"object","patternProperties":{"^s_":{"type":"string"},"^n_":{"type":"number"}},"additionalProperties":false})",
       {"{}", R"({"s_a":"x","n_b":1})"},
       {R"({"s_a":1})", R"({"x":1})"}},
      {R"({"type":"object","properties":{"s_own":{"minLength":2}},"patternProperties":{"^s_":{"type":"string"}},"additionalProperties":{"const":0}})",
       {R"({"s_own":"xx","s_b":"","z":0})"},
       {R"({"s_own":"x"})", R"({"s_own":11})", R"({"z":1})"}},
      {R"({"type":"object","propertyNames":{"pattern":"^[a-z]+$","maxLength":3}})",
       {R"({"abc":1})"},
       {R"({"abcd":1})", R"({"A":1})"}},
      {R"({"type":"object","properties":{"ok":{},"Bad":{}},"propertyNames":{"pattern":"^[a-z]+$"}})",
       {R"({"ok":1})", "{}"},
       {R"({"Bad":1})"}},
      {R"({"type":"object","properties":{"a":false,"b":{}}})",
       {"{}", R"({"b":1})"},
       {R"({"a":1})"}},
      {R"({"type":"object","properties":{"a":{},"b":{},"c":{}},"dependentRequired":{"a":["b"]}})",
       {"{}", R"({"b":1})", R"({"a":1,"b":1})", R"({"c":1})"},
       {R"({"a":1})", R"({"a":1,"c":1})"}},
      {R"({"type":"object","properties":{"a\"b\\\n":{"const":1}}})",
       {R"({"a\"b\\\n":1})"},
       {R"({"a":1})"}},
      {R"({"properties":{"a":{"type":"integer"}},"unevaluatedProperties":false,"type":"object"})",
       {R"({"a":1})"},
       {R"({"b":1})"}},
  });
}

TEST(SchemaGrammar, Combinators) {
  check({
      {R"({"anyOf":[{"type":"string"},{"type":"integer","minimum":5}]})",
       {R"("a")", "5"},
       {"4", "null"}},
      {R"({"anyOf":[{"type":"object","properties":{"a":{"const":1}},"required":["a"]},{"type":"object","properties":{"a":{"const":2},"b":{}},"required":["a","b"]}]})",
       {R"({"a":1})", R"({"a":2,"b":0})"},
       {R"({"a":2})", R"({"a":1,"b":0})"}},
      {R"({"type":"object","properties":{"a":{},"b":{}},"anyOf":[{"required":["a"]},{"required":["b"]}]})",
       {R"({"a":1})", R"({"b":1})", R"({"a":1,"b":1})"},
       {"{}"}},
      {R"({"oneOf":[{"type":"string"},{"type":"null"}]})", {"null", R"("")"}, {"0"}},
      {R"({"oneOf":[{"type":"integer","maximum":3},{"type":"integer","minimum":4}]})",
       {"3", "4"},
       {"\"3\""}},
      {R"({"oneOf":[{"type":"string","pattern":"^a"},{"type":"string","pattern":"^b"}]})",
       {R"("ax")", R"("b")"},
       {R"("c")"}},
      {R"({"oneOf":[{"type":"object","properties":{"kind":{"const":"x"},"v":{"type":"integer"}},"required":["kind","v"]},
                    {"type":"object","properties":{"kind":{"const":"y"},"v":{"type":"string"}},"required":["kind","v"]}]})",
       {R"({"kind":"x","v":1})", R"({"kind":"y","v":"1"})"},
       {R"({"kind":"x","v":"1"})", R"({"v":1})"}},
      {R"({"oneOf":[{"enum":[1,2]},{"enum":[3]}]})", {"1", "3"}, {"4"}},
      {R"({"allOf":[{"type":"object","properties":{"a":{"type":"integer"}},"required":["a"]},{"properties":{"b":{"type":"string"},"a":{"minimum":2}},"required":["b"]}]})",
       {R"({"a":2,"b":""})"},
       {R"({"a":1,"b":""})", R"({"a":2})"}},
      {R"({"allOf":[{"properties":{"a":{}},"additionalProperties":false},{"properties":{"b":{}}}],"type":"object"})",
       {"{}", R"({"a":1})"},
       {R"({"b":1})"}},
      {R"({"allOf":[{"anyOf":[{"type":"string"},{"type":"integer"}]},{"anyOf":[{"type":"integer"},{"type":"null"}]}]})",
       {"1"},
       {"null", "\"\""}},
      {R"({"allOf":[{"maxItems":2},{"minItems":1}],"type":"array","items":{"const":0}})",
       {"[0]", "[0,0]"},
       {"[]", "[0,0,0]"}},
  });
}

TEST(SchemaGrammar, References) {
  check({
      {R"({"$defs":{"id":{"type":"integer","minimum":1}},"type":"object","properties":{"id":{"$ref":"#/$defs/id"}},"required":["id"]})",
       {R"({"id":1})"},
       {R"({"id":0})"}},
      {R"({"type":"object","properties":{"value":{"type":"integer"},"next":{"anyOf":[{"$ref":"#"},{"type":"null"}]}},"required":["value","next"]})",
       {R"({"value":1,"next":null})", R"({"value":1,"next":{"value":2,"next":null}})"},
       {R"({"value":1,"next":{"value":2}})"}},
      {R"({"definitions":{"tree":{"type":"array","items":{"$ref":"#/definitions/tree"}}},"$ref":"#/definitions/tree"})",
       {"[]", "[[],[[]]]"},
       {"[1]"}},
      {R"({"$defs":{"a/b":{"const":1},"c~d":{"const":2}},"anyOf":[{"$ref":"#/$defs/a~1b"},{"$ref":"#/$defs/c~0d"}]})",
       {"1", "2"},
       {"3"}},
      {R"({"$defs":{"n":{"type":"integer"}},"$ref":"#/$defs/n","minimum":3})", {"3"}, {"2"}},
      {R"({"type":"array","prefixItems":[{"const":"x"}],"items":{"$ref":"#/prefixItems/0"}})",
       {R"(["x","x"])"},
       {R"(["y"])"}},
  });
}

TEST(SchemaGrammar, RefusesWhatItCannotHoldByKeywordAndPath) {
  const std::vector<std::pair<const char*, const char*>> cases = {
      {R"({"properties":{"a":{"not":{"type":"null"}}}})",
       "schema/properties/a/not: this keyword cannot be held"},
      {R"({"if":{},"then":{}})", "schema/if: "},
      {R"({"type":"array","contains":{"const":1}})", "schema/contains: "},
      {R"({"type":"array","uniqueItems":true})", "schema/uniqueItems: "},
      {R"({"dependentSchemas":{"a":{}}})", "schema/dependentSchemas: "},
      {R"({"$ref":"https://example.com/x"})", "schema/$ref: "},
      {R"({"$ref":"#/$defs/none"})", "there is no such place"},
      {R"({"$ref":"#"})", "refers to itself"},
      {R"({"$defs":{"a":{"$ref":"#/$defs/b"},"b":{"anyOf":[{"$ref":"#/$defs/a"},{"type":"null"}]}},"$ref":"#/$defs/a"})",
       "refers to itself"},
      {R"({"oneOf":[{"type":"integer"},{"type":"number"}]})",
       "schema/oneOf: a value may fit the branches 0 and 1 at once"},
      {R"x({"pattern":"(?=a)"})x", "schema/pattern: the pattern has a look-ahead"},
      {R"x({"pattern":"(a)\\1"})x", "a back reference"},
      {R"x({"pattern":"(a"})x", "a ( without its )"},
      {R"({"pattern":"[b-a]"})", "a range out of order"},
      {R"({"type":"strnig"})", "schema/type: expected null, boolean"},
      {R"({"minLength":"3"})", "schema/minLength: expected a whole number"},
      {R"({"minimum":"3"})", "schema/minimum: expected a number"},
      {R"({"enum":3})", "schema/enum: expected an array"},
      {R"({"anyOf":[]})", "schema/anyOf: expected an array of schemas"},
      {R"({"properties":[]})", "schema/properties: expected an object"},
      {R"({"properties":{"a":3}})", "schema/properties/a: expected a schema"},
      {R"({"type":"object","minProperties":2})", "minProperties"},
      {R"({"type":"number","multipleOf":0.3})", "multipleOf"},
      {R"({"type":"object","patternProperties":{"a":{},"b":{}}})",
       "patternProperties that share names"},
  };
  for (const auto& [schema, part] : cases) {
    const std::string message = refusal(schema);
    EXPECT_NE(message.find(part), std::string::npos) << schema << "\n" << message;
  }
}

TEST(SchemaGrammar, RefusesWhatNothingSatisfies) {
  for (
      const char* schema :
      {"false", R"({"type":"integer","minimum":3,"maximum":2})", R"({"enum":[]})",
       R"({"type":"string","minLength":3,"maxLength":2})",
       R"({"type":"array","minItems":2,"maxItems":1})",
       R"({"type":"object","properties":{"a":false},"required":["a"]})",
       R"({"type":"string","pattern":"^a$","minLength":2})", R"({"type":"string","enum":[1]})",
       R"({"$defs":{"n":{"type":"object","properties":{"n":{"$ref":"#/$defs/n"}},"required":["n"]}},"$ref":"#/$defs/n"})",
       R"({"allOf":[{"type":"string"},{"type":"null"}]})",
       R"({"type":"integer","multipleOf":10,"minimum":1,"maximum":9})"}) {
    EXPECT_NE(refusal(schema).find("nothing satisfies"), std::string::npos) << schema;
  }
}

// A way that has no end is no way, however it begins.
TEST(SchemaGrammar, LeavesOutWaysWithoutAnEnd) {
  const char* schema =
      R"({"$defs":{"never":{"type":"object","properties":{"n":{"$ref":"#/$defs/never"}},"required":["n"]}},
          "type":"object","properties":{"a":{"$ref":"#/$defs/never"},"b":{"type":"null"}}})";
  EXPECT_TRUE(holds(schema, R"({"b":null})"));
  auto grammar = hold(schema).take();
  EXPECT_FALSE(Matcher(*grammar).can_follow(R"({"a)"));
}

TEST(SchemaGrammar, NestsToALimit) {
  const char* schema =
      R"({"$defs":{"t":{"type":"array","items":{"$ref":"#/$defs/t"}}},"$ref":"#/$defs/t"})";
  const std::string deep(60, '['), end(60, ']');
  EXPECT_TRUE(holds(schema, deep + end));
  auto grammar = hold(schema).take();
  EXPECT_FALSE(Matcher(*grammar).can_follow(std::string(100, '[')));
}

TEST(SchemaGrammar, BoundsWhiteSpace) {
  auto grammar = hold(R"({"type":"array"})").take();
  EXPECT_TRUE(Matcher(*grammar).can_follow("[\n" + std::string(32, ' ')));
  EXPECT_FALSE(Matcher(*grammar).can_follow("[\n" + std::string(33, ' ')));
  EXPECT_FALSE(Matcher(*grammar).can_follow("[\n\n"));
  EXPECT_FALSE(Matcher(*grammar).can_follow(" ["));
}

}  // namespace
}  // namespace vitalis::harmony::grammar
