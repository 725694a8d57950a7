// SPDX-License-Identifier: Apache-2.0
#include "harmony/template.h"

#include <algorithm>

#include "harmony/conversation.h"
#include "harmony/template_types.h"
#include "harmony/typescript.h"

namespace vitalis::harmony {
namespace {

// The member, or null where Python would count it as false.
const Json* find_truthy(const Json& object, std::string_view name) {
  const Json* value = object.find(name);
  return is_truthy(value) ? value : nullptr;
}

class TemplateRenderer {
 public:
  TemplateRenderer(const Json& request, const TemplateOptions& options)
      : options_(options), tools_(find_truthy(request, "tools")) {}

  Status render(const Json& request) {
    const Json* messages = request.is_array() ? &request : request.find("messages");
    if (!messages || !messages->is_array() || messages->items().empty()) {
      return error(Code::kInvalidArgument, "messages: expected an array with a message in it");
    }
    if (tools_ && !tools_->is_array()) {
      return error(Code::kInvalidArgument, "tools: expected an array, found ",
                   kind_name(tools_->kind()));
    }
    messages_ = &messages->items();
    render_system();
    const std::string role = role_of(messages_->front());
    first_ = role == "developer" || role == "system" ? 1 : 0;
    VITALIS_TRY(render_developer());
    for (size_t i = first_; i < messages_->size(); ++i) VITALIS_TRY(render_message(i));
    if (options_.add_generation_prompt) out_ += "<|start|>assistant";
    return {};
  }

  std::string take() { return std::move(out_); }

 private:
  static std::string role_of(const Json& message) {
    const Json* role = message.find("role");
    return role && role->is_string() ? role->text() : std::string();
  }

  static Status raises(size_t index, std::string_view why) {
    return error(Code::kInvalidArgument, "messages[", index,
                 "]: the chat template refuses this: ", why);
  }

  // A member that is put into the text as it is.
  static Status append_text(std::string& out, const Json& message, std::string_view name,
                            size_t index) {
    const Json* value = message.find(name);
    if (!value || !value->is_string()) {
      return raises(index, text("expected a string as \"", name, "\", found ",
                                value ? kind_name(value->kind()) : "none"));
    }
    out += value->text();
    return {};
  }

  void render_system() {
    out_ += "<|start|>system<|message|>";
    out_ += options_.model_identity.empty() ? *default_system_content().model_identity
                                            : options_.model_identity;
    out_.append("\nKnowledge cutoff: 2024-06\nCurrent date: ").append(options_.current_date);
    out_.append("\n\nReasoning: ").append(options_.reasoning_effort).append("\n\n");
    if (!options_.builtin_tools.empty()) {
      std::vector<ToolNamespace> known;
      for (const std::string& name : options_.builtin_tools) {
        if (name == "browser") known.push_back(browser_tools());
        if (name == "python") known.push_back(python_tool());
      }
      out_.append(tools_section(known)).append("\n\n");
    }
    out_ +=
        "# Valid channels: analysis, commentary, final. Channel must be included for every "
        "message.";
    if (tools_) {
      out_ += "\nCalls to these tools must go to the commentary channel: 'functions'.";
    }
    out_ += "<|end|>";
  }

  Status render_developer() {
    const Json* instructions = first_ == 1 ? find_truthy(messages_->front(), "content") : nullptr;
    if (!instructions && !tools_) return {};
    out_ += "<|start|>developer<|message|>";
    if (instructions) {
      if (!instructions->is_string()) {
        return raises(
            0, text("expected a string as \"content\", found ", kind_name(instructions->kind())));
      }
      out_.append("# Instructions\n\n").append(instructions->text()).append("\n\n");
    }
    if (tools_) {
      out_ += "# Tools\n\n## functions\n\nnamespace functions {\n\n";
      for (size_t i = 0; i < tools_->items().size(); ++i) {
        VITALIS_TRY(append_template_tool(out_, tools_->items()[i], text("tools[", i, "]")));
      }
      out_ += "} // namespace functions";
    }
    out_ += "<|end|>";
    return {};
  }

