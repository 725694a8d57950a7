// SPDX-License-Identifier: Apache-2.0
#include "harmony/render.h"

#include <algorithm>

#include "harmony/typescript.h"

namespace vitalis::harmony {
namespace {

constexpr std::string_view kChannelRequired = " Channel must be included for every message.";
constexpr std::string_view kFunctionsChannel =
    "\nCalls to these tools must go to the commentary channel: 'functions'.";
constexpr std::string_view kConstrain = "<|constrain|>";

std::string joined(const std::vector<std::string>& pieces, std::string_view separator) {
  std::string out;
  for (size_t i = 0; i < pieces.size(); ++i) {
    if (i > 0) out += separator;
    out += pieces[i];
  }
  return out;
}

bool declares_functions(const Message& message) {
  for (const Part& part : message.parts) {
    const auto* content = std::get_if<DeveloperContent>(&part);
    if (!content) continue;
    // Of two namespaces with one name the later is rendered, so it decides.
    const auto space = std::find_if(content->tools.rbegin(), content->tools.rend(),
                                    [](const auto& s) { return s.name == "functions"; });
    if (space != content->tools.rend() && !space->tools.empty()) return true;
  }
  return false;
}

class Renderer {
 public:
  Renderer(const Format& format, const RenderOptions& options, std::vector<Token>& out,
           std::vector<MessageSpan>* spans)
      : format_(format), options_(options), out_(out), begin_(out.size()), spans_(spans) {}

  Status render_all(const Conversation& conversation) {
    const auto& messages = conversation.messages;
    has_function_tools_ = std::any_of(messages.begin(), messages.end(), declares_functions);
    const size_t analysis_end = options_.auto_drop_analysis ? finished_turns(messages) : 0;
    for (size_t i = 0; i < messages.size(); ++i) {
      const auto dropped = [&](size_t k) {
        return k < analysis_end && messages[k].channel == "analysis";
      };
      if (dropped(i)) continue;
      const bool next_replayed =
          i + 1 < messages.size() && !dropped(i + 1) && !messages[i + 1].sampled.empty();
      VITALIS_TRY(render_message(messages[i], i, next_replayed));
    }
    const bool answered = !messages.empty() && messages.back().role == Role::kAssistant &&
                          messages.back().channel == "final";
    if (options_.mode == RenderOptions::Mode::kTraining && answered) {
      out_.back() = format_.return_token;
    }
    if (options_.mode == RenderOptions::Mode::kCompletion) {
      out_.push_back(format_.start);
      encode(role_name(options_.next_role));
    }
    return {};
  }

  Status render_first(const Conversation& conversation) {
    if (conversation.messages.empty()) {
      return error(Code::kInvalidArgument, "there is no message to render");
    }
    has_function_tools_ = options_.has_function_tools;
    return render_message(conversation.messages.front(), 0, false);
  }

 private:
  // The number of messages before the first final one, if the last thing the assistant said is
  // final; else none.
  static size_t finished_turns(const std::vector<Message>& messages) {
    const auto last = std::find_if(messages.rbegin(), messages.rend(),
                                   [](const auto& m) { return m.role == Role::kAssistant; });
    if (last == messages.rend() || last->channel != "final") return 0;
    const auto first = std::find_if(messages.begin(), messages.end(),
                                    [](const auto& m) { return m.channel == "final"; });
    return static_cast<size_t>(first - messages.begin());
  }

  void encode(std::string_view text) { format_.tokenizer().encode(text, out_); }
  uint32_t position() const { return static_cast<uint32_t>(out_.size() - begin_); }

  Status render_message(const Message& message, size_t index, bool next_replayed) {
    MessageSpan span{static_cast<uint32_t>(index), {position(), 0}, {}};
    if (options_.replay_sampled && !message.sampled.empty()) {
      replay(message, next_replayed);
    } else {
      VITALIS_TRY(render_header(message, index));
      for (size_t i = 0; i < message.parts.size(); ++i) {
        const uint32_t begin = position();
        VITALIS_TRY(render_part(message, index, i));
        span.parts.push_back({begin, position()});
      }
      out_.push_back(end_of(message));
    }
    span.tokens.end = position();
    if (spans_) spans_->push_back(std::move(span));
    return {};
  }

  // Any recipient makes it a call here, one that means everybody too.
  Token end_of(const Message& message) const {
    return message.role == Role::kAssistant && message.recipient ? format_.call : format_.end;
  }

