#include <fmt/format.h>

#include <set>

#include "base/json.h"
#include "localcloud/dynamodb/table_definition.h"

namespace imgproc::localcloud::dynamodb {
namespace {

std::string_view text_of(const json::value& value) {
  return value.as_string();
}

bool is_on_demand(const json::object& description) {
  const auto* summary = base::json_object(description, "BillingModeSummary");
  return summary != nullptr && base::json_string(*summary, "BillingMode") == "PAY_PER_REQUEST";
}

/// A change of the one global index that this call names.
struct IndexChange {
  enum class Kind { none, create, update, erase } kind = Kind::none;
  std::string name;
};

base::Status change_billing(const json::object& request, json::object& description, double now) {
  Input input(request);
  auto mode = input.choice("BillingMode", {"PROVISIONED", "PAY_PER_REQUEST"});
  const auto* throughput = input.object("ProvisionedThroughput");
  const auto* limits = input.object("OnDemandThroughput");
  IMGPROC_CHECK(input.status());
  if (limits != nullptr) description["OnDemandThroughput"] = *limits;
  if (!mode && throughput == nullptr) return {};
  bool on_demand = mode ? *mode == "PAY_PER_REQUEST" : is_on_demand(description);
  if (on_demand && throughput != nullptr)
    return invalid_parameter(
        "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is "
        "PAY_PER_REQUEST");
  if (!on_demand && throughput == nullptr)
    return invalid_parameter(
        "ProvisionedThroughput must be specified when BillingMode is PROVISIONED");
  bool was_on_demand = is_on_demand(description);
  IMGPROC_TRY(json::object units, parse_throughput(throughput, ""));
  const json::object& current = description.at("ProvisionedThroughput").as_object();
  if (!mode && !on_demand && current.at("ReadCapacityUnits") == units.at("ReadCapacityUnits") &&
      current.at("WriteCapacityUnits") == units.at("WriteCapacityUnits"))
    return invalid(
        fmt::format("The provisioned throughput for the table will not change. The requested value "
                    "equals the current value. "
                    "Current ReadCapacityUnits provisioned for the table: {}. Requested "
                    "ReadCapacityUnits: {}. Current "
                    "WriteCapacityUnits provisioned for the table: {}. Requested "
                    "WriteCapacityUnits: {}. Refer to the Amazon "
                    "DynamoDB Developer Guide for current limits and how to request higher limits.",
                    json::serialize(current.at("ReadCapacityUnits")),
                    json::serialize(units.at("ReadCapacityUnits")),
                    json::serialize(current.at("WriteCapacityUnits")),
                    json::serialize(units.at("WriteCapacityUnits"))));
  description["ProvisionedThroughput"] = std::move(units);
  if (on_demand) {
    if (!was_on_demand)
      description["BillingModeSummary"] = json::object{{"BillingMode", "PAY_PER_REQUEST"},
                                                       {"LastUpdateToPayPerRequestDateTime", now}};
    IMGPROC_TRY(json::object zero, parse_throughput(nullptr, ""));
    if (auto* indexes = description.if_contains("GlobalSecondaryIndexes"))
      for (auto& index : indexes->as_array()) index.as_object()["ProvisionedThroughput"] = zero;
  } else if (was_on_demand) {
    description["BillingModeSummary"].as_object()["BillingMode"] = "PROVISIONED";
  }
  return {};
}

json::object* find_index_description(json::object& description, std::string_view name) {
  auto* indexes = description.if_contains("GlobalSecondaryIndexes");
  if (indexes == nullptr) return nullptr;
  for (auto& index : indexes->as_array())
    if (text_of(index.at("IndexName")) == name) return &index.as_object();
  return nullptr;
}

base::Result<std::string> create_index(const json::object& definition, Table& table,
                                       const std::string& path) {
  json::object& description = table.description;
  IMGPROC_TRY(json::object index,
              parse_index(definition, description.at("AttributeDefinitions").as_array(), table.arn,
                          true, is_on_demand(description), path));
  std::string name(text_of(index.at("IndexName")));
  if (table.find_index(name) != nullptr)
    return invalid_parameter(fmt::format("Duplicate index name: {}", name));
  if (!description.contains("GlobalSecondaryIndexes"))
    description["GlobalSecondaryIndexes"] = json::array();
  json::array& indexes = description.at("GlobalSecondaryIndexes").as_array();
  if (indexes.size() >= kGlobalIndexesMax)
    return invalid_parameter(fmt::format(
        "GlobalSecondaryIndex count exceeds the per-table limit of {}", kGlobalIndexesMax));
  std::int64_t number = base::json_int(table.settings, "NextIndexNumber").value_or(1);
  table.settings.at("IndexNumbers").as_object()[name] = number;
  table.settings["NextIndexNumber"] = number + 1;
  indexes.push_back(std::move(index));
  return name;
}

base::Result<std::string> named_index(const json::object& change, Table& table,
                                      const std::string& path) {
  Input input(change, path);
  auto name = input.resource_name("IndexName");
  input.require("IndexName");
  IMGPROC_CHECK(input.status());
  if (find_index_description(table.description, *name) == nullptr)
    return base::permanent("ResourceNotFoundException",
                           fmt::format("Requested resource not found: Index: {} not found", *name));
  return std::string(*name);
}

void erase_index(Table& table, std::string_view name) {
  json::array kept;
  for (const auto& index : table.description.at("GlobalSecondaryIndexes").as_array())
    if (text_of(index.at("IndexName")) != name) kept.push_back(index);
  if (kept.empty()) {
    table.description.erase("GlobalSecondaryIndexes");
  } else {
    table.description["GlobalSecondaryIndexes"] = std::move(kept);
  }
  table.settings.at("IndexNumbers").as_object().erase(name);
  drop_unused_definitions(table.description);
}

/// Create, Update or Delete in one element of GlobalSecondaryIndexUpdates.
base::Result<IndexChange> change_index(const json::value& element, Table& table,
                                       const std::string& path) {
  if (!element.is_object()) return not_serializable("Unexpected value type in payload");
  Input input(element.get_object(), path);
  const auto* create = input.object("Create");
  const auto* update = input.object("Update");
  const auto* erase = input.object("Delete");
  IMGPROC_CHECK(input.status());
  int changes = (create != nullptr) + (update != nullptr) + (erase != nullptr);
  if (changes != 1)
    return invalid_parameter(
        changes == 0
            ? "One of GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create, "
              "GlobalSecondaryIndexUpdate.Delete must not be null"
            : "Only one of GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create, "
              "GlobalSecondaryIndexUpdate.Delete may be specified");
  IndexChange change;
  if (create != nullptr) {
    change.kind = IndexChange::Kind::create;
    IMGPROC_TRY(change.name, create_index(*create, table, path + ".create"));
  } else if (update != nullptr) {
    change.kind = IndexChange::Kind::update;
    IMGPROC_TRY(change.name, named_index(*update, table, path + ".update"));
    json::object& index = *find_index_description(table.description, change.name);
    Input members(*update, path + ".update");
    const auto* throughput = members.object("ProvisionedThroughput");
    const auto* limits = members.object("OnDemandThroughput");
    IMGPROC_CHECK(members.status());
    if (throughput != nullptr) {
      if (is_on_demand(table.description))
        return invalid_parameter(
            fmt::format("ProvisionedThroughput should not be specified for index: {} when "
                        "BillingMode is PAY_PER_REQUEST",
                        change.name));
      IMGPROC_TRY(json::object units, parse_throughput(throughput, path + ".update"));
      index["ProvisionedThroughput"] = std::move(units);
    }
    if (limits != nullptr) index["OnDemandThroughput"] = *limits;
  } else {
    change.kind = IndexChange::Kind::erase;
    IMGPROC_TRY(change.name, named_index(*erase, table, path + ".delete"));
    erase_index(table, change.name);
  }
  return change;
}

/// New definitions may add attributes for a new index and say the old ones again.
base::Status merge_definitions(const json::array& list, json::object& description) {
  IMGPROC_TRY(json::array definitions, parse_attribute_definitions(list));
  json::array& known = description.at("AttributeDefinitions").as_array();
  for (const auto& definition : definitions) {
    bool found = false;
    for (const auto& existing : known) {
      if (existing.at("AttributeName") != definition.at("AttributeName")) continue;
      found = true;
      if (existing.at("AttributeType") != definition.at("AttributeType"))
        return invalid_parameter(fmt::format("Type of attribute {} cannot be changed",
                                             text_of(definition.at("AttributeName"))));
    }
    if (!found) known.push_back(definition);
  }
  return {};
}

}  // namespace

base::Result<std::string> update_table(Call& call) {
  const json::object& request = call.request;
  IMGPROC_CHECK(table_name_of(request));
  Input input(request);
  const auto* definitions = input.array("AttributeDefinitions");
  const auto* index_updates = input.array("GlobalSecondaryIndexUpdates");
  const auto* encryption = input.object("SSESpecification");
  auto protection = input.boolean("DeletionProtectionEnabled");
  auto table_class = input.choice("TableClass", {"STANDARD", "STANDARD_INFREQUENT_ACCESS"});
  IMGPROC_CHECK(input.status());
  for (const char* global_table :
       {"ReplicaUpdates", "GlobalTableWitnessUpdates", "MultiRegionConsistency"})
    if (input.has(global_table))
      return base::permanent(
          "UnknownOperationException",
          fmt::format("{}: global tables are not implemented by the local cloud", global_table));
  IMGPROC_CHECK(check_stream(request));
  bool any = encryption != nullptr || protection || table_class ||
             (index_updates != nullptr && !index_updates->empty());
  for (const char* name : {"BillingMode", "ProvisionedThroughput", "OnDemandThroughput",
                           "StreamSpecification", "WarmThroughput"})
    any = any || input.has(name);
  if (!any)
    return invalid(
        "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, "
        "GlobalSecondaryIndexUpdates or "
        "SSESpecification or ReplicaUpdates is required");
  IMGPROC_TRY(TablePtr table, table_for_definition(call));

  Table changed = *table;
  json::object& description = changed.description;
  double now = static_cast<double>(call.store.clock().now().time_since_epoch().count()) / 1000.0;
  IMGPROC_CHECK(change_billing(request, description, now));
  if (definitions != nullptr) IMGPROC_CHECK(merge_definitions(*definitions, description));
  IndexChange structural;
  std::set<std::string> touched;
  for (std::size_t i = 0; index_updates != nullptr && i < index_updates->size(); ++i) {
    IMGPROC_TRY(IndexChange change,
                change_index((*index_updates)[i], changed,
                             fmt::format("globalSecondaryIndexUpdates.{}.member", i + 1)));
    if (!touched.insert(change.name).second)
      return invalid_parameter(fmt::format(
          "Only one global secondary index update per index is allowed simultaneously. Index: {}",
          change.name));
    if (change.kind == IndexChange::Kind::update) continue;
    if (structural.kind != IndexChange::Kind::none)
      return base::permanent(
          "LimitExceededException",
          "Subscriber limit exceeded: Only 1 online index can be created or deleted "
          "simultaneously per table");
    structural = change;
  }
  // After a deletion Terraform may still name the attributes that are gone.
  drop_unused_definitions(description);
  if (encryption != nullptr) {
    IMGPROC_TRY(auto sse, parse_encryption(*encryption, changed.region));
    description.erase("SSEDescription");
    if (sse) description["SSEDescription"] = *std::move(sse);
  }
  if (protection) description["DeletionProtectionEnabled"] = *protection;
  if (table_class) description["TableClassSummary"] = json::object{{"TableClass", *table_class}};

  auto follow = [&](Connection& connection, const Table& saved) -> base::Status {
    if (structural.kind == IndexChange::Kind::create)
      return fill_index(connection, saved, *saved.find_index(structural.name));
    if (structural.kind == IndexChange::Kind::erase)
      return clear_index(connection, *table, *table->find_index(structural.name));
    return {};
  };
  IMGPROC_CHECK(call.store.save(std::move(changed), follow));
  return describe_as(call, *call.store.find(table->region, table->name), "TableDescription");
}

}  // namespace imgproc::localcloud::dynamodb