  Status render_message(size_t index) {
    const Json& message = (*messages_)[index];
    if (!message.is_object()) return raises(index, "it is no object");
    const std::string role = role_of(message);
    if (role == "assistant") return render_assistant(message, index);
    if (role == "tool") {
      if (last_call_.empty()) return raises(index, "no assistant message called a tool before");
      const Json* content = message.find("content");
      if (!content) return raises(index, "a tool's message needs a \"content\"");
      out_.append("<|start|>functions.").append(last_call_);
      out_ += " to=assistant<|channel|>commentary<|message|>";
      content->write(out_, Json::Style::kPython);
      out_ += "<|end|>";
    } else if (role == "user") {
      out_ += "<|start|>user<|message|>";
      VITALIS_TRY(append_text(out_, message, "content", index));
      out_ += "<|end|>";
    }
    return {};  // later system and developer messages, and unknown roles, vanish
  }

  // Reasoning and answers are given apart; a text that holds both as markup is refused.
  static Status check_markup(const Json& message, std::string_view name, size_t index) {
    const Json* value = message.find(name);
    if (!value) return {};
    if (!value->is_string()) {
      return raises(index,
                    text("expected a string as \"", name, "\", found ", kind_name(value->kind())));
    }
    for (const char* markup : {"<|channel|>analysis<|message|>", "<|channel|>final<|message|>"}) {
      if (value->text().find(markup) != std::string::npos) {
        return raises(index, text("\"", name, "\" holds ", markup));
      }
    }
    return {};
  }

  Status render_assistant(const Json& message, size_t index) {
    VITALIS_TRY(check_markup(message, "content", index));
    VITALIS_TRY(check_markup(message, "thinking", index));
    if (message.find("tool_calls")) return render_call(message, index);
    const bool training = index + 1 == messages_->size() && !options_.add_generation_prompt;
    if (training && message.find("thinking")) {
      out_ += "<|start|>assistant<|channel|>analysis<|message|>";
      VITALIS_TRY(append_text(out_, message, "thinking", index));
      out_ += "<|end|>";
    }
    out_ += "<|start|>assistant<|channel|>final<|message|>";
    VITALIS_TRY(append_text(out_, message, "content", index));
    out_ += training ? "<|return|>" : "<|end|>";
    if (!training) last_call_.clear();
    return {};
  }

  bool answer_follows(size_t index) const {
    return std::any_of(messages_->begin() + static_cast<std::ptrdiff_t>(index) + 1,
                       messages_->end(), [](const Json& later) {
                         return role_of(later) == "assistant" && !later.find("tool_calls");
                       });
  }

  // The first call of the message; the template has no room for others.
  Status render_call(const Json& message, size_t index) {
    const Json* calls = message.find("tool_calls");
    if (!calls->is_array() || calls->items().empty())
      return raises(index, "\"tool_calls\" is empty");
    const Json* call = &calls->items().front();
    if (is_truthy(call->find("function"))) call = call->find("function");
    const bool content = is_truthy(message.find("content"));
    const bool thinking = is_truthy(message.find("thinking"));
    if (content && thinking) return raises(index, "content and thinking beside a tool call");
    if ((content || thinking) && !answer_follows(index)) {
      out_ += "<|start|>assistant<|channel|>analysis<|message|>";
      VITALIS_TRY(append_text(out_, message, content ? "content" : "thinking", index));
      out_ += "<|end|>";
    }
    const Json* name = call->find("name");
    const Json* arguments = call->find("arguments");
    if (!name || !name->is_string()) return raises(index, "a tool call without a name");
    if (!arguments) return raises(index, "a tool call without arguments");
    out_.append("<|start|>assistant to=functions.").append(name->text());
    out_ += "<|channel|>commentary ";
    if (call->find("content_type")) {
      VITALIS_TRY(append_text(out_, *call, "content_type", index));
    } else {
      out_ += "json";
    }
    out_ += "<|message|>";
    arguments->write(out_, Json::Style::kPython);
    out_ += "<|call|>";
    last_call_ = name->text();
    return {};
  }

  const TemplateOptions& options_;
  const Json* tools_;
  const std::vector<Json>* messages_ = nullptr;
  size_t first_ = 0;
  std::string last_call_;
  std::string out_;
};

}  // namespace

Result<std::string> render_template(const Json& request, const TemplateOptions& options) {
  TemplateRenderer renderer(request, options);
  VITALIS_TRY(renderer.render(request));
  return renderer.take();
}

Status render_template(const Json& request, const TemplateOptions& options, const Format& format,
                       std::vector<Token>& out) {
  VITALIS_ASSIGN(const std::string rendered, render_template(request, options));
  format.encode_rendered(rendered, out);
  return {};
}

}  // namespace vitalis::harmony
