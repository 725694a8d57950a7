// SPDX-License-Identifier: Apache-2.0
// The compatible policies against the reference, token by token; the resilient policy against its
// specification and against what must hold for any stream.
#include "harmony/parse.h"

#include <gtest/gtest.h>
#include <map>

#include "golden_file.h"
#include "harmony/harmony_json.h"
#include "o200k.h"

namespace vitalis::harmony {
namespace {

ParserOptions options_of(const Json& golden, Policy policy) {
  ParserOptions out;
  out.policy = policy;
  out.role.reset();
  if (const auto role = text_of(*golden.find("input"), "role")) out.role = role_named(*role);
  return out;
}

Policy compatible_policy(const Json& golden) {
  return golden.find("options")->find("strict")->truth() ? Policy::kStrict : Policy::kLenient;
}

std::vector<Message> messages_of(const Json& list) {
  Json conversation = Json::object();
  conversation.set("messages", list);
  auto out = conversation_from_json(conversation);
  EXPECT_TRUE(out.ok()) << out.status().message();
  return out.ok() ? std::move(out->messages) : std::vector<Message>();
}

std::string dump(const std::vector<Message>& messages) {
  return conversation_to_json({messages}).dump();
}

std::string delta_of(const EventBuffer& buffer) {
  std::string out;
  for (const Event& event : buffer.events()) {
    const bool text =
        event.kind == Event::Kind::kTextDelta || event.kind == Event::Kind::kArgumentsDelta;
    if (text) out += buffer.view(event.text);
  }
  return out;
}

char state_letter(Parser::State state) {
  return state == Parser::State::kExpectStart ? 'E' : state == Parser::State::kHeader ? 'H' : 'C';
}

std::string_view state_name(Parser::State state) {
  return state == Parser::State::kExpectStart ? "expect_start"
         : state == Parser::State::kHeader    ? "header"
                                              : "content";
}

// One golden, its tokens given to the parser one at a time.
class CompatibleCase {
 public:
  explicit CompatibleCase(const Json& golden)
      : golden_(golden),
        expected_(*golden.find("expected")),
        parser_(o200k(), options_of(golden, compatible_policy(golden))) {}

  void check() {
    SCOPED_TRACE(golden_.find("name")->text());
    const std::vector<Token> tokens = tokens_of(*golden_.find("input")->find("tokens"));
    Status status;
    size_t at = 0;
    for (; at < tokens.size() && status.ok(); ++at) {
      EventBuffer events;
      status = parser_.push(tokens[at], events);
      collector_.add(events);
      deltas_ += delta_of(events);
      if (status.ok()) check_trace(at, delta_of(events));
    }
    std::string place = std::to_string(at - 1);
    if (status.ok() && golden_.find("options")->find("eos")->truth()) {
      EventBuffer events;
      status = parser_.finish(events);
      collector_.add(events);
      deltas_ += delta_of(events);
      place = "eos";
      if (status.ok()) check_trace(at, delta_of(events));
    }
    check_end(status, place);
  }

 private:
  void check_trace(size_t at, const std::string& delta) {
    const Json* trace = expected_.find("trace");
    if (!trace) return;
    ASSERT_LT(at, trace->items().size());
    const auto& row = trace->items()[at].items();
    EXPECT_EQ(row[1].text()[0], state_letter(parser_.state())) << "at " << at;
    EXPECT_EQ(row[2].is_null() ? "" : row[2].text(), delta) << "at " << at;
    EXPECT_EQ(row[3].real(), parser_.messages()) << "at " << at;
    if (const Json* header = expected_.find("headers")->find(std::to_string(at))) {
      ASSERT_NE(parser_.header(), nullptr);
      const Header& found = *parser_.header();
      EXPECT_EQ(header->find("role")->text(), role_name(found.role));
      EXPECT_EQ(text_of(*header, "channel"), found.channel);
      EXPECT_EQ(text_of(*header, "recipient"), found.recipient);
      EXPECT_EQ(text_of(*header, "content_type"), found.content_type);
    }
  }

