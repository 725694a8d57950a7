// SPDX-License-Identifier: Apache-2.0
// Conversations as JSON without loss, in the format's own terms:
// {"messages": [{"role", "name"?, "recipient"?, "channel"?, "content_type"?, "content", "sampled"?,
// "sampled_open"?}]}, where content is a text or a list of {"type": "text" | "system" |
// "developer", …}. Pure functions; any thread.
#pragma once

#include <string_view>

#include "base/status.h"
#include "harmony/conversation.h"
#include "harmony/json.h"

namespace vitalis::harmony {

// Failures begin with the place: messages[3].content[0].tools[1].
Result<Conversation> conversation_from_json(const Json& json);
Result<Conversation> conversation_from_json(std::string_view json);
Json conversation_to_json(const Conversation& conversation);
Json message_to_json(const Message& message);

}  // namespace vitalis::harmony
