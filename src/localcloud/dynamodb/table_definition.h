#pragma once
// Reads the parts that CreateTable and UpdateTable share, with DynamoDB's checks, into the form in
// which DescribeTable answers them.

#include <optional>
#include <string>
#include <vector>

#include "localcloud/dynamodb/operation.h"

namespace imgproc::localcloud::dynamodb {

inline constexpr std::size_t kGlobalIndexesMax = 20;
inline constexpr std::size_t kLocalIndexesMax = 5;
inline constexpr std::int64_t kThroughputMax = 1'000'000'000'000;

/// [{AttributeName, AttributeType}], each name once.
[[nodiscard]] base::Result<json::array> parse_attribute_definitions(const json::array& list);
/// [{AttributeName, KeyType}]: HASH and perhaps RANGE, all of them defined.
[[nodiscard]] base::Result<json::array> parse_key_schema(const json::array& list,
                                                         const json::array& definitions,
                                                         const std::string& path);
/// One index: IndexName, KeySchema, Projection and, for a global one, throughput.
[[nodiscard]] base::Result<json::object> parse_index(const json::object& definition,
                                                     const json::array& definitions,
                                                     std::string_view table_arn_text, bool global,
                                                     bool on_demand, const std::string& path);
/// {ReadCapacityUnits, WriteCapacityUnits, NumberOfDecreasesToday}; zeros for nullptr.
[[nodiscard]] base::Result<json::object> parse_throughput(const json::object* throughput,
                                                          const std::string& path);
/// Every attribute that is defined is a key of something, and every key is defined.
[[nodiscard]] base::Status check_definitions_used(const json::object& description);
/// AttributeDefinitions without those that no key uses any more.
void drop_unused_definitions(json::object& description);

/// SSESpecification into SSEDescription; nothing if it is off.
[[nodiscard]] base::Result<std::optional<json::object>> parse_encryption(
    const json::object& specification, std::string_view region);
/// Refuses what would need a stream of changes, which is not here.
[[nodiscard]] base::Status check_stream(const json::object& request);

/// Reads [{Key, Value}] into {key: value}. At most 50.
[[nodiscard]] base::Status add_tags(const json::array& list, json::object& tags);

/// The description as DescribeTable answers it now, with counts.
[[nodiscard]] base::Result<json::object> describe(Call& call, const Table& table);
/// {"member": {…description…}}
[[nodiscard]] base::Result<std::string> describe_as(Call& call, const Table& table,
                                                    std::string_view member);

}  // namespace imgproc::localcloud::dynamodb
