// Query and Scan: pages, order, indexes, segments, and a random comparison with a plain list.

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "localcloud/dynamodb/test_service.h"

namespace imgproc::localcloud::dynamodb {
namespace {

std::string member(const json::value& item, std::string_view name, std::string_view type) {
  return std::string(item.at(name).at(type).as_string());
}

/// All pages of a read, following LastEvaluatedKey. `request` has no closing brace.
std::vector<json::value> all_pages(TestService& db, std::string_view operation,
                                   const std::string& request, int* pages = nullptr) {
  std::vector<json::value> items;
  std::string start;
  for (;;) {
    json::value page = db.ok(operation, request + start + "}");
    if (pages != nullptr) ++*pages;
    for (const auto& item : page.at("Items").as_array()) items.push_back(item);
    const auto* last = page.as_object().if_contains("LastEvaluatedKey");
    if (last == nullptr) return items;
    start = ",\"ExclusiveStartKey\":" + json::serialize(*last);
  }
}

void create_indexed_table(TestService& db) {
  db.ok("CreateTable", R"({"TableName":"t-1","BillingMode":"PAY_PER_REQUEST",
    "AttributeDefinitions":[{"AttributeName":"h","AttributeType":"S"},{"AttributeName":"r","AttributeType":"N"},
      {"AttributeName":"g","AttributeType":"S"},{"AttributeName":"l","AttributeType":"N"}],
    "KeySchema":[{"AttributeName":"h","KeyType":"HASH"},{"AttributeName":"r","KeyType":"RANGE"}],
    "GlobalSecondaryIndexes":[
      {"IndexName":"by-g","KeySchema":[{"AttributeName":"g","KeyType":"HASH"},{"AttributeName":"l","KeyType":"RANGE"}],
       "Projection":{"ProjectionType":"ALL"}},
      {"IndexName":"only-g","KeySchema":[{"AttributeName":"g","KeyType":"HASH"}],
       "Projection":{"ProjectionType":"KEYS_ONLY"}}],
    "LocalSecondaryIndexes":[
      {"IndexName":"by-l","KeySchema":[{"AttributeName":"h","KeyType":"HASH"},{"AttributeName":"l","KeyType":"RANGE"}],
       "Projection":{"ProjectionType":"INCLUDE","NonKeyAttributes":["v"]}}]})");
}

TEST(Query, KeyConditions) {
  TestService db;
  db.create_table("S");
  for (const char* range : {"a", "ab", "abc", "b", "c"})
    db.put(R"({"h":{"S":"k"},"r":{"S":")" + std::string(range) + R"("}})");
  db.put(R"({"h":{"S":"other"},"r":{"S":"a"}})");
  auto ranges = [&](const std::string& condition, const std::string& values,
                    const std::string& rest = "") {
    std::string found;
    for (const auto& item :
         all_pages(db, "Query",
                   R"({"TableName":"t-1","KeyConditionExpression":"h = :h)" + condition +
                       R"(","ExpressionAttributeValues":{":h":{"S":"k"})" + values + "}" + rest))
      found += member(item, "r", "S") + " ";
    return found;
  };
  EXPECT_EQ(ranges("", ""), "a ab abc b c ");
  EXPECT_EQ(ranges("", "", R"(,"ScanIndexForward":false)"), "c b abc ab a ");
  EXPECT_EQ(ranges(" AND r = :r", R"(,":r":{"S":"ab"})"), "ab ");
  EXPECT_EQ(ranges(" AND r < :r", R"(,":r":{"S":"abc"})"), "a ab ");
  EXPECT_EQ(ranges(" AND r <= :r", R"(,":r":{"S":"abc"})"), "a ab abc ");
  EXPECT_EQ(ranges(" AND :r < r", R"(,":r":{"S":"abc"})"), "b c ");
  EXPECT_EQ(ranges(" AND r >= :r", R"(,":r":{"S":"abc"})"), "abc b c ");
  EXPECT_EQ(ranges(" AND begins_with(r, :r)", R"(,":r":{"S":"ab"})"), "ab abc ");
  EXPECT_EQ(ranges(" AND r BETWEEN :r AND :q", R"(,":r":{"S":"ab"},":q":{"S":"b"})"), "ab abc b ");
  EXPECT_EQ(ranges("", "", R"(,"Limit":2)"), "a ab abc b c ");
  EXPECT_EQ(ranges("", "", R"(,"Limit":2,"ScanIndexForward":false)"), "c b abc ab a ");
  EXPECT_EQ(ranges(" AND r > :r", R"(,":r":{"S":"a"})", R"(,"Limit":1)"), "ab abc b c ");
}

TEST(Query, RefusesWhatIsNoKeyCondition) {
  TestService db;
  db.create_table("S");
  auto refused = [&](std::string_view condition, std::string_view rest = "") {
    return db.error("Query",
                    R"({"TableName":"t-1","KeyConditionExpression":")" + std::string(condition) +
                        R"(","ExpressionAttributeValues":{":h":{"S":"k"},":n":{"N":"1"}})" +
                        std::string(rest) + "}");
  };
  EXPECT_EQ(refused("h = :h OR r = :n"),
            "ValidationException: Invalid operator used in KeyConditionExpression: OR");
  EXPECT_EQ(refused("h = :h AND r = :n"),
            "ValidationException: One or more parameter values were invalid: Condition parameter "
            "type does not match "
            "schema type");
  EXPECT_EQ(refused("h > :h AND r = :n").substr(0, 60),
            std::string("ValidationException: Query key condition not supported").substr(0, 60));
  EXPECT_EQ(refused("x = :h AND r = :n"),
            "ValidationException: Query condition missed key schema element: h");
  EXPECT_EQ(db.error("Query", R"({"TableName":"t-1"})"),
            "ValidationException: Either the KeyConditions or KeyConditionExpression parameter "
            "must be specified in the "
            "request.");
  EXPECT_EQ(
      db.error(
          "Query",
          R"({"TableName":"t-1","KeyConditionExpression":"h = :h","FilterExpression":"r = :h",)"
          R"("ExpressionAttributeValues":{":h":{"S":"k"}}})"),
      "ValidationException: Filter Expression can only contain non-primary key attributes: Primary "
      "key attribute: "
      "r");
  EXPECT_EQ(db.error("Query",
                     R"({"TableName":"t-1","IndexName":"none","KeyConditionExpression":"h = :h",)"
                     R"("ExpressionAttributeValues":{":h":{"S":"k"}}})"),
            "ValidationException: The table does not have the specified index: none");
  EXPECT_EQ(
      db.error(
          "Query",
          R"({"TableName":"t-1","KeyConditionExpression":"h = :h","ExclusiveStartKey":{"h":{"S":"k"}},)"
          R"("ExpressionAttributeValues":{":h":{"S":"k"}}})"),
      "ValidationException: The provided starting key is invalid: The provided key element does "
      "not match the "
      "schema");
}

