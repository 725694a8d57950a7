// SPDX-License-Identifier: Apache-2.0
// JSON Schemas to rules of a grammar. What the rules accept satisfies the schema; they accept less
// than the schema where docs/constrained-output.md says so. One compiler may take several schemas
// into one grammar. One thread at a time.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/status.h"
#include "harmony/grammar/grammar.h"
#include "harmony/grammar/shape.h"

namespace vitalis::harmony::grammar {

class SchemaCompiler {
 public:
  explicit SchemaCompiler(Grammar& grammar) : grammar_(grammar) {}

  // The rule of JSON texts that satisfy the schema. `place` begins the path in messages. kMalformed
  // or kUnsupported, with keyword and path; kInvalidArgument if nothing satisfies the schema.
  Result<RuleId> compile(const Json& schema, const std::string& place);

 private:
  using Key = std::vector<const Json*>;
  struct Pending {
    RuleId rule;
    SchemaRefs schemas;
  };
  RuleId value_rule(const SchemaRefs& schemas);
  NodeId value(const SchemaRefs& schemas, NodeId next) {
    return grammar_.call(value_rule(schemas), next);
  }
  Result<NodeId> body(const SchemaRefs& schemas);
  Result<NodeId> alternative(const Shape& shape);
  Result<NodeId> listed_values(const Shape& shape);
  Result<NodeId> number(const Shape& shape);
  Result<NodeId> string(const Shape& shape);
  Result<NodeId> array(const Shape& shape);
  Result<NodeId> object(const Shape& shape);
  void add_white_space();
  NodeId gap(NodeId next) { return grammar_.call(gap_, next); }      // or a line break, indented
  NodeId space(NodeId next) { return grammar_.call(space_, next); }  // or one space
  Status check_possible(RuleId root, const std::string& place) const;

  friend class ObjectCompiler;
  Grammar& grammar_;
  ShapeReader* reader_ = nullptr;  // of the schema at hand
  std::map<Key, RuleId> known_;
  std::vector<Pending> pending_;
  RuleId gap_ = kNoNode, space_ = kNoNode;
};

}  // namespace vitalis::harmony::grammar
