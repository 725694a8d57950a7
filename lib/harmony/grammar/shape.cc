// SPDX-License-Identifier: Apache-2.0
#include "harmony/grammar/shape.h"

#include <algorithm>
#include <array>

#include "harmony/grammar/formats.h"
#include "harmony/grammar/regex.h"

namespace vitalis::harmony::grammar {
namespace {

constexpr size_t kMostAlternatives = 128;
constexpr size_t kDeepestReferences = 64;

const Json& nothing() {
  static const Json schema = Json::boolean(false);
  return schema;
}

const std::vector<Json::Member>& members(const Json* object) {
  static const std::vector<Json::Member> none;
  return object ? object->members() : none;
}

void append(SchemaRefs& to, const SchemaRefs& from) {
  for (const SchemaRef& ref : from) {
    const bool known = std::any_of(to.begin(), to.end(),
                                   [&](const SchemaRef& r) { return r.schema == ref.schema; });
    if (!known) to.push_back(ref);
  }
}

std::string pointer(const std::string& path, std::string_view name) {
  std::string out = path + '/';
  for (const char c : name) {
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else {
      out += c;
    }
  }
  return out;
}

// A whole number of a keyword; a schema may write 2 as 2.0.
std::optional<size_t> whole(const Json& json) {
  if (!json.is_number()) return {};
  const auto value = Decimal::parse(json.text());
  if (!value || value->negative || !value->is_whole() || value->whole.size() > 9) return {};
  return std::stoul(value->whole);
}

// Keywords that constrain and cannot be held. What is in no list says nothing about what is valid.
constexpr std::string_view kRefused[] = {"not",         "if",           "then",
                                         "else",        "contains",     "minContains",
                                         "maxContains", "dependencies", "dependentSchemas",
                                         "$dynamicRef", "$recursiveRef"};

}  // namespace

const Shape::Property* Shape::property(std::string_view name) const {
  for (const Property& p : properties) {
    if (p.name == name) return &p;
  }
  return nullptr;
}

bool Shape::requires_property(std::string_view name) const {
  return std::find(required.begin(), required.end(), name) != required.end();
}

SchemaRefs Shape::schemas_of(std::string_view name) const {
  if (const Property* declared = property(name)) return declared->schemas;
  SchemaRefs out;
  bool found = false;
  std::string encoded;
  write_json_string(encoded, name);
  for (const PatternProperty& p : pattern_properties) {
    if (!p.names->accepts(std::string_view(encoded).substr(1, encoded.size() - 2))) continue;
    found = true;
    append(out, p.schemas);
  }
  if (!found) append(out, additional);
  return out;
}

Status ShapeReader::error_at(Code code, const std::string& path, std::string_view what) const {
  return error(code, place_, path, ": ", what);
}

Result<std::vector<Shape>> ShapeReader::shapes(const SchemaRefs& schemas) {
  Shapes out(1);
  if (!schemas.empty()) out[0].path = schemas[0].path;
  for (const SchemaRef& ref : schemas) {
    VITALIS_ASSIGN(const Shapes more, read(ref));
    VITALIS_TRY(narrow(out, more, ref.path));
  }
  return out;
}

Result<ShapeReader::Shapes> ShapeReader::read(const SchemaRef& ref) {
  const Json& schema = *ref.schema;
  if (schema.is_boolean()) {
    Shapes out(schema.truth() ? 1 : 0);
    if (!out.empty()) out[0].path = ref.path;
    return out;
  }
  if (!schema.is_object()) {
    return error_at(
        Code::kMalformed, ref.path,
        text("expected a schema, an object or a boolean; found ", kind_name(schema.kind())));
  }
  if (std::find(reading_.begin(), reading_.end(), &schema) != reading_.end()) {
    return error_at(Code::kUnsupported, ref.path, "the schema refers to itself without end");
  }
  if (reading_.size() >= kDeepestReferences) {
    return error_at(Code::kUnsupported, ref.path, "references are nested too deeply");
  }
  reading_.push_back(&schema);
  auto out = read_object(ref);
  reading_.pop_back();
  return out;
}

Result<ShapeReader::Shapes> ShapeReader::read_object(const SchemaRef& ref) {
  VITALIS_TRY(refuse_others(ref));
  Shapes out(1);
  Shape& own = out[0];
  own.path = ref.path;
  VITALIS_TRY(read_types(ref, own));
  VITALIS_TRY(read_values(ref, own));
  VITALIS_TRY(read_numbers(ref, own));
  VITALIS_TRY(read_strings(ref, own));
  VITALIS_TRY(read_arrays(ref, own));
  VITALIS_TRY(read_objects(ref, own));
  VITALIS_TRY(read_dependent(ref, out));
  if (const Json* target = ref.schema->find("$ref")) {
    if (!target->is_string()) {
      return error_at(Code::kMalformed, ref.path + "/$ref", "expected a string");
    }
    VITALIS_ASSIGN(const SchemaRef found, resolve(ref, target->text()));
    VITALIS_ASSIGN(const Shapes more, read(found));
    VITALIS_TRY(narrow(out, more, ref.path));
  }
  if (const Json* all = ref.schema->find("allOf")) {
    if (!all->is_array()) {
      return error_at(Code::kMalformed, ref.path + "/allOf", "expected an array");
    }
    for (size_t i = 0; i < all->items().size(); ++i) {
      VITALIS_ASSIGN(const Shapes more, read({&all->items()[i], text(ref.path, "/allOf/", i)}));
      VITALIS_TRY(narrow(out, more, ref.path));
    }
  }
  VITALIS_TRY(add_branches(ref, "anyOf", out));
  VITALIS_TRY(add_branches(ref, "oneOf", out));
  return out;
}

Status ShapeReader::refuse_others(const SchemaRef& ref) const {
  for (const std::string_view keyword : kRefused) {
    if (ref.schema->find(keyword)) {
      return error_at(Code::kUnsupported, pointer(ref.path, keyword),
                      "this keyword cannot be held");
    }
  }
  const Json* unevaluated = ref.schema->find("unevaluatedProperties");
  const Json* items = ref.schema->find("unevaluatedItems");
  if ((unevaluated && !unevaluated->is_boolean()) || (items && !items->is_boolean())) {
    return error_at(Code::kUnsupported,
                    ref.path + (unevaluated && !unevaluated->is_boolean() ? "/unevaluatedProperties"
                                                                          : "/unevaluatedItems"),
                    "this keyword is held with true and false only");
  }
  return {};
}

Status ShapeReader::read_count(const SchemaRef& ref, std::string_view keyword, size_t& out) const {
  const Json* found = ref.schema->find(keyword);
  if (!found) return {};
  const auto value = whole(*found);
  if (!value) {
    return error_at(Code::kMalformed, pointer(ref.path, keyword),
                    "expected a whole number from 0 to 999999999");
  }
  out = *value;
  return {};
}

Status ShapeReader::read_types(const SchemaRef& ref, Shape& out) const {
  constexpr std::pair<std::string_view, uint8_t> kTypes[] = {
      {"null", Shape::kNull},       {"boolean", Shape::kBoolean},
      {"integer", Shape::kInteger}, {"number", Shape::kInteger | Shape::kReal},
      {"string", Shape::kString},   {"array", Shape::kArray},
      {"object", Shape::kObject}};
  const Json* type = ref.schema->find("type");
  if (!type) return {};
  uint8_t types = 0;
  const auto add = [&](const Json& name) -> Status {
    for (const auto& [known, bits] : kTypes) {
      if (name.is_string() && name.text() == known) {
        types |= bits;
        return {};
      }
    }
    return error_at(Code::kMalformed, ref.path + "/type",
                    "expected null, boolean, integer, number, string, array or object");
  };
  if (type->is_array()) {
    for (const Json& name : type->items()) VITALIS_TRY(add(name));
  } else {
    VITALIS_TRY(add(*type));
  }
  const Json* nullable = ref.schema->find("nullable");  // OpenAPI's
  if (nullable && nullable->is_boolean() && nullable->truth()) types |= Shape::kNull;
  out.types = types;
  return {};
}

Status ShapeReader::read_values(const SchemaRef& ref, Shape& out) const {
  const Json* values = ref.schema->find("enum");
  if (values) {
    if (!values->is_array()) {
      return error_at(Code::kMalformed, ref.path + "/enum", "expected an array");
    }
    out.values.emplace();
    for (const Json& value : values->items()) out.values->push_back(&value);
  }
  if (const Json* value = ref.schema->find("const")) {
    Shape only;
    only.values.emplace(1, value);
    VITALIS_TRY(merge(out, only));
  }
  return {};
}

Status ShapeReader::read_numbers(const SchemaRef& ref, Shape& out) const {
  const auto number = [&](std::string_view keyword, std::optional<Decimal>& to,
                          bool* flag = nullptr) -> Status {
    const Json* found = ref.schema->find(keyword);
    if (!found) return {};
    if (flag && found->is_boolean()) {  // as in draft 4: it makes the other bound open
      *flag = found->truth();
      return {};
    }
    if (found->is_number()) to = Decimal::parse(found->text());
    if (to) return {};
    return error_at(Code::kMalformed, pointer(ref.path, keyword), "expected a number");
  };
  std::optional<Decimal> low, high, above, below;
  bool low_open = false, high_open = false;
  VITALIS_TRY(number("minimum", low));
  VITALIS_TRY(number("maximum", high));
  VITALIS_TRY(number("exclusiveMinimum", above, &low_open));
  VITALIS_TRY(number("exclusiveMaximum", below, &high_open));
  VITALIS_TRY(number("multipleOf", out.numbers.multiple_of));
  if (low) out.numbers.raise({*low, low_open});
  if (above) out.numbers.raise({*above, true});
  if (high) out.numbers.lower({*high, high_open});
  if (below) out.numbers.lower({*below, true});
  return {};
}

Status ShapeReader::read_strings(const SchemaRef& ref, Shape& out) const {
  VITALIS_TRY(read_count(ref, "minLength", out.min_length));
  VITALIS_TRY(read_count(ref, "maxLength", out.max_length));
  const auto add = [&](std::string_view keyword, std::string_view pattern) -> Status {
    auto body = regex_body(pattern);
    if (!body.ok()) {
      return error_at(body.status().code(), pointer(ref.path, keyword), body.status().message());
    }
    out.patterns.push_back(std::make_shared<const Dfa>(body.take()));
    return {};
  };
  for (const char* keyword : {"pattern", "format"}) {
    const Json* found = ref.schema->find(keyword);
    if (found && !found->is_string()) {
      return error_at(Code::kMalformed, pointer(ref.path, keyword), "expected a string");
    }
  }
  if (const Json* pattern = ref.schema->find("pattern"))
    VITALIS_TRY(add("pattern", pattern->text()));
  if (const Json* format = ref.schema->find("format")) {
    if (const auto pattern = format_pattern(format->text())) VITALIS_TRY(add("format", *pattern));
  }
  return {};
}

Status ShapeReader::read_schema(const SchemaRef& ref, std::string_view keyword,
                                const Json** out) const {
  *out = ref.schema->find(keyword);
  if (!*out || (*out)->is_object() || (*out)->is_boolean()) return {};
  return error_at(Code::kMalformed, pointer(ref.path, keyword),
                  text("expected a schema; found ", kind_name((*out)->kind())));
}

Status ShapeReader::read_arrays(const SchemaRef& ref, Shape& out) const {
  VITALIS_TRY(read_count(ref, "minItems", out.min_items));
  VITALIS_TRY(read_count(ref, "maxItems", out.max_items));
  const Json* items = ref.schema->find("items");
  const Json* prefix = ref.schema->find("prefixItems");
  const char* prefix_keyword = "prefixItems";
  const char* rest_keyword = "items";
  if (items && items->is_array()) {  // as before 2020
    prefix = items;
    prefix_keyword = "items";
    rest_keyword = "additionalItems";
  }
  if (prefix) {
    if (!prefix->is_array()) {
      return error_at(Code::kMalformed, pointer(ref.path, prefix_keyword), "expected an array");
    }
    for (size_t i = 0; i < prefix->items().size(); ++i) {
      out.prefix.push_back({{&prefix->items()[i], text(ref.path, "/", prefix_keyword, "/", i)}});
    }
  }
  const Json* rest = nullptr;
  VITALIS_TRY(read_schema(ref, rest_keyword, &rest));
  if (rest) {
    out.items_given = true;
    out.items = {{rest, pointer(ref.path, rest_keyword)}};
  }
  const Json* others = ref.schema->find("unevaluatedItems");
  out.items_closed = others && others->is_boolean() && !others->truth();
  const Json* unique = ref.schema->find("uniqueItems");
  if (unique && !unique->is_boolean()) {
    return error_at(Code::kMalformed, ref.path + "/uniqueItems", "expected a boolean");
  }
  if (unique && unique->truth() && out.max_items > 1) {
    return error_at(Code::kUnsupported, ref.path + "/uniqueItems", "this keyword cannot be held");
  }
  return {};
}

Status ShapeReader::read_objects(const SchemaRef& ref, Shape& out) const {
  VITALIS_TRY(read_count(ref, "minProperties", out.min_properties));
  VITALIS_TRY(read_count(ref, "maxProperties", out.max_properties));
  const auto object = [&](std::string_view keyword, const Json** found) -> Status {
    *found = ref.schema->find(keyword);
    if (!*found || (*found)->is_object()) return {};
    return error_at(Code::kMalformed, pointer(ref.path, keyword), "expected an object");
  };
  const Json* patterns = nullptr;
  VITALIS_TRY(object("patternProperties", &patterns));
  for (const auto& [pattern, schema] : members(patterns)) {
    const std::string path = pointer(ref.path + "/patternProperties", pattern);
    auto names = regex_body(pattern);
    if (!names.ok()) return error_at(names.status().code(), path, names.status().message());
    out.pattern_properties.push_back(
        {std::make_shared<const Dfa>(names.take()), {{&schema, path}}});
  }
  const Json* properties = nullptr;
  VITALIS_TRY(object("properties", &properties));
  for (const auto& [name, schema] : members(properties)) {
    Shape::Property property = {name, {{&schema, pointer(ref.path + "/properties", name)}}};
    append(property.schemas, out.schemas_of(name));
    out.properties.push_back(std::move(property));
  }
  const Json* additional = nullptr;
  VITALIS_TRY(read_schema(ref, "additionalProperties", &additional));
  if (additional) {
    out.additional_given = true;
    out.additional = {{additional, ref.path + "/additionalProperties"}};
  }
  const Json* others = ref.schema->find("unevaluatedProperties");
  out.closed = others && others->is_boolean() && !others->truth();
  const Json* names = nullptr;
  VITALIS_TRY(read_schema(ref, "propertyNames", &names));
  if (names) out.names = {{names, ref.path + "/propertyNames"}};
  if (const Json* required = ref.schema->find("required"); required && required->is_array()) {
    for (const Json& name : required->items()) {
      if (!name.is_string()) {
        return error_at(Code::kMalformed, ref.path + "/required", "expected strings");
      }
      if (!out.requires_property(name.text())) out.required.push_back(name.text());
    }
  } else if (required && !required->is_boolean()) {  // draft 3 had a boolean here
    return error_at(Code::kMalformed, ref.path + "/required", "expected an array of names");
  }
  return {};
}

// {"a": ["b"]}: either there is no a, or there are both.
Status ShapeReader::read_dependent(const SchemaRef& ref, Shapes& shapes) const {
  const Json* dependent = ref.schema->find("dependentRequired");
  if (!dependent) return {};
  const std::string path = ref.path + "/dependentRequired";
  if (!dependent->is_object()) return error_at(Code::kMalformed, path, "expected an object");
  for (const auto& [name, needed] : dependent->members()) {
    Shape without, with;
    without.properties.push_back({name, {{&nothing(), path}}});
    with.required.push_back(name);
    for (const Json& other : needed.items()) {
      if (!other.is_string()) return error_at(Code::kMalformed, path, "expected names");
      if (!with.requires_property(other.text())) with.required.push_back(other.text());
    }
    without.path = with.path = path;
    VITALIS_TRY(narrow(shapes, {without, with}, path));
  }
  return {};
}

Result<SchemaRef> ShapeReader::resolve(const SchemaRef& ref, const std::string& target) const {
  const auto wrong = [&](std::string_view what) {
    return error_at(Code::kUnsupported, ref.path + "/$ref", text(what, "; found ", target));
  };
  if (!target.starts_with('#')) return wrong("expected a reference within this schema, #/…");
  std::string_view rest = std::string_view(target).substr(1);
  const Json* at = &root_;
  while (!rest.empty()) {
    if (rest[0] != '/') return wrong("expected a JSON Pointer after #");
    rest.remove_prefix(1);
    const std::string_view raw = rest.substr(0, rest.find('/'));
    rest.remove_prefix(raw.size());
    std::string name;
    for (size_t i = 0; i < raw.size(); ++i) {
      const std::string_view here = raw.substr(i);
      if (here.starts_with("~1")) {
        name += '/';
        ++i;
      } else if (here.starts_with("~0")) {
        name += '~';
        ++i;
      } else if (here[0] == '%' && here.size() > 2) {
        name += static_cast<char>(std::strtol(std::string(here.substr(1, 2)).c_str(), nullptr, 16));
        i += 2;
      } else {
        name += here[0];
      }
    }
    const Json* next = at->find(name);
    if (at->is_array() && !name.empty() && name.size() < 6 &&
        name.find_first_not_of("0123456789") == std::string::npos &&
        std::stoul(name) < at->items().size()) {
      next = &at->items()[std::stoul(name)];
    }
    if (!next) return wrong("there is no such place");
    at = next;
  }
  return SchemaRef{at, target.substr(1)};
}

Status ShapeReader::add_branches(const SchemaRef& ref, std::string_view keyword, Shapes& shapes) {
  const Json* branches = ref.schema->find(keyword);
  if (!branches) return {};
  const std::string path = pointer(ref.path, keyword);
  if (!branches->is_array() || branches->items().empty()) {
    return error_at(Code::kMalformed, path, "expected an array of schemas");
  }
  Shapes all;
  std::vector<Shapes> each;
  for (size_t i = 0; i < branches->items().size(); ++i) {
    VITALIS_ASSIGN(Shapes branch, read({&branches->items()[i], text(path, "/", i)}));
    // With what stands beside the keyword: that may be what tells the branches apart.
    Shapes whole_branch = shapes;
    VITALIS_TRY(narrow(whole_branch, branch, path));
    all.insert(all.end(), whole_branch.begin(), whole_branch.end());
    each.push_back(std::move(whole_branch));
  }
  // A schema met while values or shapes are compared is checked when its own turn comes.
  if (keyword == "oneOf" && comparing_ == 0) {
    for (size_t i = 0; i < each.size(); ++i) {
      for (size_t j = 0; j < i; ++j) {
        for (const Shape& a : each[i]) {
          for (const Shape& b : each[j]) {
            VITALIS_ASSIGN(const bool apart, exclusive(a, b));
            if (apart) continue;
            return error_at(Code::kUnsupported, path,
                            text("a value may fit the branches ", j, " and ", i,
                                 " at once; say anyOf, or tell them apart by type or by a required "
                                 "property with const"));
          }
        }
      }
    }
  }
  if (all.size() > kMostAlternatives) {
    return error_at(Code::kUnsupported, path, "too many alternatives");
  }
  shapes = std::move(all);
  return {};
}

// Each of `shapes` with each of `by`.
Status ShapeReader::narrow(Shapes& shapes, const Shapes& by, const std::string& path) const {
  Shapes out;
  for (const Shape& a : shapes) {
    for (const Shape& b : by) {
      Shape both = a;
      VITALIS_TRY(merge(both, b));
      if (both.types != 0) out.push_back(std::move(both));
      if (out.size() > kMostAlternatives) {
        return error_at(Code::kUnsupported, path, "too many alternatives");
      }
    }
  }
  shapes = std::move(out);
  return {};
}

Status ShapeReader::merge(Shape& into, const Shape& from) const {
  into.types &= from.types;
  if (from.values) {
    if (into.values) {
      std::erase_if(*into.values, [&](const Json* value) {
        return std::none_of(from.values->begin(), from.values->end(),
                            [&](const Json* other) { return same_value(*value, *other); });
      });
    } else {
      into.values = from.values;
    }
  }
  if (from.numbers.low) into.numbers.raise(*from.numbers.low);
  if (from.numbers.high) into.numbers.lower(*from.numbers.high);
  if (from.numbers.multiple_of) {
    if (into.numbers.multiple_of &&
        compare(*into.numbers.multiple_of, *from.numbers.multiple_of) != 0) {
      return error_at(Code::kUnsupported, from.path + "/multipleOf", "two of them cannot be held");
    }
    into.numbers.multiple_of = from.numbers.multiple_of;
  }
  into.min_length = std::max(into.min_length, from.min_length);
  into.max_length = std::min(into.max_length, from.max_length);
  into.patterns.insert(into.patterns.end(), from.patterns.begin(), from.patterns.end());

  const size_t prefix = std::max(into.prefix.size(), from.prefix.size());
  for (size_t i = 0; i < prefix; ++i) {
    if (i >= into.prefix.size()) into.prefix.push_back(into.items);
    append(into.prefix[i], i < from.prefix.size() ? from.prefix[i] : from.items);
  }
  append(into.items, from.items);
  into.items_given |= from.items_given;
  into.items_closed |= from.items_closed;
  into.min_items = std::max(into.min_items, from.min_items);
  into.max_items = std::min(into.max_items, from.max_items);
  return merge_objects(into, from);
}

Status ShapeReader::merge_objects(Shape& into, const Shape& from) const {
  if (!into.pattern_properties.empty() || !from.pattern_properties.empty()) {
    const bool simple = (into.additional.empty() && into.pattern_properties.empty()) ||
                        (from.additional.empty() && from.pattern_properties.empty());
    if (!simple) {
      return error_at(Code::kUnsupported, from.path,
                      "patternProperties of one schema together with additionalProperties or "
                      "patternProperties of another cannot be held");
    }
  }
  for (Shape::Property& p : into.properties) append(p.schemas, from.schemas_of(p.name));
  std::vector<Shape::Property> added;
  for (const Shape::Property& p : from.properties) {
    if (into.property(p.name)) continue;
    Shape::Property property = {p.name, p.schemas};
    append(property.schemas, into.schemas_of(p.name));
    added.push_back(std::move(property));
  }
  into.properties.insert(into.properties.end(), added.begin(), added.end());
  into.pattern_properties.insert(into.pattern_properties.end(), from.pattern_properties.begin(),
                                 from.pattern_properties.end());
  append(into.additional, from.additional);
  into.additional_given |= from.additional_given;
  into.closed |= from.closed;
  append(into.names, from.names);
  for (const std::string& name : from.required) {
    if (!into.requires_property(name)) into.required.push_back(name);
  }
  into.min_properties = std::max(into.min_properties, from.min_properties);
  into.max_properties = std::min(into.max_properties, from.max_properties);
  return {};
}

Result<Dfa> ShapeReader::string_body(const Shape& shape) const {
  Dfa body = shape.patterns.empty() ? any_body() : *shape.patterns[0];
  const auto at = [&](const Status& status) {
    return error_at(status.code(), shape.path, status.message());
  };
  for (size_t i = 1; i < shape.patterns.size(); ++i) {
    auto both = intersect(body, *shape.patterns[i]);
    if (!both.ok()) return at(both.status());
    body = both.take();
  }
  if (shape.min_length > 0 || shape.max_length != SIZE_MAX) {
    auto limited = limit_characters(body, shape.min_length, shape.max_length);
    if (!limited.ok()) return at(limited.status());
    body = limited.take();
  }
  return body;
}

}  // namespace vitalis::harmony::grammar
