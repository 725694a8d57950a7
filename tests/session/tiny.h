// SPDX-License-Identifier: Apache-2.0
// The demonstration model, conversations with it, and answers written down event by event, so that
// two can be compared.
#pragma once

#include <gtest/gtest.h>
#include <stdexcept>
#include <string>
#include <vector>

#include "session/session.h"

namespace vitalis::session {

inline std::shared_ptr<const Model> open_tiny(const engine::EngineOptions& options = {}) {
  auto engine = engine::make_engine(options);
  auto opened = Model::open(std::make_shared<const engine::Engine>(engine.take()),
                            VITALIS_SOURCE_DIR "/examples/models/vitalis-tiny");
  if (!opened.ok()) throw std::runtime_error(opened.status().message());
  return opened.take();
}

inline std::shared_ptr<const Model> tiny() {
  static const std::shared_ptr<const Model> model = open_tiny();
  return model;
}

inline std::unique_ptr<Session> open_session(const SessionOptions& options = {.context = 2048,
                                                                              .chunk = 64},
                                             std::shared_ptr<const Model> model = tiny()) {
  auto session = Session::create(std::move(model), options);
  if (!session.ok()) throw std::runtime_error(session.status().message());
  return session.take();
}

inline harmony::Conversation asking(std::string text) {
  harmony::SystemContent system = harmony::default_system_content();
  system.current_date = "2026-01-31";
  harmony::Conversation out;
  out.messages.push_back({.role = harmony::Role::kSystem, .parts = {system}});
  out.messages.push_back(harmony::text_message(harmony::Role::kUser, std::move(text)));
  return out;
}

inline harmony::Conversation asking_for_weather() {
  harmony::Conversation out = asking("What is the weather in Paris?");
  harmony::DeveloperContent developer;
  auto schema = harmony::Json::parse(
      R"({"type":"object","properties":{"location":{"type":"string",
      "description":"The name of the city"},"unit":{"type":"string",
      "enum":["celsius","fahrenheit"],"default":"celsius"}},"required":["location"]})");
  developer.tools.push_back(
      {.name = "functions",
       .tools = {{"get_weather", "Gets the current weather in a city.", schema.take()}}});
  out.messages.insert(out.messages.begin() + 1,
                      {.role = harmony::Role::kDeveloper, .parts = {developer}});
  return out;
}

inline std::string line(const Event& e) {
  return text(static_cast<int>(e.kind), ' ', static_cast<int>(e.finish), ' ', e.done, '/', e.total,
              ' ', static_cast<int>(e.role), ' ', static_cast<int>(e.channel), ' ', e.message, ' ',
              e.name, '|', e.recipient, '|', e.channel_name, '|', e.content_type, '|', e.text, '|',
              e.path, ' ', static_cast<int>(e.json), ' ', e.tokens.begin, '-', e.tokens.end, ' ',
              static_cast<int>(e.complete));
}

// The events that are still to come, at most `limit`.
inline std::vector<std::string> lines(Session& session, size_t limit = SIZE_MAX) {
  std::vector<std::string> out;
  Event event;
  while (out.size() < limit) {
    const auto step = session.next(event);
    EXPECT_TRUE(step.ok()) << step.status().message();
    if (!step.ok() || *step != Session::Step::kEvent) break;
    out.push_back(line(event));
  }
  return out;
}

}  // namespace vitalis::session
