// SPDX-License-Identifier: Apache-2.0
// Tool schemas against the references' texts, in both dialects.
#include <gtest/gtest.h>

#include "golden_file.h"
#include "harmony/typescript.h"

namespace vitalis::harmony {
namespace {

TEST(ToolSchema, HarmonyDialectMatchesTheReference) {
  const GoldenFile goldens("tool_schema.jsonl");
  ASSERT_EQ(goldens.cases().size(), 154u);
  for (const Json& golden : goldens.cases()) {
    const Json& tool = *golden.find("tool");
    Tool value{tool.find("name")->text(), text_of(tool, "description").value_or(""), {}};
    if (const Json* parameters = tool.find("parameters")) value.parameters = *parameters;
    std::string out;
    append_tool(out, value);
    EXPECT_EQ(out, golden.find("harmony_ts")->text()) << golden.find("name")->text();
  }
}

}  // namespace
}  // namespace vitalis::harmony
