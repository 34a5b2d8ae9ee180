#include <fmt/format.h>

#include "localcloud/dynamodb/legacy.h"
#include "localcloud/dynamodb/page.h"

namespace imgproc::localcloud::dynamodb {
namespace {

constexpr std::int64_t kSegmentsMax = 1'000'000;

/// The part of all partition hashes that one segment of a parallel scan reads: low <= hash < high.
struct Segment {
  std::string low;
  /// Nothing: to the end.
  std::optional<std::string> high;
};

/// The first hash of segment `number` of `total`, as the bytes that lead stored hash keys.
std::string segment_start(std::int64_t number, std::int64_t total) {
  std::uint64_t hashes = std::uint64_t{1} << (8 * kHashPrefixBytes);
  auto first =
      (hashes * static_cast<std::uint64_t>(number) + static_cast<std::uint64_t>(total) - 1) /
      static_cast<std::uint64_t>(total);
  std::string bytes;
  for (int shift = 8 * (static_cast<int>(kHashPrefixBytes) - 1); shift >= 0; shift -= 8)
    bytes += static_cast<char>((first >> shift) & 0xFF);
  return bytes;
}

base::Result<Segment> parse_segment(const json::object& request) {
  Input input(request);
  auto total = input.integer("TotalSegments", 1, kSegmentsMax);
  auto number = input.integer("Segment", 0, kSegmentsMax - 1);
  IMGPROC_CHECK(input.status());
  if (number && !total)
    return invalid(
        "The TotalSegments parameter is required but was not present in the request when Segment "
        "parameter is present");
  if (!total) return Segment{};
  if (!number)
    return invalid(
        "The Segment parameter is required but was not present in the request when parameter "
        "TotalSegments is present");
  if (*number >= *total)
    return invalid(fmt::format(
        "The Segment parameter is zero-based and must be less than parameter TotalSegments: "
        "Segment: {} is not less than TotalSegments: {}",
        *number, *total));
  Segment segment{.low = segment_start(*number, *total), .high = {}};
  if (*number + 1 < *total) segment.high = segment_start(*number + 1, *total);
  return segment;
}

base::Result<Statement> scan_rows(Connection& connection, const Page& page,
                                  const Segment& segment) {
  // A segment starts before all keys that begin with its first hash; a page after the key where the
  // last one ended.
  Cursor after{.entry = {segment.low, ""}, .item = {}};
  if (page.start_key) after = cursor_of(page, *page.start_key);
  const char* columns =
      page.index == nullptr
          ? "(hash_key, range_key) > (?3, ?4)"
          : "(e.hash_key, e.range_key, e.item_hash, e.item_range) > (?3, ?4, ?6, ?7)";
  std::string sql = page.index == nullptr
                        ? fmt::format(
                              "SELECT item, bytes FROM dynamodb_items WHERE table_id = ?1 AND {}{} "
                              "ORDER BY hash_key, "
                              "range_key",
                              columns, segment.high ? " AND hash_key < ?5" : "")
                        : fmt::format(
                              "SELECT i.item, i.bytes FROM dynamodb_index_entries e CROSS JOIN "
                              "dynamodb_items i ON i.table_id = "
                              "e.table_id AND i.hash_key = e.item_hash AND i.range_key = "
                              "e.item_range WHERE e.table_id = ?1 "
                              "AND e.index_number = ?2 AND {}{} ORDER BY e.hash_key, e.range_key, "
                              "e.item_hash, e.item_range",
                              columns, segment.high ? " AND e.hash_key < ?5" : "");
  IMGPROC_TRY(Statement rows, connection.prepare(sql));
  rows.bind(1, page.table->id).bind_blob(3, after.entry.hash).bind_blob(4, after.entry.range);
  if (segment.high) rows.bind_blob(5, *segment.high);
  if (page.index != nullptr)
    rows.bind(2, page.index->number).bind_blob(6, after.item.hash).bind_blob(7, after.item.range);
  return rows;
}

}  // namespace

base::Result<std::string> scan(Call& call) {
  const json::object& request = call.request;
  IMGPROC_CHECK(refuse_mixed_parameters(request, {"ProjectionExpression", "FilterExpression"},
                                        {"FilterExpression"},
                                        {"AttributesToGet", "ScanFilter", "ConditionalOperator"}));
  IMGPROC_TRY(Segment segment, parse_segment(request));
  IMGPROC_TRY(Placeholders placeholders, Placeholders::read(request));
  IMGPROC_TRY(Page page, parse_page(call, placeholders, "ScanFilter"));
  IMGPROC_CHECK(placeholders.check_all_used());
  IMGPROC_CHECK(check_start_key(page));
  if (page.start_key) {
    std::string hash = cursor_of(page, *page.start_key).entry.hash;
    if (hash < segment.low || (segment.high && hash >= *segment.high))
      return invalid(
          "The provided starting key is invalid: Invalid ExclusiveStartKey. Please use "
          "ExclusiveStartKey with correct "
          "Segment.");
  }
  std::string body;
  IMGPROC_CHECK(call.store.database().read([&](Connection& connection) -> base::Status {
    IMGPROC_TRY(Statement rows, scan_rows(connection, page, segment));
    IMGPROC_TRY(body, fill_page(page, rows));
    return {};
  }));
  return body;
}

}  // namespace imgproc::localcloud::dynamodb
