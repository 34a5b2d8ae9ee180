#include "localcloud/dynamodb/table_definition.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "base/json.h"
#include "localcloud/managed_key.h"

namespace imgproc::localcloud::dynamodb {
namespace {

constexpr std::size_t kAttributeNameBytesMax = 255;
constexpr std::size_t kTagsMax = 50;
constexpr std::size_t kTagKeyLengthMax = 128;
constexpr std::size_t kTagValueLengthMax = 256;

std::vector<std::string> attribute_names(const json::array& list) {
  std::vector<std::string> names;
  for (const auto& element : list)
    names.emplace_back(base::json_string(element.as_object(), "AttributeName").value_or(""));
  return names;
}

base::Result<const json::object*> as_structure(const json::value& value) {
  if (!value.is_object()) return not_serializable("Unexpected value type in payload");
  return &value.get_object();
}

std::string member_path(const std::string& path, std::string_view list, std::size_t index) {
  return fmt::format("{}{}{}.{}.member", path, path.empty() ? "" : ".", list, index + 1);
}

base::Result<json::object> parse_projection_type(const json::object& definition,
                                                 const std::string& path) {
  Input owner(definition, path);
  const auto* projection = owner.object("Projection");
  owner.require("Projection");
  IMGPROC_CHECK(owner.status());
  Input input(*projection, path + ".projection");
  auto type = input.choice("ProjectionType", {"ALL", "INCLUDE", "KEYS_ONLY"});
  const auto* attributes = input.array("NonKeyAttributes");
  IMGPROC_CHECK(input.status());
  if (!type) return invalid_parameter("Unknown ProjectionType: null");
  json::object result{{"ProjectionType", *type}};
  if (attributes == nullptr) {
    if (*type == "INCLUDE")
      return invalid_parameter("ProjectionType is INCLUDE, but NonKeyAttributes is not specified");
    return result;
  }
  if (*type != "INCLUDE")
    return invalid_parameter(
        fmt::format("ProjectionType is {}, but NonKeyAttributes is specified", *type));
  IMGPROC_TRY(auto names, texts_of(*attributes));
  if (names.empty()) {
    input.violation("NonKeyAttributes", "'[]'",
                    "Member must have length greater than or equal to 1");
    return std::unexpected(input.status().error());
  }
  result["NonKeyAttributes"] = *attributes;
  return result;
}

}  // namespace

base::Result<json::array> parse_attribute_definitions(const json::array& list) {
  json::array definitions;
  std::set<std::string> seen;
  for (std::size_t i = 0; i < list.size(); ++i) {
    IMGPROC_TRY(const json::object* element, as_structure(list[i]));
    Input input(*element, member_path("", "attributeDefinitions", i));
    auto name = input.text("AttributeName");
    auto type = input.choice("AttributeType", {"B", "N", "S"});
    input.require("AttributeName");
    input.require("AttributeType");
    if (name && (name->empty() || name->size() > kAttributeNameBytesMax))
      input.violation(
          "AttributeName", fmt::format("'{}'", *name),
          fmt::format("Member must have length between 1 and {}", kAttributeNameBytesMax));
    IMGPROC_CHECK(input.status());
    if (!seen.insert(std::string(*name)).second)
      return invalid_parameter(
          fmt::format("Duplicate AttributeName in AttributeDefinitions: {}", *name));
    definitions.push_back(json::object{{"AttributeName", *name}, {"AttributeType", *type}});
  }
  return definitions;
}

base::Result<json::array> parse_key_schema(const json::array& list, const json::array& definitions,
                                           const std::string& path) {
  constexpr std::size_t kKeysMax = 2;
  json::array schema;
  for (std::size_t i = 0; i < list.size(); ++i) {
    IMGPROC_TRY(const json::object* element, as_structure(list[i]));
    Input input(*element, member_path(path, "keySchema", i));
    auto name = input.text("AttributeName");
    auto type = input.choice("KeyType", {"HASH", "RANGE"});
    input.require("AttributeName");
    input.require("KeyType");
    IMGPROC_CHECK(input.status());
    schema.push_back(json::object{{"AttributeName", *name}, {"KeyType", *type}});
  }
  if (schema.empty() || schema.size() > kKeysMax)
    return invalid(
        fmt::format("1 validation error detected: Value '{}' at '{}{}keySchema' failed to satisfy "
                    "constraint: Member must have length {} than or equal to {}",
                    json::serialize(list), path, path.empty() ? "" : ".",
                    schema.empty() ? "greater" : "less", schema.empty() ? 1 : kKeysMax));
  auto keys = attribute_names(schema);
  auto defined = attribute_names(definitions);
  for (const auto& key : keys)
    if (std::find(defined.begin(), defined.end(), key) == defined.end())
      return invalid_parameter(fmt::format(
          "Some index key attributes are not defined in AttributeDefinitions. Keys: [{}], "
          "AttributeDefinitions: [{}]",
          fmt::join(keys, ", "), fmt::join(defined, ", ")));
  if (keys.size() == 2 && keys[0] == keys[1])
    return invalid(
        "Both the Hash Key and the Range Key element in the KeySchema have the same name");
  if (schema[0].at("KeyType").as_string() != "HASH")
    return invalid("Invalid KeySchema: The first KeySchemaElement is not a HASH key type");
  if (schema.size() == 2 && schema[1].at("KeyType").as_string() != "RANGE")
    return invalid("Invalid KeySchema: The second KeySchemaElement is not a RANGE key type");
  return schema;
}

base::Result<json::object> parse_index(const json::object& definition,
                                       const json::array& definitions,
                                       std::string_view table_arn_text, bool global, bool on_demand,
                                       const std::string& path) {
  Input input(definition, path);
  auto name = input.resource_name("IndexName");
  const auto* keys = input.array("KeySchema");
  const auto* throughput = input.object("ProvisionedThroughput");
  const auto* on_demand_limits = input.object("OnDemandThroughput");
  input.require("IndexName");
  input.require("KeySchema");
  IMGPROC_CHECK(input.status());
  json::object index{{"IndexName", *name}};
  IMGPROC_TRY(json::array schema, parse_key_schema(*keys, definitions, path));
  index["KeySchema"] = std::move(schema);
  IMGPROC_TRY(json::object projection, parse_projection_type(definition, path));
  index["Projection"] = std::move(projection);
  index["IndexArn"] = fmt::format("{}/index/{}", table_arn_text, *name);
  if (!global) return index;
  if (on_demand && throughput != nullptr)
    return invalid_parameter(
        fmt::format("ProvisionedThroughput should not be specified for index: {} when BillingMode "
                    "is PAY_PER_REQUEST",
                    *name));
  if (!on_demand && throughput == nullptr)
    return invalid_parameter(
        fmt::format("ProvisionedThroughput is not specified for index: {}", *name));
  IMGPROC_TRY(json::object units, parse_throughput(throughput, path));
  index["ProvisionedThroughput"] = std::move(units);
  if (on_demand_limits != nullptr) index["OnDemandThroughput"] = *on_demand_limits;
  index["IndexStatus"] = "ACTIVE";
  return index;
}

base::Result<json::object> parse_throughput(const json::object* throughput,
                                            const std::string& path) {
  std::int64_t read = 0;
  std::int64_t write = 0;
  if (throughput != nullptr) {
    Input input(*throughput,
                path.empty() ? "provisionedThroughput" : path + ".provisionedThroughput");
    read = input.integer("ReadCapacityUnits", 1).value_or(0);
    write = input.integer("WriteCapacityUnits", 1).value_or(0);
    input.require("ReadCapacityUnits");
    input.require("WriteCapacityUnits");
    IMGPROC_CHECK(input.status());
    if (read > kThroughputMax)
      return invalid(fmt::format("Given value {} for ReadCapacityUnits is out of bounds", read));
    if (write > kThroughputMax)
      return invalid(fmt::format("Given value {} for WriteCapacityUnits is out of bounds", write));
  }
  return json::object{
      {"NumberOfDecreasesToday", 0}, {"ReadCapacityUnits", read}, {"WriteCapacityUnits", write}};
}

namespace {

std::set<std::string> used_attributes(const json::object& description) {
  std::set<std::string> used;
  auto add = [&](const json::value& owner) {
    for (auto& name : attribute_names(owner.at("KeySchema").as_array()))
      used.insert(std::move(name));
  };
  add(description);
  for (const char* list : {"GlobalSecondaryIndexes", "LocalSecondaryIndexes"})
    if (const auto* indexes = base::json_array(description, list))
      for (const auto& index : *indexes) add(index);
  return used;
}

}  // namespace

base::Status check_definitions_used(const json::object& description) {
  auto used = used_attributes(description);
  auto defined = attribute_names(description.at("AttributeDefinitions").as_array());
  if (used.size() == defined.size()) return {};
  if (!description.contains("GlobalSecondaryIndexes") &&
      !description.contains("LocalSecondaryIndexes"))
    return invalid_parameter(
        "Number of attributes in KeySchema does not exactly match number of attributes defined in "
        "AttributeDefinitions");
  return invalid_parameter(
      fmt::format("Some AttributeDefinitions are not used. AttributeDefinitions: [{}], keys "
                  "used: [{}]",
                  fmt::join(defined, ", "), fmt::join(used, ", ")));
}

void drop_unused_definitions(json::object& description) {
  auto used = used_attributes(description);
  json::array kept;
  for (const auto& definition : description.at("AttributeDefinitions").as_array())
    if (used.contains(std::string(definition.at("AttributeName").as_string())))
      kept.push_back(definition);
  description["AttributeDefinitions"] = std::move(kept);
}

base::Result<std::optional<json::object>> parse_encryption(const json::object& specification,
                                                           std::string_view region) {
  Input input(specification, "sSESpecification");
  auto enabled = input.boolean("Enabled");
  auto type = input.choice("SSEType", {"AES256", "KMS"});
  auto key = input.text("KMSMasterKeyId");
  IMGPROC_CHECK(input.status());
  if (!enabled.value_or(false)) {
    if (key || type) return invalid_parameter("SSEType and KMSMasterKeyId need Enabled to be true");
    return std::nullopt;
  }
  if (type == "AES256") return invalid_parameter("SSEType AES256 is not supported");
  std::string arn =
      key && !key->starts_with("alias/aws/")
          ? (key->starts_with("arn:") ? std::string(*key)
                                      : fmt::format("arn:aws:kms:{}:{}:{}{}", region, kAccountId,
                                                    key->starts_with("alias/") ? "" : "key/", *key))
          : managed_key_arn(region, "dynamodb");
  return json::object{{"Status", "ENABLED"}, {"SSEType", "KMS"}, {"KMSMasterKeyArn", arn}};
}

base::Status check_stream(const json::object& request) {
  Input input(request);
  const auto* stream = input.object("StreamSpecification");
  IMGPROC_CHECK(input.status());
  if (stream == nullptr) return {};
  Input specification(*stream, "streamSpecification");
  bool enabled = specification.boolean("StreamEnabled").value_or(false);
  specification.require("StreamEnabled");
  IMGPROC_CHECK(specification.status());
  if (enabled)
    return base::permanent("UnknownOperationException",
                           "DynamoDB Streams are not implemented by the local cloud",
                           "leave StreamSpecification out, or set StreamEnabled to false");
  return {};
}

base::Status add_tags(const json::array& list, json::object& tags) {
  for (std::size_t i = 0; i < list.size(); ++i) {
    IMGPROC_TRY(const json::object* element, as_structure(list[i]));
    Input input(*element, member_path("", "tags", i));
    auto key = input.text("Key");
    auto value = input.text("Value");
    input.require("Key");
    input.require("Value");
    if (key && (key->empty() || key->size() > kTagKeyLengthMax))
      input.violation("Key", fmt::format("'{}'", *key),
                      fmt::format("Member must have length between 1 and {}", kTagKeyLengthMax));
    if (value && value->size() > kTagValueLengthMax)
      input.violation(
          "Value", fmt::format("'{}'", *value),
          fmt::format("Member must have length less than or equal to {}", kTagValueLengthMax));
    IMGPROC_CHECK(input.status());
    tags[*key] = *value;
  }
  if (tags.size() > kTagsMax)
    return invalid(fmt::format("Too many tags: a table may have {} at most", kTagsMax));
  return {};
}

base::Result<json::object> describe(Call& call, const Table& table) {
  json::object description = table.description;
  IMGPROC_CHECK(call.store.database().read([&](Connection& connection) -> base::Status {
    IMGPROC_TRY(TableCounts counts, count_items(connection, table));
    description["ItemCount"] = counts.items;
    description["TableSizeBytes"] = counts.bytes;
    for (const char* list : {"GlobalSecondaryIndexes", "LocalSecondaryIndexes"}) {
      auto* indexes = description.if_contains(list);
      if (indexes == nullptr) continue;
      for (auto& element : indexes->as_array()) {
        const Index* index = table.find_index(element.at("IndexName").as_string());
        if (index == nullptr) continue;
        IMGPROC_TRY(TableCounts index_counts, count_index(connection, table, *index));
        element.as_object()["ItemCount"] = index_counts.items;
        element.as_object()["IndexSizeBytes"] = index_counts.bytes;
      }
    }
    return {};
  }));
  return description;
}

base::Result<std::string> describe_as(Call& call, const Table& table, std::string_view member) {
  IMGPROC_TRY(json::object description, describe(call, table));
  return json::serialize(json::object{{member, std::move(description)}});
}

}  // namespace imgproc::localcloud::dynamodb
