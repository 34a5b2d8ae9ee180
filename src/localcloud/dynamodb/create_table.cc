#include <fmt/format.h>

#include <set>

#include "base/random.h"
#include "localcloud/dynamodb/table_definition.h"

namespace imgproc::localcloud::dynamodb {
namespace {

/// Reads one of the two lists of indexes into the description. Index names are unique in a table.
base::Status add_indexes(const json::object& request, std::string_view member, bool global,
                         bool on_demand, Table& table, std::set<std::string>& names) {
  Input input(request);
  const auto* list = input.array(member);
  IMGPROC_CHECK(input.status());
  if (list == nullptr) return {};
  if (list->empty()) return invalid_parameter(fmt::format("List of {} is empty", member));
  std::size_t most = global ? kGlobalIndexesMax : kLocalIndexesMax;
  const json::array& definitions = table.description.at("AttributeDefinitions").as_array();
  const json::array& table_keys = table.description.at("KeySchema").as_array();
  std::string path = global ? "globalSecondaryIndexes" : "localSecondaryIndexes";
  json::array indexes;
  for (std::size_t i = 0; i < list->size(); ++i) {
    if (!(*list)[i].is_object()) return not_serializable("Unexpected value type in payload");
    IMGPROC_TRY(
        json::object index,
        parse_index((*list)[i].get_object(), definitions, table_arn(table.region, table.name),
                    global, on_demand, fmt::format("{}.{}.member", path, i + 1)));
    std::string name(index.at("IndexName").as_string());
    const json::array& keys = index.at("KeySchema").as_array();
    if (!global) {
      if (table_keys.size() != 2)
        return invalid_parameter(
            "Table KeySchema does not have a range key, which is required when specifying a "
            "LocalSecondaryIndex");
      if (keys.size() != 2)
        return invalid_parameter(
            fmt::format("Index KeySchema does not have a range key for index: {}", name));
      std::string_view hash = keys[0].at("AttributeName").as_string();
      std::string_view table_hash = table_keys[0].at("AttributeName").as_string();
      if (hash != table_hash)
        return invalid_parameter(
            fmt::format("Index KeySchema does not have the same leading hash key as table "
                        "KeySchema for index: {}. "
                        "index hash key: {}, table hash key: {}",
                        name, hash, table_hash));
    }
    if (!names.insert(name).second)
      return invalid_parameter(fmt::format("Duplicate index name: {}", name));
    table.settings.at("IndexNumbers").as_object()[name] = static_cast<std::int64_t>(names.size());
    indexes.push_back(std::move(index));
  }
  if (indexes.size() > most)
    return invalid_parameter(
        global
            ? fmt::format("GlobalSecondaryIndex count exceeds the per-table limit of {}", most)
            : fmt::format("Number of LocalSecondaryIndexes exceeds per-table limit of {}", most));
  table.description[member] = std::move(indexes);
  return {};
}

base::Status add_billing(const json::object& request, bool on_demand, json::object& description) {
  Input input(request);
  const auto* throughput = input.object("ProvisionedThroughput");
  const auto* limits = input.object("OnDemandThroughput");
  IMGPROC_CHECK(input.status());
  if (on_demand && throughput != nullptr)
    return invalid_parameter(
        "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is "
        "PAY_PER_REQUEST");
  if (!on_demand && throughput == nullptr)
    return invalid_parameter(
        "ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is "
        "PROVISIONED");
  IMGPROC_TRY(json::object units, parse_throughput(throughput, ""));
  description["ProvisionedThroughput"] = std::move(units);
  if (on_demand)
    description["BillingModeSummary"] = json::object{{"BillingMode", "PAY_PER_REQUEST"}};
  if (limits != nullptr) description["OnDemandThroughput"] = *limits;
  return {};
}

}  // namespace

base::Result<std::string> create_table(Call& call) {
  const json::object& request = call.request;
  Table table{.region = call.caller.region};
  IMGPROC_TRY(table.name, table_name_of(request));
  Input input(request);
  const auto* definitions = input.array("AttributeDefinitions");
  const auto* keys = input.array("KeySchema");
  bool on_demand =
      input.choice("BillingMode", {"PROVISIONED", "PAY_PER_REQUEST"}) == "PAY_PER_REQUEST";
  auto table_class = input.choice("TableClass", {"STANDARD", "STANDARD_INFREQUENT_ACCESS"});
  bool protection = input.boolean("DeletionProtectionEnabled").value_or(false);
  const auto* encryption = input.object("SSESpecification");
  const auto* tags = input.array("Tags");
  input.require("AttributeDefinitions");
  input.require("KeySchema");
  IMGPROC_CHECK(input.status());
  IMGPROC_CHECK(check_stream(request));

  json::object& description = table.description;
  IMGPROC_TRY(json::array parsed_definitions, parse_attribute_definitions(*definitions));
  description["AttributeDefinitions"] = std::move(parsed_definitions);
  description["TableName"] = table.name;
  IMGPROC_TRY(json::array schema,
              parse_key_schema(*keys, description.at("AttributeDefinitions").as_array(), ""));
  description["KeySchema"] = std::move(schema);
  description["TableStatus"] = "ACTIVE";
  description["CreationDateTime"] =
      static_cast<double>(call.store.clock().now().time_since_epoch().count()) / 1000.0;
  IMGPROC_CHECK(add_billing(request, on_demand, description));
  description["TableArn"] = table_arn(table.region, table.name);
  description["TableId"] = base::random_uuid();
  table.settings["IndexNumbers"] = json::object();
  std::set<std::string> index_names;
  IMGPROC_CHECK(
      add_indexes(request, "LocalSecondaryIndexes", false, on_demand, table, index_names));
  IMGPROC_CHECK(
      add_indexes(request, "GlobalSecondaryIndexes", true, on_demand, table, index_names));
  table.settings["NextIndexNumber"] = static_cast<std::int64_t>(index_names.size() + 1);
  IMGPROC_CHECK(check_definitions_used(description));
  if (encryption != nullptr) {
    IMGPROC_TRY(auto sse, parse_encryption(*encryption, table.region));
    if (sse) description["SSEDescription"] = *std::move(sse);
  }
  if (table_class) description["TableClassSummary"] = json::object{{"TableClass", *table_class}};
  description["DeletionProtectionEnabled"] = protection;
  table.settings["Tags"] = json::object();
  if (tags != nullptr) IMGPROC_CHECK(add_tags(*tags, table.settings.at("Tags").as_object()));

  if (call.store.find(table.region, table.name))
    return base::permanent("ResourceInUseException",
                           fmt::format("Table already exists: {}", table.name));
  std::string name = table.name;
  IMGPROC_CHECK(call.store.save(std::move(table), nullptr));
  return describe_as(call, *call.store.find(call.caller.region, name), "TableDescription");
}

}  // namespace imgproc::localcloud::dynamodb
