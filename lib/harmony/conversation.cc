// SPDX-License-Identifier: Apache-2.0
#include "harmony/conversation.h"

#include <array>

namespace vitalis::harmony {
namespace {

constexpr std::array<std::string_view, 5> kRoleNames = {"system", "developer", "user", "assistant",
                                                        "tool"};
constexpr std::array<std::string_view, 3> kEffortNames = {"low", "medium", "high"};

// The wording that the model was trained with: constants of the format.
constexpr std::string_view kBrowserDescription =
    "Tool for browsing.\n"
    "The `cursor` appears in brackets before each browsing display: `[{cursor}]`.\n"
    "Cite information from the tool using the following format:\n"
    "`【{cursor}†L{line_start}(-L{line_end})?】`, for example: `【6†L9-L11】` or `【8†L3】`.\n"
    "Do not quote more than 10 words directly from the tool output.\n"
    "sources=web (default: web)";

constexpr std::string_view kPythonDescription =
    "Use this tool to execute Python code in your chain of thought. The code will not be shown to "
    "the user. This tool should be used for internal reasoning, but not for code that is intended "
    "to be visible to the user (e.g. when creating plots, tables, or files).\n"
    "\n"
    "When you send a message containing Python code to python, it will be executed in a stateful "
    "Jupyter notebook environment. python will respond with the output of the execution or time "
    "out after 120.0 seconds. The drive at '/mnt/data' can be used to save and persist user files. "
    "Internet access for this session is UNKNOWN. Depends on the cluster.";

constexpr std::string_view kOpenDescription =
    "Opens the link `id` from the page indicated by `cursor` starting at line number `loc`, "
    "showing `num_lines` lines.\n"
    "Valid link ids are displayed with the formatting: `【{id}†.*】`.\n"
    "If `cursor` is not provided, the most recent page is implied.\n"
    "If `id` is a string, it is treated as a fully qualified URL associated with `source`.\n"
    "If `loc` is not provided, the viewport will be positioned at the beginning of the document or "
    "centered on the most relevant passage, if available.\n"
    "Use this function without `id` to scroll to a new location of an opened page.";

Json typed(std::string_view type) {
  Json out = Json::object();
  out.set("type", Json::string(std::string(type)));
  return out;
}

Json typed(std::string_view type, Json default_value) {
  Json out = typed(type);
  out.set("default", std::move(default_value));
  return out;
}

Json parameters(const std::vector<Json::Member>& properties, std::string_view required = {}) {
  Json list = Json::object();
  for (const auto& [name, schema] : properties) list.set(name, schema);
  Json out = typed("object");
  out.set("properties", std::move(list));
  if (!required.empty()) {
    Json names = Json::array();
    names.add(Json::string(std::string(required)));
    out.set("required", std::move(names));
  }
  return out;
}

}  // namespace

std::string_view role_name(Role role) {
  return kRoleNames[static_cast<size_t>(role)];
}

std::optional<Role> role_named(std::string_view name) {
  for (size_t i = 0; i < kRoleNames.size(); ++i) {
    if (kRoleNames[i] == name) return static_cast<Role>(i);
  }
  return std::nullopt;
}

std::string_view effort_name(Effort effort) {
  return kEffortNames[static_cast<size_t>(effort)];
}

std::optional<Effort> effort_named(std::string_view name) {
  for (size_t i = 0; i < kEffortNames.size(); ++i) {
    if (kEffortNames[i] == name) return static_cast<Effort>(i);
  }
  return std::nullopt;
}

ToolNamespace browser_tools() {
  Json id = Json::object();
  Json id_types = Json::array();
  id_types.add(Json::string("number"));
  id_types.add(Json::string("string"));
  id.set("type", std::move(id_types));
  id.set("default", Json::integer(-1));
  const Json minus_one = typed("number", Json::integer(-1));
  return {"browser",
          std::string(kBrowserDescription),
          {{"search", "Searches for information related to `query` and displays `topn` results.",
            parameters({{"query", typed("string")},
                        {"topn", typed("number", Json::integer(10))},
                        {"source", typed("string")}},
                       "query")},
           {"open", std::string(kOpenDescription),
            parameters({{"id", std::move(id)},
                        {"cursor", minus_one},
                        {"loc", minus_one},
                        {"num_lines", minus_one},
                        {"view_source", typed("boolean", Json::boolean(false))},
                        {"source", typed("string")}})},
           {"find",
            "Finds exact matches of `pattern` in the current page, or the page given by `cursor`.",
            parameters({{"pattern", typed("string")}, {"cursor", minus_one}}, "pattern")}}};
}

ToolNamespace python_tool() {
  return {"python", std::string(kPythonDescription), {}};
}

SystemContent default_system_content() {
  SystemContent out;
  out.model_identity = "You are ChatGPT, a large language model trained by OpenAI.";
  out.knowledge_cutoff = "2024-06";
  out.reasoning_effort = Effort::kMedium;
  out.valid_channels = {"analysis", "commentary", "final"};
  out.channel_required = true;
  return out;
}

std::string response_section(std::string_view name, const Json& schema) {
  return vitalis::text("# Response Formats\n\n## ", name, "\n\n",
                       schema.dump(Json::Style::kCompact));
}

std::string Message::text() const {
  std::string out;
  for (const Part& part : parts) {
    if (const auto* piece = std::get_if<std::string>(&part)) out += *piece;
  }
  return out;
}

bool is_call(Role role, const std::optional<std::string>& recipient) {
  return role == Role::kAssistant && recipient && *recipient != "all" && *recipient != "user" &&
         *recipient != "assistant";
}

Message text_message(Role role, std::string text) {
  Message out;
  out.role = role;
  out.parts.emplace_back(std::move(text));
  return out;
}

std::vector<std::string> Conversation::function_names() const {
  std::vector<std::string> out;
  for (const Message& message : messages) {
    for (const Part& part : message.parts) {
      const auto* content = std::get_if<DeveloperContent>(&part);
      if (!content) continue;
      for (const ToolNamespace& space : content->tools) {
        if (space.name != "functions") continue;
        for (const Tool& tool : space.tools) out.push_back(tool.name);
      }
    }
  }
  return out;
}

}  // namespace vitalis::harmony
