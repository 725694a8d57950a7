// SPDX-License-Identifier: Apache-2.0
// Any text as JSON, as a schema, as a request in each shape. What is accepted must print and read
// back as itself, and must render in both dialects or say why not.
#include <cstddef>
#include <cstdint>

#include "harmony/argument_path.h"
#include "harmony/harmony_json.h"
#include "harmony/openai_json.h"
#include "harmony/render.h"
#include "harmony/template.h"
#include "harmony/typescript.h"

namespace {

using namespace vitalis::harmony;  // NOLINT(google-build-using-namespace)

void check(bool good) {
  if (!good) __builtin_trap();
}

// Two pieces must be taken whole, whatever they hold.
void follow(std::string_view text) {
  ArgumentPath path;
  for (std::string_view rest : {text.substr(0, text.size() / 2), text.substr(text.size() / 2)}) {
    while (!rest.empty()) {
      const size_t size = path.take(rest);
      check(size >= 1 && size <= rest.size());
      rest.remove_prefix(size);
    }
  }
}

void as_prompt(const Conversation& conversation) {
  for (const Message& message : conversation.messages) {
    for (const Part& part : message.parts) {
      if (const auto* system = std::get_if<SystemContent>(&part)) system_text(*system, true);
      if (const auto* developer = std::get_if<DeveloperContent>(&part)) developer_text(*developer);
    }
  }
  const auto again = conversation_from_json(conversation_to_json(conversation));
  check(again.ok() && *again == conversation);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  follow(text);
  const auto json = Json::parse(text);
  if (!json.ok()) {
    check(!json.status().message().empty());
    return 0;
  }
  const auto again = Json::parse(json->dump());
  check(again.ok() && again->dump() == json->dump());
  std::string type;
  append_type(type, *json, "");
  for (const auto& request : {chat_from_json(*json, default_system_content()),
                              responses_from_json(*json, default_system_content())}) {
    if (request.ok()) as_prompt(request->conversation);
  }
  if (const auto conversation = conversation_from_json(*json); conversation.ok()) {
    as_prompt(*conversation);
  }
  const auto prompt = render_template(*json, {});
  check(prompt.ok() || !prompt.status().message().empty());
  return 0;
}
