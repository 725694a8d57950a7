// SPDX-License-Identifier: Apache-2.0
// JSON Schema brought to a form that a grammar can be made of: a schema is a list of alternatives,
// and each alternative (a Shape) is a plain conjunction of constraints, without references or
// combinators. Subschemas stay references into the caller's Json, which must outlive what is made
// of it. One thread at a time.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "harmony/grammar/automaton.h"
#include "harmony/grammar/number_range.h"
#include "harmony/json.h"

namespace vitalis::harmony::grammar {

// A schema and where it stands: a JSON Pointer, for messages.
struct SchemaRef {
  const Json* schema;
  std::string path;
};
// All of them hold.
using SchemaRefs = std::vector<SchemaRef>;

struct Shape {
  enum Type : uint8_t {
    kNull = 1,
    kBoolean = 2,
    kInteger = 4,
    kReal = 8,  // numbers that are not whole
    kString = 16,
    kArray = 32,
    kObject = 64,
    kAll = 127,
  };
  uint8_t types = kAll;
  std::optional<std::vector<const Json*>> values;  // one of these (enum, const)

  NumberRange numbers;

  size_t min_length = 0, max_length = SIZE_MAX;
  std::vector<std::shared_ptr<const Dfa>> patterns;  // encoded bodies, see regex.h

  std::vector<SchemaRefs> prefix;
  SchemaRefs items;  // of the items after the prefix
  bool items_given = false, items_closed = false;
  size_t min_items = 0, max_items = SIZE_MAX;

  struct Property {
    std::string name;
    SchemaRefs schemas;
  };
  struct PatternProperty {
    std::shared_ptr<const Dfa> names;
    SchemaRefs schemas;
  };
  std::vector<Property> properties;  // in the order of the schema
  std::vector<std::string> required;
  std::vector<PatternProperty> pattern_properties;
  SchemaRefs additional;
  bool additional_given = false, closed = false;  // closed: nothing beyond what is declared
  SchemaRefs names;                               // propertyNames
  size_t min_properties = 0, max_properties = SIZE_MAX;

  std::string path;  // of the first schema that shaped it

  const Property* property(std::string_view name) const;
  bool requires_property(std::string_view name) const;
  // What holds for the value of a member of that name.
  SchemaRefs schemas_of(std::string_view name) const;
};

// Whether JSON Schema takes them for equal: 1 is 1.0, and members have no order.
bool same_value(const Json& a, const Json& b);

class ShapeReader {
 public:
  // `place` begins the path of messages: "tools[0].parameters".
  ShapeReader(const Json& root, std::string place) : root_(root), place_(std::move(place)) {}

  SchemaRef root() const { return {&root_, ""}; }
  // None: nothing satisfies the schemas. kMalformed or kUnsupported with keyword and path.
  Result<std::vector<Shape>> shapes(const SchemaRefs& schemas);
  Result<bool> matches(const Json& value, const SchemaRefs& schemas);
  Result<bool> fits(const Json& value, const Shape& shape);
  // Whether no value has both shapes, as far as can be told.
  Result<bool> exclusive(const Shape& a, const Shape& b, int depth = 0);
  // The encoded texts of strings of that shape, without quotes.
  Result<Dfa> string_body(const Shape& shape) const;
  Status error_at(Code code, const std::string& path, std::string_view what) const;

 private:
  using Shapes = std::vector<Shape>;
  Result<Shapes> read(const SchemaRef& ref);
  Result<Shapes> read_object(const SchemaRef& ref);
  Status read_types(const SchemaRef& ref, Shape& out) const;
  Status read_values(const SchemaRef& ref, Shape& out) const;
  Status read_numbers(const SchemaRef& ref, Shape& out) const;
  Status read_strings(const SchemaRef& ref, Shape& out) const;
  Status read_arrays(const SchemaRef& ref, Shape& out) const;
  Status read_objects(const SchemaRef& ref, Shape& out) const;
  Status read_dependent(const SchemaRef& ref, Shapes& shapes) const;
  Status refuse_others(const SchemaRef& ref) const;
  Status read_count(const SchemaRef& ref, std::string_view keyword, size_t& out) const;
  Status read_schema(const SchemaRef& ref, std::string_view keyword, const Json** out) const;
  Result<SchemaRef> resolve(const SchemaRef& ref, const std::string& target) const;
  Status add_branches(const SchemaRef& ref, std::string_view keyword, Shapes& shapes);
  Status narrow(Shapes& shapes, const Shapes& by, const std::string& path) const;
  Status merge(Shape& into, const Shape& from) const;
  Status merge_objects(Shape& into, const Shape& from) const;
  Result<Shapes> inner_shapes(const SchemaRefs& schemas);
  Result<bool> exclusive_objects(const Shape& a, const Shape& b, int depth);

  const Json& root_;
  std::string place_;
  std::vector<const Json*> reading_;  // schemas that refer to themselves would never end
  int comparing_ = 0;                 // how deep in values or shapes that are compared
};

}  // namespace vitalis::harmony::grammar
