// SPDX-License-Identifier: Apache-2.0
#include "harmony/grammar/object_grammar.h"

#include <algorithm>

#include "harmony/grammar/regex.h"

namespace vitalis::harmony::grammar {
namespace {

constexpr size_t kMostPlaces = 100000;  // members times counts

}  // namespace

Status ObjectCompiler::read_members() {
  for (const Shape::Property& p : shape_.properties) {
    members_.push_back({p.name, p.schemas, shape_.requires_property(p.name)});
  }
  for (const std::string& name : shape_.required) {
    if (!shape_.property(name)) members_.push_back({name, shape_.schemas_of(name), true});
  }
  if (shape_.names.empty()) return {};
  std::vector<Member> kept;
  for (Member& member : members_) {
    VITALIS_ASSIGN(const bool fits, reader_.matches(Json::string(member.name), shape_.names));
    if (!fits && member.required) {
      return reader_.error_at(Code::kInvalidArgument, shape_.path,
                              text("propertyNames forbids the required ", member.name));
    }
    if (fits) kept.push_back(std::move(member));
  }
  members_ = std::move(kept);
  return {};
}

Status ObjectCompiler::add_others(const Dfa& names, const SchemaRefs& schemas) {
  auto quoted = quote(names);
  if (!quoted.ok()) {
    return reader_.error_at(quoted.status().code(), shape_.path, quoted.status().message());
  }
  Leaf leaf;
  leaf.kind = Leaf::Kind::kQuoted;
  leaf.dfa = std::make_shared<const Dfa>(quoted.take());
  others_.push_back({std::move(leaf), schemas});
  return {};
}

// Names are told apart by their one canonical encoding, so that none can hide in an escape.
Status ObjectCompiler::read_others() {
  const auto at = [&](const Status& status) {
    return reader_.error_at(status.code(), shape_.path, status.message());
  };
  // A schema that declares members and says nothing of others is taken to mean these alone.
  const bool declares = !shape_.properties.empty() || !shape_.pattern_properties.empty();
  const bool open = shape_.additional_given || (!declares && !shape_.closed);
  if (!open && shape_.pattern_properties.empty()) return {};
  if (members_.empty() && shape_.names.empty() && shape_.pattern_properties.empty()) {
    Leaf any;
    any.kind = Leaf::Kind::kString;
    any.dfa = string_dfa().dfa;
    others_.push_back({std::move(any), shape_.additional});
    return {};
  }
  Dfa free = any_body();
  if (!shape_.names.empty()) {
    VITALIS_ASSIGN(const std::vector<Shape> shapes, reader_.shapes(shape_.names));
    if (shapes.empty()) return {};
    if (shapes.size() > 1 || shapes[0].values) {
      return reader_.error_at(Code::kUnsupported, shape_.path,
                              "propertyNames is held with pattern, format and lengths only");
    }
    VITALIS_ASSIGN(free, reader_.string_body(shapes[0]));
  }
  Nfa declared;
  const Nfa::State from = declared.add_state(), to = declared.add_state();
  std::vector<std::string> names;
  for (const Shape::Property& p : shape_.properties) names.push_back(p.name);
  for (const Member& m : members_) names.push_back(m.name);
  for (const std::string& name : names) {
    std::string encoded;
    write_json_string(encoded, name);
    declared.add_literal(from, to, std::string_view(encoded).substr(1, encoded.size() - 2));
  }
  const auto without = [&](const Dfa& what) -> Status {
    auto rest = subtract(free, what);
    if (!rest.ok()) return at(rest.status());
    free = rest.take();
    return {};
  };
  auto declared_names = declared.determinize(from, to);
  if (!declared_names.ok()) return at(declared_names.status());
  VITALIS_TRY(without(*declared_names));
  for (size_t i = 0; i < shape_.pattern_properties.size(); ++i) {
    const auto& pattern = shape_.pattern_properties[i];
    auto here = intersect(*pattern.names, free);
    if (!here.ok()) return at(here.status());
    for (size_t j = i + 1; j < shape_.pattern_properties.size(); ++j) {
      if (disjoint(*here, *shape_.pattern_properties[j].names)) continue;
      return reader_.error_at(Code::kUnsupported, shape_.path,
                              "patternProperties that share names cannot be held");
    }
    if (!here->empty()) {
      VITALIS_TRY(add_others(*here, pattern.schemas));
    }
    VITALIS_TRY(without(*pattern.names));
  }
  if (!open || free.empty()) return {};
  return add_others(free, shape_.additional);
}

NodeId ObjectCompiler::pair(const Member& member, NodeId next) {
  std::string name;
  write_json_string(name, member.name);
  return grammar_.literal(name + ':', values_.space(values_.value(member.schemas, next)));
}

NodeId ObjectCompiler::other_pair(NodeId next) {
  NodeId out = kNoNode;
  for (const Others& other : others_) {
    const NodeId value = values_.space(values_.value(other.schemas, next));
    out = grammar_.choice(out, grammar_.leaf(other.names, grammar_.byte(':', value)));
  }
  return out;
}

// After `count` members and one more of another name: further ones, or the end.
NodeId ObjectCompiler::others_after(size_t count) {
  const size_t place = shape_.max_properties == SIZE_MAX ? 0 : count;
  if (other_loops_.size() <= place) other_loops_.resize(place + 1, kNoNode);
  if (other_loops_[place] != kNoNode) return other_loops_[place];
  const NodeId loop = grammar_.placeholder();
  other_loops_[place] = loop;
  NodeId more = grammar_.byte(',', values_.gap(other_pair(loop)));
  if (shape_.max_properties != SIZE_MAX) {
    more = grammar_.count(static_cast<uint32_t>(shape_.max_properties - count - 1), more);
  }
  grammar_.replace(loop, grammar_.choice(more, values_.gap(end_)));
  return loop;
}

// The first member of another name. The names of several might be equal, so that only one counts
// towards the fewest.
NodeId ObjectCompiler::more_others(size_t count, bool comma) {
  if (others_.empty() || !may_add(count) || count + 1 < shape_.min_properties) return kNoNode;
  const NodeId first = other_pair(others_after(count));
  return comma ? grammar_.byte(',', values_.gap(first)) : first;
}

Result<NodeId> ObjectCompiler::compile() {
  VITALIS_TRY(read_members());
  VITALIS_TRY(read_others());
  if (shape_.min_properties > shape_.max_properties) return grammar_.fail();
  if (shape_.min_properties > members_.size() + (others_.empty() ? 0 : 1)) {
    if (others_.empty()) return grammar_.fail();
    return reader_.error_at(Code::kUnsupported, shape_.path,
                            "minProperties is held up to one more than the declared properties");
  }
  most_counted_ = shape_.max_properties != SIZE_MAX
                      ? std::min(shape_.max_properties, members_.size() + 1)
                      : shape_.min_properties;
  if (members_.size() * (most_counted_ + 1) > kMostPlaces) {
    return reader_.error_at(Code::kUnsupported, shape_.path,
                            "too many properties together with minProperties or maxProperties");
  }
  end_ = grammar_.byte('}', grammar_.finish());
  // By the number of members so far: after[c] is what may follow a member, next[c] what may follow
  // a comma or the opening brace. From the last declared member to the first.
  std::vector<NodeId> after(most_counted_ + 1), next(most_counted_ + 1);
  for (size_t c = 0; c <= most_counted_; ++c) {
    next[c] = more_others(c, false);
    after[c] = grammar_.choice(more_others(c, true), may_close(c) ? values_.gap(end_) : kNoNode);
  }
  bool all_optional = true;
  for (size_t i = members_.size(); i-- > 0;) {
    const Member& member = members_[i];
    all_optional = all_optional && !member.required;
    std::vector<NodeId> later = after;
    for (size_t c = 0; c <= most_counted_; ++c) {
      const NodeId follows = later[counted(c + 1)];
      const bool possible = may_add(c) && follows != kNoNode;
      const NodeId here = possible ? pair(member, follows) : kNoNode;
      next[c] = grammar_.choice(here, member.required ? kNoNode : next[c]);
      const NodeId comma = next[c] == kNoNode ? kNoNode : grammar_.byte(',', values_.gap(next[c]));
      after[c] = grammar_.choice(comma, all_optional && may_close(c) ? values_.gap(end_) : kNoNode);
    }
  }
  const NodeId first = grammar_.choice(next[0], all_optional && may_close(0) ? end_ : kNoNode);
  if (first == kNoNode) return grammar_.fail();
  return grammar_.byte('{', values_.gap(first));
}

}  // namespace vitalis::harmony::grammar
