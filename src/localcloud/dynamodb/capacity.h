#pragma once
// Consumed capacity and item collection metrics. Units: "Read/write capacity" of the DynamoDB
// guide: 4 KB a read (half if eventually consistent), 1 KB a write, twice that in transactions.

#include <map>
#include <optional>
#include <span>
#include <string>

#include "localcloud/dynamodb/operation.h"

namespace imgproc::localcloud::dynamodb {

struct Write;
struct Written;

enum class CapacityDetail { none, total, indexes };

/// ReturnConsumedCapacity of a request. Error: ValidationException.
[[nodiscard]] base::Result<CapacityDetail> capacity_detail(const json::object& request);

[[nodiscard]] double read_units(std::size_t bytes, bool consistent);
[[nodiscard]] double write_units(std::size_t bytes);

/// What one table and its indexes took.
struct Capacity {
  double table = 0;
  std::map<std::string, double> global_indexes;
  std::map<std::string, double> local_indexes;

  [[nodiscard]] double total() const;
  void add(const Capacity& other);
  void scale(double factor);
};

/// The units of one write, indexes included.
[[nodiscard]] Capacity capacity_of(const Table& table, const Written& written);

/// {"TableName":…,"CapacityUnits":…}; with Table and index members for INDEXES. In a transaction
/// `transaction_read` adds ReadCapacityUnits (true) or WriteCapacityUnits (false).
[[nodiscard]] json::object to_json(const Table& table, const Capacity& capacity,
                                   CapacityDetail detail,
                                   std::optional<bool> transaction_read = {});

/// {"ItemCollectionKey":…,"SizeEstimateRangeGB":[0,1]} for tables with local indexes.
[[nodiscard]] json::object item_collection_metrics(const Table& table, const AttributeMap& item);
/// The same of many writes: {"TableName":[…]}, tables without local indexes left out.
[[nodiscard]] json::object item_collection_metrics(std::span<const Write> writes);
/// ReturnItemCollectionMetrics of a request: SIZE or NONE. Error: ValidationException.
[[nodiscard]] base::Result<bool> wants_collection_metrics(const json::object& request);

/// An item as a JSON value, for the places where a body is built as a tree.
[[nodiscard]] json::value to_json_value(const AttributeMap& item);

}  // namespace imgproc::localcloud::dynamodb
