// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "handles.h"

using namespace vitalis;        // NOLINT(google-build-using-namespace)
using namespace vitalis::capi;  // NOLINT(google-build-using-namespace)

vitalis_config::vitalis_config() {
  for (const session::Setting& setting : session::settings_table()) {
    words.push_back({session::environment_name(setting), session::expected_value(setting)});
  }
}

namespace {

vitalis_setting describe(const vitalis_config& config, size_t index) {
  const session::Setting& setting = session::settings_table()[index];
  vitalis_setting out = {};
  out.type = static_cast<int32_t>(setting.type);
  out.harmless = setting.trusted ? 0 : 1;
  out.is_set = config.settings.is_set(index) ? 1 : 0;
  out.key = borrowed(setting.key);
  out.default_value = borrowed(setting.fallback);
  out.otherwise = borrowed(setting.otherwise);
  out.choices = borrowed(setting.choices);
  out.flag = borrowed(setting.flag);
  out.variable = borrowed(setting.variable);
  out.help = borrowed(setting.help);
  out.environment = borrowed(config.words[index].environment);
  out.expected = borrowed(config.words[index].expected);
  out.value = borrowed(config.settings.value(index));
  out.origin = borrowed(config.settings.origin(index));
  return out;
}

// Lets `body` change the caller's struct, of which ours may have more fields.
template <class T, class Body>
int32_t fill(const vitalis_config* config, T* out, std::string_view name, Body&& body) {
  return with(config, "config", [&](const vitalis_config& from) -> Status {
    if (!out) return missing(name);
    VITALIS_ASSIGN(T filled, read_struct(out, name));
    body(from.settings, filled);
    return write_struct(filled, out, name);
  });
}

uint32_t number(const session::Settings& settings, std::string_view key) {
  return static_cast<uint32_t>(settings.integer(key).value_or(0));
}

// Values end with a NUL and stay until they are changed.
const char* words(const session::Settings& settings, std::string_view key) {
  const std::string_view value = settings.text(key);
  return value.empty() ? nullptr : value.data();
}

float real(const session::Settings& settings, std::string_view key) {
  return static_cast<float>(settings.real(key).value_or(0));
}

}  // namespace

