#include "localcloud/dynamodb/table.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "localcloud/context.h"

namespace imgproc::localcloud::dynamodb {
namespace {

std::string text_at(const json::object& object, std::string_view name) {
  return std::string(base::json_string(object, name).value_or(""));
}

KeySchema read_keys(const json::object& owner, const json::array& definitions) {
  auto find = [&](std::string_view key_type) -> std::optional<KeyAttribute> {
    for (const auto& element : owner.at("KeySchema").as_array()) {
      if (text_at(element.as_object(), "KeyType") != key_type) continue;
      KeyAttribute key{.name = text_at(element.as_object(), "AttributeName")};
      for (const auto& definition : definitions) {
        if (text_at(definition.as_object(), "AttributeName") != key.name) continue;
        key.type =
            protocol::attribute_type_from_string(text_at(definition.as_object(), "AttributeType"))
                .value_or(AttributeType::string);
      }
      return key;
    }
    return std::nullopt;
  };
  return {.hash = find("HASH").value_or(KeyAttribute{}), .range = find("RANGE")};
}

void add_once(std::vector<std::string>& names, const std::string& name) {
  if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
}

}  // namespace

std::string table_arn(std::string_view region, std::string_view table) {
  return fmt::format("arn:aws:dynamodb:{}:{}:table/{}", region, kAccountId, table);
}

const Index* Table::find_index(std::string_view index_name) const {
  for (const auto& index : indexes)
    if (index.name == index_name) return &index;
  return nullptr;
}

void Table::compile() {
  arn = table_arn(region, name);
  const json::array& definitions = description.at("AttributeDefinitions").as_array();
  keys = read_keys(description, definitions);
  indexes.clear();
  has_local_indexes = false;
  const json::object& numbers = settings.at("IndexNumbers").as_object();
  for (bool global : {true, false}) {
    const auto* list =
        base::json_array(description, global ? "GlobalSecondaryIndexes" : "LocalSecondaryIndexes");
    if (list == nullptr) continue;
    has_local_indexes = has_local_indexes || !global;
    for (const auto& element : *list) {
      const json::object& definition = element.as_object();
      Index index{.name = text_at(definition, "IndexName"), .global = global};
      index.number = base::json_int(numbers, index.name).value_or(0);
      index.keys = read_keys(definition, definitions);
      const json::object& projection = definition.at("Projection").as_object();
      index.projects_all = text_at(projection, "ProjectionType") == "ALL";
      for (const KeySchema* schema : {&keys, &index.keys}) {
        add_once(index.attributes, schema->hash.name);
        if (schema->range) add_once(index.attributes, schema->range->name);
      }
      if (const auto* extra = base::json_array(projection, "NonKeyAttributes"))
        for (const auto& attribute : *extra)
          add_once(index.attributes, std::string(attribute.as_string()));
      indexes.push_back(std::move(index));
    }
  }
  ttl_attribute.reset();
  if (auto attribute = base::json_string(settings, "TimeToLiveAttribute"))
    ttl_attribute = *attribute;
}

AttributeMap project_to_index(const Index& index, const AttributeMap& item) {
  if (index.projects_all) return item;
  AttributeMap projected;
  for (const auto& name : index.attributes)
    if (auto found = item.find(name); found != item.end()) projected.emplace(*found);
  return projected;
}

bool is_in_index(const Index& index, const AttributeMap& item) {
  return item.contains(index.keys.hash.name) &&
         (!index.keys.range || item.contains(index.keys.range->name));
}

std::vector<KeyAttribute> cursor_attributes(const Table& table, const Index* index) {
  std::vector<KeyAttribute> attributes;
  auto add = [&](const KeyAttribute& key) {
    if (std::none_of(attributes.begin(), attributes.end(),
                     [&](const KeyAttribute& known) { return known.name == key.name; }))
      attributes.push_back(key);
  };
  for (const KeySchema* schema : {&table.keys, index == nullptr ? &table.keys : &index->keys}) {
    add(schema->hash);
    if (schema->range) add(*schema->range);
  }
  return attributes;
}

}  // namespace imgproc::localcloud::dynamodb
