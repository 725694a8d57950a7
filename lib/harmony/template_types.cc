// SPDX-License-Identifier: Apache-2.0
#include "harmony/template_types.h"

#include <algorithm>

namespace vitalis::harmony {
namespace {

constexpr size_t kLongestInner = 50;  // characters of an item type; a longer one becomes any[]

Status raises(const std::string& where, std::string_view why) {
  return error(Code::kInvalidArgument, where, ": the chat template cannot render this: ", why);
}

// As str() has it.
std::string python_text(const Json& value) {
  switch (value.kind()) {
    case Json::Kind::kString:
      return value.text();
    case Json::Kind::kNull:
      return "None";
    case Json::Kind::kBoolean:
      return value.truth() ? "True" : "False";
    default:
      return value.dump(Json::Style::kPython);
  }
}

std::string_view type_word(const Json& schema) {
  const Json* type = schema.find("type");
  return type && type->is_string() ? std::string_view(type->text()) : std::string_view();
}

size_t character_count(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

// Whether `name` is in the list, or in the text as Python looks there.
bool is_named(const Json* required, std::string_view name) {
  if (!required) return false;
  if (required->is_string()) return required->text().find(name) != std::string::npos;
  if (required->is_object()) return required->find(name) != nullptr;
  return std::any_of(required->items().begin(), required->items().end(),
                     [&](const Json& item) { return item.is_string() && item.text() == name; });
}

Status append_type(std::string& out, const Json& schema, const std::string& where);

Status append_array_type(std::string& out, const Json& schema, const std::string& where) {
  const Json* items = schema.find("items");
  if (!is_truthy(items)) {
    out += "any[]";
  } else {
    const std::string_view word = type_word(*items);
    if (word == "string" || word == "boolean" || word == "number") {
      out.append(word).append("[]");
    } else if (word == "integer") {
      out += "number[]";
    } else {
      std::string inner;
      VITALIS_TRY(append_type(inner, *items, where + ".items"));
      if (inner == "object | object" || character_count(inner) > kLongestInner) inner = "any";
      out.append(inner).append("[]");
    }
  }
  if (is_truthy(schema.find("nullable"))) out += " | null";
  return {};
}

// One after the other, whatever the variants are: the template means to fall back to `any` for
// objects, but the flag that it sets in a loop is lost there.
Status append_one_of(std::string& out, const Json& variants, const std::string& where) {
  for (size_t i = 0; i < variants.items().size(); ++i) {
    const Json& variant = variants.items()[i];
    const std::string place = text(where, ".oneOf[", i, "]");
    VITALIS_TRY(append_type(out, variant, place));
    if (const Json* description = variant.find("description"); is_truthy(description)) {
      if (!description->is_string()) return raises(place, "a description that is no string");
      out.append("// ").append(description->text());
    }
    if (const Json* value = variant.find("default")) {
      // The template's own indentation.
      out.append(20, ' ').append("// default: ").append(value->dump(Json::Style::kPython));
    }
    if (i + 1 < variants.items().size()) out += " | \n";
  }
  return {};
}

Status append_object_type(std::string& out, const Json& schema, const std::string& where) {
  const Json* properties = schema.find("properties");
  if (!is_truthy(properties)) {
    out += "object";
    return {};
  }
  if (!properties->is_object()) return raises(where, "properties that are no object");
  out += "{\n";
  const auto& members = properties->members();
  for (size_t i = 0; i < members.size(); ++i) {
    const auto& [name, property] = members[i];
    out += name;
    if (!is_named(schema.find("required"), name)) out += "?";
    // The template's own line break and indentation.
    out.append(": \n").append(16, ' ');
    VITALIS_TRY(append_type(out, property, text(where, ".", name)));
    if (i + 1 < members.size()) out += ", ";
  }
  out += "}";
  return {};
}

Status append_string_type(std::string& out, const Json& schema, const std::string& where) {
  const Json* values = schema.find("enum");
  if (!is_truthy(values)) {
    out += "string";
    if (is_truthy(schema.find("nullable"))) out += " | null";
    return {};
  }
  if (!values->is_array()) return raises(where, "an enum that is no array");
  for (size_t i = 0; i < values->items().size(); ++i) {
    out.append(i > 0 ? " | \"" : "\"").append(python_text(values->items()[i])).append("\"");
  }
  return {};
}

Status append_type(std::string& out, const Json& schema, const std::string& where) {
  const std::string_view word = type_word(schema);
  const Json* type = schema.find("type");
  if (word == "array") return append_array_type(out, schema, where);
  if (type && type->is_array() && !type->items().empty()) {
    for (size_t i = 0; i < type->items().size(); ++i) {
      out.append(i > 0 ? " | " : "").append(python_text(type->items()[i]));
    }
    return {};
  }
  if (const Json* variants = schema.find("oneOf"); is_truthy(variants)) {
    if (!variants->is_array()) return raises(where, "a oneOf that is no array");
    return append_one_of(out, *variants, where);
  }
  if (word == "string") return append_string_type(out, schema, where);
  if (word == "object") return append_object_type(out, schema, where);
  if (word == "number" || word == "integer") {
    out += "number";
  } else if (word == "boolean") {
    out += "boolean";
  } else {
    out += "any";
  }
  return {};
}

Status append_parameter(std::string& out, const std::string& name, const Json& schema,
                        bool required, const std::string& where) {
  if (const Json* description = schema.find("description"); is_truthy(description)) {
    if (!description->is_string()) return raises(where, "a description that is no string");
    out.append("// ").append(description->text()).append("\n");
  }
  out.append(name).append(required ? ": " : "?: ");
  VITALIS_TRY(append_type(out, schema, where));
  if (const Json* value = schema.find("default")) {
    const bool has_enum = is_truthy(schema.find("enum"));
    if (has_enum || is_truthy(schema.find("oneOf"))) {
      if (!value->is_string()) {
        return raises(where, "a default that is no string, beside enum or oneOf");
      }
      out.append(has_enum ? ", // default: " : "// default: ").append(value->text());
    } else {
      out.append(", // default: ").append(value->dump(Json::Style::kPython));
    }
  }
  out += ",\n";
  return {};
}

}  // namespace

bool is_truthy(const Json* value) {
  if (!value) return false;
  switch (value->kind()) {
    case Json::Kind::kNull:
      return false;
    case Json::Kind::kBoolean:
      return value->truth();
    case Json::Kind::kInteger:
    case Json::Kind::kReal:
      return value->real() != 0;
    case Json::Kind::kString:
      return !value->text().empty();
    case Json::Kind::kArray:
      return !value->items().empty();
    case Json::Kind::kObject:
      return !value->members().empty();
  }
  return false;
}

Status append_template_tool(std::string& out, const Json& tool, const std::string& where) {
  const Json* function = tool.find("function");
  const Json* name = function ? function->find("name") : nullptr;
  const Json* description = function ? function->find("description") : nullptr;
  if (!name || !name->is_string()) return raises(where, "a tool without a name");
  if (!description || !description->is_string()) {
    return raises(where, "a tool without a description");
  }
  out.append("// ").append(description->text()).append("\n");
  out.append("type ").append(name->text()).append(" = ");
  const Json* parameters = function->find("parameters");
  const Json* properties = is_truthy(parameters) ? parameters->find("properties") : nullptr;
  if (!is_truthy(properties)) {
    out += "() => any;\n\n";
    return {};
  }
  if (!properties->is_object()) return raises(where, "properties that are no object");
  out += "(_: {\n";
  for (const auto& [parameter, schema] : properties->members()) {
    VITALIS_TRY(append_parameter(out, parameter, schema,
                                 is_named(parameters->find("required"), parameter),
                                 text(where, ".function.parameters.", parameter)));
  }
  out += "}) => any;\n\n";
  return {};
}

}  // namespace vitalis::harmony