extern "C" {

int32_t vitalis_config_create(vitalis_config** config_out) {
  return guard([&]() -> Status {
    if (!config_out) return missing("config_out");
    *config_out = nullptr;
    *config_out = new vitalis_config;
    return {};
  });
}
vitalis_config* vitalis_config_retain(vitalis_config* config) {
  return retain(config);
}
void vitalis_config_release(vitalis_config* config) {
  release(config);
}

int32_t vitalis_config_load_json(vitalis_config* config, const char* json, size_t size,
                                 const char* origin, uint32_t flags) {
  return with(config, "config", [&](vitalis_config& into) -> Status {
    if (!json) return missing("json");
    VITALIS_ASSIGN(const std::string_view tree, text_argument(json, size, "json"));
    VITALIS_ASSIGN(const std::string_view from,
                   text_argument(origin, origin ? VITALIS_NUL : 0, "origin"));
    if ((flags & ~VITALIS_CONFIG_HARMLESS) != 0) {
      return error(Code::kInvalidArgument, "flags: expected 0 or 1; found ", flags);
    }
    using Trust = session::Settings::Trust;
    return into.settings.load_json(
        tree, from, (flags & VITALIS_CONFIG_HARMLESS) != 0 ? Trust::kHarmlessOnly : Trust::kAll);
  });
}

int32_t vitalis_config_set(vitalis_config* config, const char* key, const char* value,
                           const char* origin) {
  return with(config, "config", [&](vitalis_config& into) -> Status {
    if (!key) return missing("key");
    VITALIS_ASSIGN(const std::string_view name, text_argument(key, VITALIS_NUL, "key"));
    if (!value) return into.settings.unset(name);
    VITALIS_ASSIGN(const std::string_view given, text_argument(value, VITALIS_NUL, "value"));
    VITALIS_ASSIGN(const std::string_view from,
                   text_argument(origin, origin ? VITALIS_NUL : 0, "origin"));
    return into.settings.set(name, given, from);
  });
}

int32_t vitalis_config_to_json(const vitalis_config* config, char* json, size_t capacity,
                               size_t* size_out) {
  if (size_out) *size_out = 0;
  return with(config, "config", [&](const vitalis_config& from) -> Status {
    if (!size_out) return missing("size_out");
    if (!json && capacity > 0) return missing("json");
    const std::string tree = from.settings.to_json();
    std::copy_n(tree.begin(), std::min(tree.size(), capacity), json);
    *size_out = tree.size();
    return {};
  });
}

int32_t vitalis_config_get(const vitalis_config* config, size_t index, vitalis_setting* setting) {
  clear_struct(setting);
  return with(config, "config", [&](const vitalis_config& from) -> Status {
    const size_t count = session::settings_table().size();
    if (index >= count) {
      return error(Code::kNotFound, "there are ", count, " settings; there is no ", index);
    }
    return write_struct(describe(from, index), setting, "setting");
  });
}

int32_t vitalis_config_find(const vitalis_config* config, const char* key,
                            vitalis_setting* setting) {
  clear_struct(setting);
  return with(config, "config", [&](const vitalis_config& from) -> Status {
    if (!key) return missing("key");
    VITALIS_ASSIGN(const std::string_view name, text_argument(key, VITALIS_NUL, "key"));
    VITALIS_ASSIGN(const size_t index, session::Settings::find(name));
    return write_struct(describe(from, index), setting, "setting");
  });
}

int32_t vitalis_config_engine_options(const vitalis_config* config,
                                      vitalis_engine_options* options) {
  return fill(config, options, "options", [](const session::Settings& from, auto& out) {
    out.threads = static_cast<int32_t>(number(from, "runtime.threads"));
    out.tier = words(from, "runtime.tier");
  });
}

int32_t vitalis_config_session_options(const vitalis_config* config,
                                       vitalis_session_options* options) {
  return fill(config, options, "options", [](const session::Settings& from, auto& out) {
    out.context = number(from, "runtime.context");
    const uint64_t mebibytes = from.integer("runtime.memory_budget").value_or(0) >> 20;
    out.memory_budget_mib = static_cast<uint32_t>(std::min<uint64_t>(mebibytes, UINT32_MAX));
  });
}

int32_t vitalis_config_generate_options(const vitalis_config* config,
                                        vitalis_generate_options* options) {
  return fill(config, options, "options", [](const session::Settings& from, auto& out) {
    out.temperature = real(from, "sampling.temperature");
    // Zero means the default in the struct, and the most probable token in a setting.
    out.sampling = out.temperature == 0 ? VITALIS_SAMPLE_GREEDY : VITALIS_SAMPLE_DEFAULT;
    out.top_p = real(from, "sampling.top_p");
    out.min_p = real(from, "sampling.min_p");
    out.top_k = number(from, "sampling.top_k");
    if (const auto seed = from.integer("sampling.seed")) {
      out.flags |= VITALIS_GENERATE_SEED;
      out.seed = *seed;
    }
    out.repetition_penalty = real(from, "sampling.repetition_penalty");
    out.presence_penalty = real(from, "sampling.presence_penalty");
    out.frequency_penalty = real(from, "sampling.frequency_penalty");
    out.max_tokens = number(from, "sampling.max_tokens");
  });
}

int32_t vitalis_config_system(const vitalis_config* config, vitalis_system* system) {
  return fill(config, system, "system", [](const session::Settings& from, auto& out) {
    const std::string_view effort = from.text("reasoning.effort");
    out.reasoning_effort = effort == "low"    ? VITALIS_EFFORT_LOW
                           : effort == "high" ? VITALIS_EFFORT_HIGH
                                              : VITALIS_EFFORT_MEDIUM;
  });
}

int32_t vitalis_config_hub_options(const vitalis_config* config, vitalis_hub_options* options) {
  return fill(config, options, "options", [](const session::Settings& from, auto& out) {
    out.offline = from.truth("hub.offline") ? 1 : 0;
    out.endpoint = words(from, "hub.endpoint");
    out.cache_folder = words(from, "hub.cache_dir");
    out.token_path = words(from, "hub.token_path");
    out.proxy = words(from, "hub.proxy");
    out.no_proxy = words(from, "hub.no_proxy");
    out.ca_file = words(from, "hub.ca_file");
    out.ca_folder = words(from, "hub.ca_dir");
    out.rate_limit = from.integer("hub.rate_limit").value_or(0);
    out.connections = number(from, "hub.connections");
    out.connect_timeout = number(from, "hub.connect_timeout");
    out.stall_timeout = number(from, "hub.stall_timeout");
    out.retries = number(from, "hub.retries");
  });
}

}  // extern "C"
