#include "protocol/query.h"

#include <fmt/format.h>

#include "base/bytes.h"
#include "http/message.h"
#include "protocol/error_response.h"

namespace imgproc::protocol {
namespace json = boost::json;
namespace {

/// Deepest "A.member.1.B.member.2…" path that is followed.
constexpr std::size_t kPathSegmentsMax = 16;

std::unexpected<base::Error> malformed(std::string_view name) {
  return base::permanent("MalformedQueryString",
                         fmt::format("The parameter `{}` is malformed.", name));
}

/// One level of the tree while it is built: a leaf, or members by name.
struct Child;
struct Node {
  std::string value;
  std::vector<Child> children;

  Node& child(std::string_view name);
};
struct Child {
  std::string name;
  Node node;
};

Node& Node::child(std::string_view name) {
  for (auto& [known, node] : children)
    if (known == name) return node;
  return children.emplace_back(Child{std::string(name), Node{}}).node;
}

json::value to_json(const Node& node) {
  if (node.children.empty()) return json::string(node.value);
  const auto& [first_name, first] = node.children.front();
  if (node.children.size() == 1 && (first_name == "member" || first_name == "entry") &&
      !first.children.empty()) {
    // "…member.N" is a list and "…entry.N.key/value" a map; N gives only the order of sending.
    if (first_name == "entry") {
      json::object map;
      for (const auto& [index, entry] : first.children) {
        std::string key;
        json::value value = "";
        for (const auto& [name, part] : entry.children) {
          if (name == "key" || name == "Name") key = part.value;
          if (name == "value" || name == "Value") value = to_json(part);
        }
        map[key] = std::move(value);
      }
      return map;
    }
    json::array list;
    for (const auto& [index, element] : first.children) list.push_back(to_json(element));
    return list;
  }
  json::object object;
  for (const auto& [name, child] : node.children) object[name] = to_json(child);
  return object;
}

void write_value(std::string& out, std::string_view name, const json::value& value);

void write_members(std::string& out, const json::object& object) {
  for (const auto& [name, value] : object) write_value(out, {name.data(), name.size()}, value);
}

void write_value(std::string& out, std::string_view name, const json::value& value) {
  if (value.is_null()) return;
  if (const auto* list = value.if_array()) {
    bool flat = name == "entry";
    if (!flat) fmt::format_to(std::back_inserter(out), "<{}>", name);
    for (const auto& element : *list) write_value(out, flat ? "entry" : "member", element);
    if (!flat) fmt::format_to(std::back_inserter(out), "</{}>", name);
    return;
  }
  fmt::format_to(std::back_inserter(out), "<{}>", name);
  if (const auto* object = value.if_object()) {
    write_members(out, *object);
  } else if (const auto* text = value.if_string()) {
    out += xml_escape({text->data(), text->size()});
  } else {
    out += json::serialize(value);
  }
  fmt::format_to(std::back_inserter(out), "</{}>", name);
}

}  // namespace

base::Result<json::object> query_to_json(std::string_view form_body) {
  Node root;
  http::QueryParams params(form_body);
  if (params.all().size() > kQueryParamsMax) return malformed("(too many parameters)");
  for (const auto& [name, value] : params.all()) {
    Node* node = &root;
    std::size_t segments = 0;
    for (std::string_view rest = name;;) {
      std::string_view segment = rest.substr(0, rest.find('.'));
      if (segment.empty() || ++segments > kPathSegmentsMax) return malformed(name);
      node = &node->child(segment);
      if (segment.size() == rest.size()) break;
      rest.remove_prefix(segment.size() + 1);
    }
    node->value = value;
  }
  json::object object;
  for (const auto& [name, child] : root.children) object[name] = to_json(child);
  return object;
}

std::string json_to_query_xml(std::string_view action, std::string_view xmlns,
                              const json::object& output, std::string_view request_id) {
  std::string out = fmt::format("<{}Response xmlns=\"{}\"><{}Result>", action, xmlns, action);
  write_members(out, output);
  fmt::format_to(std::back_inserter(out), "</{}Result>", action);
  fmt::format_to(std::back_inserter(out),
                 "<ResponseMetadata><RequestId>{}</RequestId></ResponseMetadata></{}Response>",
                 request_id, action);
  return out;
}

json::object query_entries(const json::object& map) {
  json::array entries;
  for (const auto& [key, value] : map)
    entries.push_back(json::object{{"key", key}, {"value", value}});
  return {{"entry", std::move(entries)}};
}

}  // namespace imgproc::protocol