TEST(Query, PagesEndAtOneMegabyte) {
  TestService db;
  db.create_table("N");
  std::string payload(100'000, 'x');
  for (int i = 0; i < 25; ++i)
    db.put(R"({"h":{"S":"k"},"r":{"N":")" + std::to_string(i) + R"("},"v":{"S":")" + payload +
           R"("}})");
  int pages = 0;
  auto items = all_pages(
      db, "Query",
      R"({"TableName":"t-1","KeyConditionExpression":"h = :h","ProjectionExpression":"r",)"
      R"("ExpressionAttributeValues":{":h":{"S":"k"}})",
      &pages);
  EXPECT_EQ(pages, 3);
  ASSERT_EQ(items.size(), 25U);
  for (int i = 0; i < 25; ++i)
    EXPECT_EQ(member(items[static_cast<std::size_t>(i)], "r", "N"), std::to_string(i));
}

TEST(Scan, SegmentsCoverEverythingOnce) {
  TestService db;
  db.create_table();
  for (int i = 0; i < 100; ++i) db.put(R"({"h":{"S":"key-)" + std::to_string(i) + R"("}})");
  std::vector<std::string> whole;
  for (const auto& item : all_pages(db, "Scan", R"({"TableName":"t-1","Limit":7)"))
    whole.push_back(member(item, "h", "S"));
  EXPECT_EQ(std::set<std::string>(whole.begin(), whole.end()).size(), 100U);
  for (int total : {1, 3, 8}) {
    std::vector<std::string> joined;
    for (int segment = 0; segment < total; ++segment)
      for (const auto& item :
           all_pages(db, "Scan",
                     R"({"TableName":"t-1","Limit":5,"Segment":)" + std::to_string(segment) +
                         R"(,"TotalSegments":)" + std::to_string(total)))
        joined.push_back(member(item, "h", "S"));
    EXPECT_EQ(joined, whole) << total;
  }
  EXPECT_TRUE(db.error("Scan", R"({"TableName":"t-1","Segment":3,"TotalSegments":3})")
                  .starts_with("ValidationException: The Segment parameter is zero-based"));
  EXPECT_EQ(json::serialize(db.ok("Scan", R"({"TableName":"t-1","Select":"COUNT"})")),
            R"({"Count":100,"ScannedCount":100})");
}

