// SPDX-License-Identifier: Apache-2.0
#include "harmony/typescript.h"

#include <algorithm>
#include <map>
#include <unordered_set>

namespace vitalis::harmony {
namespace {

const Json* find_string(const Json& schema, std::string_view name) {
  const Json* found = schema.find(name);
  return found && found->is_string() ? found : nullptr;
}

const Json* find_array(const Json& schema, std::string_view name) {
  const Json* found = schema.find(name);
  return found && found->is_array() ? found : nullptr;
}

bool has_enum(const Json& schema) {
  const Json* values = find_array(schema, "enum");
  return values && !values->items().empty();
}

std::unordered_set<std::string_view> required_names(const Json& object) {
  std::unordered_set<std::string_view> out;
  if (const Json* required = find_array(object, "required")) {
    for (const Json& name : required->items()) {
      if (name.is_string()) out.insert(name.text());
    }
  }
  return out;
}

// Calls f(line) for each line as LF and CRLF cut them; a final line break ends no further line.
template <class F>
void for_each_line(std::string_view text, F f) {
  while (!text.empty()) {
    const size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (end != std::string_view::npos && line.ends_with('\r')) line.remove_suffix(1);
    f(line);
  }
}

void append_comment_lines(std::string& out, std::string_view text) {
  for_each_line(text, [&](std::string_view line) { out.append("// ").append(line).append("\n"); });
}

void append_default(std::string& out, const Json& value, bool bare_string) {
  if (!value.is_string()) {
    value.write(out, Json::Style::kCompact);
  } else if (bare_string) {
    out += value.text();
  } else {
    out.append("\"").append(value.text()).append("\"");
  }
}

void append_string_type(std::string& out, const Json& schema) {
  bool first = true;
  if (const Json* values = find_array(schema, "enum")) {
    for (const Json& value : values->items()) {
      if (!value.is_string()) continue;
      out.append(first ? "\"" : " | \"").append(value.text()).append("\"");
      first = false;
    }
  }
  if (first) out += "string";
}

void append_type_list(std::string& out, const Json& types) {
  bool first = true;
  for (const Json& type : types.items()) {
    if (!type.is_string()) continue;
    if (!first) out += " | ";
    out += type.text() == "integer" ? "number" : type.text();
    first = false;
  }
  if (first) out += "any";
}

// The type, and " | null" where the schema is nullable and its text does not say so already.
void append_nullable_type(std::string& out, const Json& schema, const std::string& indent) {
  const size_t begin = out.size();
  append_type(out, schema, indent);
  const Json* nullable = schema.find("nullable");
  if (nullable && nullable->is_boolean() && nullable->truth() &&
      std::string_view(out).substr(begin).find("null") == std::string_view::npos) {
    out += " | null";
  }
}

// " // " with a variant's description and default. A property's own comment may have shown the
// description already: it is then not repeated.
void append_variant_comment(std::string& out, const Json& variant, bool with_description,
                            bool in_property) {
  const Json* description = with_description ? find_string(variant, "description") : nullptr;
  const Json* value = variant.find("default");
  if (!description && !value) return;
  out += " //";
  if (description) out.append(" ").append(description->text());
  if (!value) return;
  out += " default: ";
  if (value->is_string() && has_enum(variant) && !in_property) {
    write_json_string(out, value->text());
  } else {
    append_default(out, *value, has_enum(variant));
  }
}

void append_one_of(std::string& out, const Json& variants, const std::string& indent) {
  for (const Json& variant : variants.items()) {
    out.append("\n").append(indent).append(" | ");
    append_nullable_type(out, variant, indent + "   ");
    append_variant_comment(out, variant, true, false);
  }
}

// A property whose value is one of several types: a line for each of them.
void append_one_of_property(std::string& out, std::string_view label, const Json& schema,
                            const Json& variants, const std::string& indent) {
  const Json* description = find_string(schema, "description");
  const Json* first =
      variants.items().empty() ? nullptr : find_string(variants.items().front(), "description");
  const bool shown = description && !(first && first->text() == description->text());
  if (shown) out.append(indent).append("// ").append(description->text()).append("\n");
  if (const Json* value = schema.find("default")) {
    out.append(indent).append("// default: ");
    append_default(out, *value, has_enum(schema));
    out += "\n";
  }
  out.append(indent).append(label).append(":\n");
  bool at_first = true;
  for (const Json& variant : variants.items()) {
    out.append(indent).append(" | ");
    append_nullable_type(out, variant, indent + "   ");
    const Json* own = find_string(variant, "description");
    const bool repeats =
        (at_first && shown) || (own && description && own->text() == description->text());
    append_variant_comment(out, variant, !repeats, true);
    out += "\n";
    at_first = false;
  }
  out.append(indent).append(",\n");
}

void append_property(std::string& out, const std::string& name, const Json& schema, bool required,
                     const std::string& indent) {
  const Json* one_of = schema.find("oneOf");
  if (const Json* title = find_string(schema, "title")) {
    out.append(indent).append("// ").append(title->text()).append("\n");
    out.append(indent).append("//\n");
  }
  if (const Json* description = find_string(schema, "description"); description && !one_of) {
    out.append(indent).append("// ").append(description->text()).append("\n");
  }
  if (const Json* examples = find_array(schema, "examples");
      examples && !examples->items().empty()) {
    out.append(indent).append("// Examples:\n");
    for (const Json& example : examples->items()) {
      if (!example.is_string()) continue;
      out.append(indent).append("// - \"").append(example.text()).append("\"\n");
    }
  }
  const std::string label = required ? name : name + "?";
  if (one_of && one_of->is_array()) {
    append_one_of_property(out, label, schema, *one_of, indent);
    return;
  }
  out.append(indent).append(label).append(": ");
  append_nullable_type(out, schema, indent + "    ");
  out += ",";
  if (const Json* value = schema.find("default"); value && !one_of) {
    out += " // default: ";
    append_default(out, *value, has_enum(schema));
  }
  out += "\n";
}

void append_object_type(std::string& out, const Json& schema, const std::string& indent) {
  if (const Json* description = find_string(schema, "description")) {
    out.append(indent).append("// ").append(description->text()).append("\n");
  }
  out += "{\n";
  if (const Json* properties = schema.find("properties")) {
    const auto required = required_names(schema);
    for (const auto& [name, property] : properties->members()) {
      append_property(out, name, property, required.count(name) > 0, indent);
    }
  }
  out.append(indent).append("}");
}

}  // namespace

void append_type(std::string& out, const Json& schema, const std::string& indent) {
  if (const Json* variants = find_array(schema, "oneOf")) {
    return append_one_of(out, *variants, indent);
  }
  const Json* type = schema.find("type");
  if (type && type->is_array()) return append_type_list(out, *type);
  const std::string_view word = type && type->is_string() ? type->text() : std::string_view();
  if (word == "object") {
    append_object_type(out, schema, indent);
  } else if (word == "string") {
    append_string_type(out, schema);
  } else if (word == "number" || word == "integer") {
    out += "number";
  } else if (word == "boolean") {
    out += "boolean";
  } else if (word == "array") {
    if (const Json* items = schema.find("items")) {
      append_type(out, *items, indent);
      out += "[]";
    } else {
      out += "Array<any>";
    }
  } else {
    out += "any";
  }
}

void append_tool(std::string& out, const Tool& tool) {
  append_comment_lines(out, tool.description);
  out.append("type ").append(tool.name).append(" = (");
  if (tool.parameters) {
    out += "_: ";
    append_type(out, *tool.parameters, "");
  }
  out += ") => any;\n\n";
}

std::string tools_section(std::span<const ToolNamespace> namespaces) {
  std::map<std::string_view, const ToolNamespace*> sorted;
  for (const ToolNamespace& space : namespaces) sorted[space.name] = &space;
  std::string out = "# Tools";
  for (const auto& [name, space] : sorted) {
    out.append("\n\n## ").append(name).append("\n");
    const std::string_view description =
        space->description ? std::string_view(*space->description) : std::string_view();
    if (space->tools.empty()) {
      for_each_line(description, [&](std::string_view line) { out.append("\n").append(line); });
      continue;
    }
    out += "\n";
    append_comment_lines(out, description);
    out.append("namespace ").append(name).append(" {\n\n");
    for (const Tool& tool : space->tools) append_tool(out, tool);
    out.append("} // namespace ").append(name);
  }
  return out;
}

}  // namespace vitalis::harmony