  // What was sampled, except that a prompt ends its messages with <|end|> where the model returned.
  void replay(const Message& message, bool next_replayed) {
    const auto& sampled = message.sampled;
    out_.insert(out_.end(), sampled.begin(), sampled.end());
    if (out_.back() == format_.return_token) out_.back() = format_.end;
    if (!format_.ends_message(out_.back()) && !(message.sampled_open && next_replayed)) {
      out_.push_back(end_of(message));
    }
  }

  Status render_header(const Message& message, size_t index) {
    out_.push_back(format_.start);
    if (message.role == Role::kTool) {
      if (!message.name) {
        return error(Code::kInvalidArgument, "messages[", index,
                     "]: a tool's message needs the tool's name");
      }
      encode(*message.name);
    } else {
      encode(role_name(message.role));
      if (message.name) encode(text(":", *message.name));
    }
    if (message.recipient && *message.recipient != "all") encode(text(" to=", *message.recipient));
    if (message.channel) {
      out_.push_back(format_.channel);
      encode(*message.channel);
    }
    if (message.content_type) render_content_type(*message.content_type);
    out_.push_back(format_.message);
    return {};
  }

  void render_content_type(std::string_view type) {
    if (!type.starts_with(kConstrain)) {
      encode(text(" ", type));
      return;
    }
    encode(" ");
    out_.push_back(format_.constrain);
    encode(type.substr(kConstrain.size()));
  }

  Status render_part(const Message& message, size_t index, size_t part_index) {
    const Part& part = message.parts[part_index];
    if (const auto* plain = std::get_if<std::string>(&part)) {
      encode(*plain);
    } else if (const auto* system = std::get_if<SystemContent>(&part)) {
      if (message.role != Role::kSystem) return misplaced("system", message, index, part_index);
      encode(system_text(*system, has_function_tools_));
    } else if (const auto* developer = std::get_if<DeveloperContent>(&part)) {
      if (message.role != Role::kDeveloper) {
        return misplaced("developer", message, index, part_index);
      }
      encode(developer_text(*developer));
    }
    return {};
  }

  static Status misplaced(std::string_view kind, const Message& message, size_t index,
                          size_t part_index) {
    return error(Code::kInvalidArgument, "messages[", index, "].content[", part_index, "]: ", kind,
                 " content belongs in ", kind, " messages, this one is from role ",
                 role_name(message.role));
  }

  const Format& format_;
  const RenderOptions& options_;
  std::vector<Token>& out_;
  const size_t begin_;
  std::vector<MessageSpan>* spans_;
  bool has_function_tools_ = false;
};

}  // namespace

std::string system_text(const SystemContent& content, bool has_function_tools) {
  std::vector<std::string> sections;
  std::vector<std::string> about;
  if (content.model_identity) about.push_back(*content.model_identity);
  if (content.knowledge_cutoff) about.push_back("Knowledge cutoff: " + *content.knowledge_cutoff);
  if (content.current_date) about.push_back("Current date: " + *content.current_date);
  if (!about.empty()) sections.push_back(joined(about, "\n"));
  if (content.reasoning_effort) {
    sections.push_back(text("Reasoning: ", effort_name(*content.reasoning_effort)));
  }
  if (!content.tools.empty()) sections.push_back(tools_section(content.tools));
  if (!content.valid_channels.empty()) {
    sections.push_back(text("# Valid channels: ", joined(content.valid_channels, ", "), ".",
                            content.channel_required ? kChannelRequired : "",
                            has_function_tools ? kFunctionsChannel : ""));
  }
  return joined(sections, "\n\n");
}

std::string developer_text(const DeveloperContent& content) {
  std::vector<std::string> sections;
  if (content.instructions) {
    sections.emplace_back("# Instructions");
    sections.push_back(*content.instructions);
  }
  if (!content.tools.empty()) sections.push_back(tools_section(content.tools));
  return joined(sections, "\n\n");
}

Status render(const Conversation& conversation, const Format& format, const RenderOptions& options,
              std::vector<Token>& out, std::vector<MessageSpan>* spans) {
  const size_t begin = out.size();
  const size_t first_span = spans ? spans->size() : 0;
  Renderer renderer(format, options, out, spans);
  Status status = options.mode == RenderOptions::Mode::kMessage
                      ? renderer.render_first(conversation)
                      : renderer.render_all(conversation);
  if (!status.ok()) {
    out.resize(begin);
    if (spans) spans->resize(first_span);
  }
  return status;
}

}  // namespace vitalis::harmony