TEST(Index, FollowsItsItems) {
  TestService db;
  create_indexed_table(db);
  db.put(
      R"({"h":{"S":"a"},"r":{"N":"1"},"g":{"S":"x"},"l":{"N":"2"},"v":{"S":"keep"},"w":{"S":"drop"}})");
  db.put(R"({"h":{"S":"a"},"r":{"N":"2"},"g":{"S":"x"},"l":{"N":"1"}})");
  db.put(R"({"h":{"S":"a"},"r":{"N":"3"},"g":{"S":"x"}})");
  db.put(R"({"h":{"S":"a"},"r":{"N":"4"}})");
  auto rows = [&](const std::string& index, const std::string& key, const std::string& value,
                  const std::string& rest = "") {
    std::string found;
    for (const auto& item : all_pages(
             db, "Query",
             R"({"TableName":"t-1","IndexName":")" + index + R"(","KeyConditionExpression":")" +
                 key + R"( = :k","Limit":1,"ExpressionAttributeValues":{":k":{"S":")" + value +
                 "\"}}" + rest))
      found += json::serialize(item) + "\n";
    return found;
  };
  auto ranges = [&](const std::string& index) {
    std::string found;
    std::string text = rows(index, index == "by-l" ? "h" : "g", index == "by-l" ? "a" : "x");
    for (std::size_t at = text.find("\"r\":{\"N\":\""); at != std::string::npos;
         at = text.find("\"r\":{\"N\":\"", at + 1))
      found += text[at + 10];
    return found;
  };
  EXPECT_EQ(ranges("by-g"), "21");
  std::string only = ranges("only-g");
  std::sort(only.begin(), only.end());
  EXPECT_EQ(only, "123");
  EXPECT_EQ(
      rows("by-l", "h", "a"),
      "{\"h\":{\"S\":\"a\"},\"l\":{\"N\":\"1\"},\"r\":{\"N\":\"2\"}}\n"
      "{\"h\":{\"S\":\"a\"},\"l\":{\"N\":\"2\"},\"r\":{\"N\":\"1\"},\"v\":{\"S\":\"keep\"}}\n");
  EXPECT_NE(rows("by-l", "h", "a", R"(,"Select":"ALL_ATTRIBUTES")").find("drop"),
            std::string::npos);
  EXPECT_TRUE(
      db.error("Query",
               R"({"TableName":"t-1","IndexName":"only-g","KeyConditionExpression":"g = :k",)"
               R"("Select":"ALL_ATTRIBUTES","ExpressionAttributeValues":{":k":{"S":"x"}}})")
          .find("projection type is not ALL") != std::string::npos);
  EXPECT_EQ(db.error("Scan", R"({"TableName":"t-1","IndexName":"by-g","ConsistentRead":true})"),
            "ValidationException: Consistent reads are not supported on global secondary indexes");
  EXPECT_EQ(db.error("PutItem",
                     R"({"TableName":"t-1","Item":{"h":{"S":"a"},"r":{"N":"9"},"g":{"N":"1"}}})"),
            "ValidationException: One or more parameter values were invalid: Type mismatch for "
            "Index Key g Expected: S "
            "Actual: N IndexName: by-g");

  db.ok("UpdateItem",
        R"({"TableName":"t-1","Key":{"h":{"S":"a"},"r":{"N":"1"}},"UpdateExpression":"SET l = :z",)"
        R"("ExpressionAttributeValues":{":z":{"N":"-5"}}})");
  EXPECT_EQ(ranges("by-g"), "12");
  db.ok("UpdateItem",
        R"({"TableName":"t-1","Key":{"h":{"S":"a"},"r":{"N":"2"}},"UpdateExpression":"REMOVE l"})");
  EXPECT_EQ(ranges("by-g"), "1");
  db.ok("DeleteItem", R"({"TableName":"t-1","Key":{"h":{"S":"a"},"r":{"N":"1"}}})");
  EXPECT_EQ(ranges("by-g"), "");
  EXPECT_EQ(all_pages(db, "Scan", R"({"TableName":"t-1","IndexName":"only-g","Limit":1)").size(),
            2U);
}

TEST(Query, AgreesWithAPlainList) {
  TestService db;
  create_indexed_table(db);
  std::mt19937 random(3);
  struct Row {
    std::string h, g;
    int r, l;
  };
  std::map<std::pair<std::string, int>, Row> rows;
  for (int i = 0; i < 300; ++i) {
    Row row{"p" + std::to_string(random() % 4), "g" + std::to_string(random() % 3),
            static_cast<int>(random() % 60) - 30, static_cast<int>(random() % 10) - 5};
    std::string key =
        R"("h":{"S":")" + row.h + R"("},"r":{"N":")" + std::to_string(row.r) + R"("})";
    if (random() % 4 == 0) {
      db.ok("DeleteItem", R"({"TableName":"t-1","Key":{)" + key + "}}");
      rows.erase({row.h, row.r});
    } else {
      db.put("{" + key + R"(,"g":{"S":")" + row.g + R"("},"l":{"N":")" + std::to_string(row.l) +
             R"("}})");
      rows[{row.h, row.r}] = row;
    }
  }
  for (int round = 0; round < 60; ++round) {
    bool index = random() % 2 == 0;
    bool forward = random() % 2 == 0;
    std::string partition = (index ? "g" : "p") + std::to_string(random() % 4);
    int low = static_cast<int>(random() % 60) - 30;
    int high = low + static_cast<int>(random() % 20);
    int limit = 1 + static_cast<int>(random() % 9);
    std::vector<int> expected;
    for (const auto& [key, row] : rows) {
      int range = index ? row.l : row.r;
      if ((index ? row.g : row.h) == partition && range >= low && range <= high)
        expected.push_back(range);
    }
    std::sort(expected.begin(), expected.end());
    if (!forward) std::reverse(expected.begin(), expected.end());
    std::vector<int> found;
    std::set<std::string> keys;
    for (const auto& item :
         all_pages(db, "Query",
                   std::string(R"({"TableName":"t-1",)") + (index ? R"("IndexName":"by-g",)" : "") +
                       R"("KeyConditionExpression":")" + (index ? "g = :p AND l" : "h = :p AND r") +
                       R"( BETWEEN :a AND :b","ExpressionAttributeValues":{":p":{"S":")" +
                       partition + R"("},":a":{"N":")" + std::to_string(low) + R"("},":b":{"N":")" +
                       std::to_string(high) + R"("}},"Limit":)" + std::to_string(limit) +
                       R"(,"ScanIndexForward":)" + (forward ? "true" : "false"))) {
      found.push_back(std::stoi(member(item, index ? "l" : "r", "N")));
      keys.insert(member(item, "h", "S") + "/" + member(item, "r", "N"));
    }
    EXPECT_EQ(found, expected) << round;
    EXPECT_EQ(keys.size(), found.size()) << round;
  }
  EXPECT_EQ(all_pages(db, "Scan", R"({"TableName":"t-1","Limit":7)").size(), rows.size());
  EXPECT_EQ(all_pages(db, "Scan", R"({"TableName":"t-1","IndexName":"by-g","Limit":7)").size(),
            rows.size());
}

}  // namespace
}  // namespace imgproc::localcloud::dynamodb
