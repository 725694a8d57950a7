// SPDX-License-Identifier: Apache-2.0
#include "harmony/grammar/schema_grammar.h"

#include <algorithm>

#include "harmony/grammar/closing_cost.h"
#include "harmony/grammar/object_grammar.h"
#include "harmony/grammar/regex.h"

namespace vitalis::harmony::grammar {
namespace {

// White space is bounded, or a text could be nothing else without end.
constexpr int kWidestIndent = 32;
constexpr size_t kMostCounted = 4096;

}  // namespace

Result<RuleId> SchemaCompiler::compile(const Json& schema, const std::string& place) {
  add_white_space();
  ShapeReader reader(schema, place);
  reader_ = &reader;
  const RuleId root = value_rule({reader.root()});
  while (!pending_.empty()) {
    const Pending next = std::move(pending_.back());
    pending_.pop_back();
    VITALIS_ASSIGN(const NodeId start, body(next.schemas));
    grammar_.set_rule(next.rule, start);
  }
  VITALIS_TRY(check_possible(root, place));
  return root;
}

// Rules are worth having only if they have an end.
Status SchemaCompiler::check_possible(RuleId root, const std::string& place) const {
  if (ClosingCost(grammar_, nullptr).node(grammar_.rule(root)) != ClosingCost::kNever) return {};
  return error(Code::kInvalidArgument, place, ": nothing satisfies the schema");
}

void SchemaCompiler::add_white_space() {
  if (gap_ != kNoNode) return;
  space_ = grammar_.add_rule();
  const NodeId end = grammar_.finish();
  grammar_.set_rule(space_, grammar_.choice(end, grammar_.byte(' ', end)));
  NodeId indent = end;
  for (int i = 0; i < kWidestIndent; ++i) {
    indent = grammar_.choice(end, grammar_.byte(' ', indent));
  }
  gap_ = grammar_.add_rule();
  grammar_.set_rule(gap_, grammar_.choice(grammar_.choice(end, grammar_.byte(' ', end)),
                                          grammar_.byte('\n', indent)));
}

RuleId SchemaCompiler::value_rule(const SchemaRefs& schemas) {
  Key key;
  for (const SchemaRef& ref : schemas) {
    if (ref.schema->is_boolean() && ref.schema->truth()) continue;
    if (ref.schema->is_object() && ref.schema->members().empty()) continue;
    key.push_back(ref.schema);
  }
  std::sort(key.begin(), key.end());
  const auto [at, fresh] = known_.try_emplace(key, 0);
  if (fresh) {
    at->second = grammar_.add_rule();
    pending_.push_back({at->second, schemas});
  }
  return at->second;
}

Result<NodeId> SchemaCompiler::body(const SchemaRefs& schemas) {
  VITALIS_ASSIGN(const std::vector<Shape> shapes, reader_->shapes(schemas));
  NodeId out = kNoNode;
  for (const Shape& shape : shapes) {
    VITALIS_ASSIGN(const NodeId start, alternative(shape));
    out = grammar_.choice(out, start);
  }
  return out == kNoNode ? grammar_.fail() : out;
}

Result<NodeId> SchemaCompiler::alternative(const Shape& shape) {
  if (shape.values) return listed_values(shape);
  NodeId out = kNoNode;
  if (shape.types & Shape::kNull) out = grammar_.literal("null", grammar_.finish());
  if (shape.types & Shape::kBoolean) {
    const NodeId end = grammar_.finish();
    out = grammar_.choice(
        out, grammar_.choice(grammar_.literal("true", end), grammar_.literal("false", end)));
  }
  if (shape.types & (Shape::kInteger | Shape::kReal)) {
    VITALIS_ASSIGN(const NodeId start, number(shape));
    out = grammar_.choice(out, start);
  }
  if (shape.types & Shape::kString) {
    VITALIS_ASSIGN(const NodeId start, string(shape));
    out = grammar_.choice(out, start);
  }
  if (shape.types & Shape::kArray) {
    VITALIS_ASSIGN(const NodeId start, array(shape));
    out = grammar_.choice(out, start);
  }
  if (shape.types & Shape::kObject) {
    VITALIS_ASSIGN(const NodeId start, object(shape));
    out = grammar_.choice(out, start);
  }
  return out == kNoNode ? grammar_.fail() : out;
}

// Each value as one text, without white space.
Result<NodeId> SchemaCompiler::listed_values(const Shape& shape) {
  Shape others = shape;
  others.values.reset();
  Nfa nfa;
  const Nfa::State from = nfa.add_state(), to = nfa.add_state();
  const auto* const given = &*shape.values;
  for (const Json* value : *given) {
    // The shape has come out of these schemas: what is left is whether the value fits the rest.
    VITALIS_ASSIGN(const bool fits, reader_->fits(*value, others));
    if (fits) nfa.add_literal(from, to, value->dump());
  }
  auto dfa = nfa.determinize(from, to);
  if (!dfa.ok()) return reader_->error_at(dfa.status().code(), shape.path, dfa.status().message());
  if (dfa->empty()) return grammar_.fail();
  return grammar_.leaf({Leaf::Kind::kPlain, std::make_shared<const Dfa>(dfa.take())},
                       grammar_.finish());
}

Result<NodeId> SchemaCompiler::number(const Shape& shape) {
  NumberRange range = shape.numbers;
  range.integer = (shape.types & Shape::kReal) == 0;
  auto dfa = number_dfa(range);
  if (!dfa.ok()) return reader_->error_at(dfa.status().code(), shape.path, dfa.status().message());
  if (dfa->empty()) return grammar_.fail();
  return grammar_.leaf({Leaf::Kind::kPlain, std::make_shared<const Dfa>(dfa.take())},
                       grammar_.finish());
}

Result<NodeId> SchemaCompiler::string(const Shape& shape) {
  if (shape.min_length > shape.max_length) return grammar_.fail();
  if (shape.patterns.empty()) {
    const auto limit = static_cast<uint32_t>(std::min<size_t>(shape.max_length, Leaf::kNoLimit));
    return grammar_.leaf(
        {Leaf::Kind::kString, string_dfa().dfa, static_cast<uint32_t>(shape.min_length), limit},
        grammar_.finish());
  }
  VITALIS_ASSIGN(const Dfa body, reader_->string_body(shape));
  VITALIS_ASSIGN(Dfa quoted, quote(body));
  if (quoted.empty()) return grammar_.fail();
  return grammar_.leaf({Leaf::Kind::kQuoted, std::make_shared<const Dfa>(std::move(quoted))},
                       grammar_.finish());
}

Result<NodeId> SchemaCompiler::array(const Shape& shape) {
  const size_t prefix = shape.prefix.size();
  // Items after a prefix that the schema says nothing of are left out.
  const bool open = shape.items_given || (prefix == 0 && !shape.items_closed);
  const size_t max = open ? shape.max_items : std::min(shape.max_items, prefix);
  if (shape.min_items > max) return grammar_.fail();
  const size_t chain = std::min(std::max({shape.min_items, prefix, size_t{1}}), max);
  if (chain > kMostCounted) {
    return reader_->error_at(Code::kUnsupported, shape.path,
                             text("minItems is held up to ", kMostCounted));
  }
  const NodeId end = grammar_.byte(']', grammar_.finish());
  if (max == 0) return grammar_.byte('[', gap(end));

  const auto item = [&](size_t i, NodeId next) {
    return value(i < prefix ? shape.prefix[i] : shape.items, next);
  };
  NodeId after = gap(end);  // after `chain` items
  if (max > chain) {
    const NodeId loop = grammar_.placeholder();
    NodeId more = grammar_.byte(',', gap(value(shape.items, loop)));
    if (max != SIZE_MAX) more = grammar_.count(static_cast<uint32_t>(max - chain), more);
    grammar_.replace(loop, grammar_.choice(more, gap(end)));
    after = loop;
  }
  for (size_t i = chain; i-- > 1;) {
    const NodeId more = grammar_.byte(',', gap(item(i, after)));
    after = grammar_.choice(more, i >= shape.min_items ? gap(end) : kNoNode);
  }
  const NodeId first = item(0, after);
  return grammar_.byte('[', gap(grammar_.choice(first, shape.min_items == 0 ? end : kNoNode)));
}

Result<NodeId> SchemaCompiler::object(const Shape& shape) {
  return ObjectCompiler(*this, *reader_, shape).compile();
}

}  // namespace vitalis::harmony::grammar
