// SPDX-License-Identifier: Apache-2.0
// Values against shapes, and shapes against each other: what enum beside other keywords needs, and
// oneOf.
#include <algorithm>

#include "base/utf8.h"
#include "harmony/grammar/regex.h"
#include "harmony/grammar/shape.h"

namespace vitalis::harmony::grammar {
namespace {

constexpr int kDeepestComparison = 4;
constexpr int kDeepestValue = 100;

size_t characters(std::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

uint8_t type_of(const Json& value) {
  switch (value.kind()) {
    case Json::Kind::kNull:
      return Shape::kNull;
    case Json::Kind::kBoolean:
      return Shape::kBoolean;
    case Json::Kind::kInteger:
    case Json::Kind::kReal: {
      const auto number = Decimal::parse(value.text());
      return number && number->is_whole() ? Shape::kInteger : Shape::kReal;
    }
    case Json::Kind::kString:
      return Shape::kString;
    case Json::Kind::kArray:
      return Shape::kArray;
    case Json::Kind::kObject:
      return Shape::kObject;
  }
  return 0;
}

bool accepts_text(const Dfa& body, std::string_view text) {
  std::string encoded;
  write_json_string(encoded, text);
  return body.accepts(std::string_view(encoded).substr(1, encoded.size() - 2));
}

bool apart(const NumberRange& a, const NumberRange& b) {
  const auto above = [](const NumberRange& x, const NumberRange& y) {
    if (!x.low || !y.high) return false;
    const int order = compare(x.low->at, y.high->at);
    return order > 0 || (order == 0 && (x.low->open || y.high->open));
  };
  return above(a, b) || above(b, a);
}

}  // namespace

bool same_value(const Json& a, const Json& b) {
  if (a.is_number() && b.is_number()) {
    const auto x = Decimal::parse(a.text()), y = Decimal::parse(b.text());
    return x && y && compare(*x, *y) == 0;
  }
  if (a.kind() != b.kind()) return false;
  if (a.is_array()) {
    return std::equal(a.items().begin(), a.items().end(), b.items().begin(), b.items().end(),
                      same_value);
  }
  if (a.is_object()) {
    if (a.members().size() != b.members().size()) return false;
    return std::all_of(a.members().begin(), a.members().end(), [&](const Json::Member& m) {
      const Json* other = b.find(m.first);
      return other && same_value(m.second, *other);
    });
  }
  return a == b;
}

Result<bool> ShapeReader::matches(const Json& value, const SchemaRefs& schemas) {
  if (comparing_ > kDeepestValue) return false;
  ++comparing_;
  auto alternatives = inner_shapes(schemas);
  Result<bool> out = alternatives.ok() ? Result<bool>(false) : Result<bool>(alternatives.status());
  if (alternatives.ok()) {
    for (const Shape& shape : *alternatives) {
      out = fits(value, shape);
      if (!out.ok() || *out) break;
    }
  }
  --comparing_;
  return out;
}

// A value is finite, so that a schema may come again inside of itself.
Result<ShapeReader::Shapes> ShapeReader::inner_shapes(const SchemaRefs& schemas) {
  std::vector<const Json*> outer;
  outer.swap(reading_);
  ++comparing_;
  auto out = shapes(schemas);
  --comparing_;
  outer.swap(reading_);
  return out;
}

Result<bool> ShapeReader::fits(const Json& value, const Shape& shape) {
  if ((type_of(value) & shape.types) == 0) return false;
  if (shape.values) {
    const bool listed =
        std::any_of(shape.values->begin(), shape.values->end(),
                    [&](const Json* candidate) { return same_value(value, *candidate); });
    if (!listed) return false;
  }
  if (value.is_number()) {
    const auto number = Decimal::parse(value.text());
    return number && shape.numbers.contains(*number) &&
           (!shape.numbers.multiple_of || is_multiple(*number, *shape.numbers.multiple_of));
  }
  if (value.is_string()) {
    const size_t size = characters(value.text());
    return size >= shape.min_length && size <= shape.max_length &&
           std::all_of(shape.patterns.begin(), shape.patterns.end(),
                       [&](const auto& p) { return accepts_text(*p, value.text()); });
  }
  if (value.is_array()) {
    const size_t size = value.items().size();
    if (size < shape.min_items || size > shape.max_items) return false;
    if (shape.items_closed && !shape.items_given && size > shape.prefix.size()) return false;
    for (size_t i = 0; i < size; ++i) {
      VITALIS_ASSIGN(
          const bool good,
          matches(value.items()[i], i < shape.prefix.size() ? shape.prefix[i] : shape.items));
      if (!good) return false;
    }
  }
  if (value.is_object()) {
    const size_t size = value.members().size();
    if (size < shape.min_properties || size > shape.max_properties) return false;
    for (const std::string& name : shape.required) {
      if (!value.find(name)) return false;
    }
    for (const auto& [name, member] : value.members()) {
      VITALIS_ASSIGN(const bool good, matches(member, shape.schemas_of(name)));
      VITALIS_ASSIGN(const bool named, matches(Json::string(name), shape.names));
      if (!good || !named) return false;
    }
  }
  return true;
}

Result<bool> ShapeReader::exclusive(const Shape& a, const Shape& b, int depth) {
  const uint8_t shared = a.types & b.types;
  if (shared == 0) return true;
  if (depth > kDeepestComparison) return false;
  for (const auto& [listed, other] : {std::pair(&a, &b), std::pair(&b, &a)}) {
    if (!listed->values) continue;
    for (const Json* value : *listed->values) {
      VITALIS_ASSIGN(const bool first, fits(*value, *listed));
      VITALIS_ASSIGN(const bool second, fits(*value, *other));
      if (first && second) return false;
    }
    return true;
  }
  if ((shared & (Shape::kNull | Shape::kBoolean)) != 0) return false;
  if ((shared & (Shape::kInteger | Shape::kReal)) != 0 && !apart(a.numbers, b.numbers)) {
    return false;
  }
  if ((shared & Shape::kString) != 0) {
    VITALIS_ASSIGN(const Dfa x, string_body(a));
    VITALIS_ASSIGN(const Dfa y, string_body(b));
    if (!disjoint(x, y)) return false;
  }
  if ((shared & Shape::kArray) != 0 && a.min_items <= b.max_items && b.min_items <= a.max_items) {
    return false;
  }
  if ((shared & Shape::kObject) != 0) return exclusive_objects(a, b, depth);
  return true;
}

// Objects differ if a member that one of them must have can have no value in both.
Result<bool> ShapeReader::exclusive_objects(const Shape& a, const Shape& b, int depth) {
  std::vector<std::string> names = a.required;
  names.insert(names.end(), b.required.begin(), b.required.end());
  for (const std::string& name : names) {
    // Required by one and allowed in the other: a value for both would be one for both schemas.
    VITALIS_ASSIGN(const Shapes x, inner_shapes(a.schemas_of(name)));
    VITALIS_ASSIGN(const Shapes y, inner_shapes(b.schemas_of(name)));
    bool all_apart = true;
    for (const Shape& p : x) {
      for (const Shape& q : y) {
        VITALIS_ASSIGN(const bool differ, exclusive(p, q, depth + 1));
        all_apart = all_apart && differ;
      }
    }
    if (all_apart) return true;
  }
  return a.min_properties > b.max_properties || b.min_properties > a.max_properties;
}

}  // namespace vitalis::harmony::grammar
