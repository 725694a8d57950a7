// SPDX-License-Identifier: Apache-2.0
// The rule of objects of one shape: declared members in the order of the schema, required ones
// always, then members of other names where the schema asks for them. Used by schema_grammar.cc.
#pragma once

#include <string>
#include <vector>

#include "base/status.h"
#include "harmony/grammar/schema_grammar.h"

namespace vitalis::harmony::grammar {

class ObjectCompiler {
 public:
  ObjectCompiler(SchemaCompiler& values, ShapeReader& reader, const Shape& shape)
      : values_(values), grammar_(values.grammar_), reader_(reader), shape_(shape) {}

  Result<NodeId> compile();

 private:
  struct Member {
    std::string name;
    SchemaRefs schemas;
    bool required;
  };
  // Names that are not declared, by what holds for their values.
  struct Others {
    Leaf names;
    SchemaRefs schemas;
  };
  Status read_members();
  Status read_others();
  Status add_others(const Dfa& names, const SchemaRefs& schemas);
  NodeId pair(const Member& member, NodeId next);
  NodeId other_pair(NodeId next);
  NodeId others_after(size_t count);
  NodeId more_others(size_t count, bool comma);
  size_t counted(size_t count) const { return std::min(count, most_counted_); }
  bool may_close(size_t count) const { return count >= shape_.min_properties; }
  bool may_add(size_t count) const { return count < shape_.max_properties; }

  SchemaCompiler& values_;
  Grammar& grammar_;
  ShapeReader& reader_;
  const Shape& shape_;
  std::vector<Member> members_;
  std::vector<Others> others_;
  size_t most_counted_ = 0;  // members beyond this many need no count
  std::vector<NodeId> other_loops_;
  NodeId end_ = kNoNode;
};

}  // namespace vitalis::harmony::grammar
