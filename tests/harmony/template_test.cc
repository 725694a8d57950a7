// SPDX-License-Identifier: Apache-2.0
// The template dialect against the model's own chat template, run by Jinja.
#include "harmony/template.h"

#include <gtest/gtest.h>

#include "golden_file.h"
#include "harmony/template_types.h"
#include "o200k.h"

namespace vitalis::harmony {
namespace {

TEST(Template, MatchesJinja) {
  const GoldenFile goldens("chat_jinja_render.jsonl");
  ASSERT_EQ(goldens.cases().size(), 59u);
  for (const Json& golden : goldens.cases()) {
    SCOPED_TRACE(golden.find("name")->text());
    const Json& json = *golden.find("options");
    TemplateOptions options;
    options.current_date = text_of(json, "current_date").value_or("");
    options.reasoning_effort = text_of(json, "reasoning_effort").value_or("medium");
    options.model_identity = text_of(json, "model_identity").value_or("");
    options.add_generation_prompt = json.find("add_generation_prompt")->truth();
    if (const Json* builtin = json.find("builtin_tools")) {
      for (const Json& name : builtin->items()) options.builtin_tools.push_back(name.text());
    }
    const Json& request = *golden.find("conversation");
    const auto text = render_template(request, options);
    if (golden.find("expected_error")) {
      EXPECT_FALSE(text.ok());
      continue;
    }
    ASSERT_TRUE(text.ok()) << text.status().message();
    EXPECT_EQ(*text, golden.find("expected_text")->text());
    std::vector<Token> tokens;
    ASSERT_TRUE(render_template(request, options, o200k(), tokens).ok());
    EXPECT_EQ(tokens, tokens_of(*golden.find("expected_token_ids")));
  }
}

TEST(Template, ToolSchemasMatchJinja) {
  const GoldenFile goldens("tool_schema.jsonl");
  ASSERT_EQ(goldens.cases().size(), 154u);
  for (const Json& golden : goldens.cases()) {
    SCOPED_TRACE(golden.find("name")->text());
    Json tool = Json::object();
    tool.set("function", *golden.find("tool"));
    std::string out;
    const Status status = append_template_tool(out, tool, "tools[0]");
    if (golden.find("hf_jinja_error")) {
      EXPECT_FALSE(status.ok());
      continue;
    }
    ASSERT_TRUE(status.ok()) << status.message();
    const char* expected = golden.find("same")->truth() ? "harmony_ts" : "hf_jinja_ts";
    EXPECT_EQ(out, golden.find(expected)->text());
  }
}

}  // namespace
}  // namespace vitalis::harmony