  void check_end(const Status& status, const std::string& place) {
    const Json& error = *expected_.find("error");
    if (error.is_null()) {
      EXPECT_TRUE(status.ok()) << status.message();
    } else {
      EXPECT_FALSE(status.ok());
      EXPECT_EQ(error.find("kind")->text(), parse_error_name(parser_.error()));
      EXPECT_EQ(error.find("at")->text(), place);
    }
    std::vector<Message> messages = collector_.messages();
    if (collector_.open()) messages.pop_back();
    EXPECT_EQ(dump(messages), dump(messages_of(*expected_.find("messages"))));
    EXPECT_EQ(deltas_, expected_.find("deltas_joined")->text());
    EXPECT_EQ(state_name(parser_.state()), expected_.find("final_state")->text());
    if (const auto pending = text_of(expected_, "pending_content"); pending && !pending->empty()) {
      ASSERT_TRUE(collector_.open());
      EXPECT_EQ(collector_.messages().back().text(), *pending);
    }
  }

  const Json& golden_;
  const Json& expected_;
  Parser parser_;
  MessageCollector collector_;
  std::string deltas_;
};

void check_compatible(const GoldenFile& goldens, size_t expected_cases) {
  ASSERT_EQ(goldens.cases().size(), expected_cases);
  for (const Json& golden : goldens.cases()) CompatibleCase(golden).check();
}

TEST(ParseCompatible, OwnStreams) {
  check_compatible(GoldenFile("parse.jsonl"), 164);
}

TEST(ParseCompatible, RandomStreams) {
  check_compatible(GoldenFile("parse_fuzz.jsonl"), 305);
}

TEST(ParseCompatible, CasesOfTheReference) {
  const auto folder = reference_folder();
  if (!folder) GTEST_SKIP() << "VITALIS_HARMONY_REFERENCE names no folder";
  check_compatible(GoldenFile(*folder, "reference_parse.jsonl"), 27);
}

MessageCollector parse_all(const std::vector<Token>& tokens, const ParserOptions& options) {
  Parser parser(o200k(), options);
  MessageCollector collector;
  EventBuffer events;
  for (const Token token : tokens) EXPECT_TRUE(parser.push(token, events).ok());
  EXPECT_TRUE(parser.finish(events).ok());
  collector.add(events);
  return collector;
}

TEST(ParseResilient, Specification) {
  const GoldenFile goldens("resilient_parse.jsonl");
  ASSERT_EQ(goldens.cases().size(), 37u);
  for (const Json& golden : goldens.cases()) {
    SCOPED_TRACE(golden.find("name")->text());
    ParserOptions options = options_of(golden, Policy::kResilient);
    for (const Json& name : golden.find("options")->find("known_tools")->items()) {
      options.functions.push_back(name.text());
    }
    const auto found = parse_all(tokens_of(*golden.find("input")->find("tokens")), options);
    const Json& expected = *golden.find("expected");
    EXPECT_EQ(dump(found.messages()), dump(messages_of(*expected.find("messages"))));
    Json codes = Json::array();
    for (const auto& note : found.diagnostics()) {
      codes.add(Json::string(std::string(diagnostic_name(note.diagnostic))));
    }
    EXPECT_EQ(codes.dump(), expected.find("diagnostics")->dump());
  }
}

// What the compatible policies understand without an oddity, the resilient one understands alike;
// and no stream is refused.
void check_well_formed(const GoldenFile& goldens, int expected_well_formed) {
  int well_formed = 0;
  for (const Json& golden : goldens.cases()) {
    SCOPED_TRACE(golden.find("name")->text());
    const auto tokens = tokens_of(*golden.find("input")->find("tokens"));
    const auto found = parse_all(tokens, options_of(golden, Policy::kResilient));
    if (!golden.find("well_formed")->truth()) continue;
    ++well_formed;
    EXPECT_EQ(dump(found.messages()),
              dump(messages_of(*golden.find("expected")->find("messages"))));
  }
  EXPECT_EQ(well_formed, expected_well_formed);
}

TEST(ParseResilient, AgreesOnWellFormedStreams) {
  check_well_formed(GoldenFile("parse.jsonl"), 38);
  check_well_formed(GoldenFile("parse_fuzz.jsonl"), 9);
}

}  // namespace
}  // namespace vitalis::harmony
