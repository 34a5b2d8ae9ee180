#include "localcloud/dynamodb/service.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "localcloud/dynamodb/test_service.h"

namespace imgproc::localcloud::dynamodb {
namespace {

TEST(DynamoDbService, KeepsItemsAsTheyCame) {
  TestService db;
  db.create_table();
  const char* item =
      R"({"b":{"B":"AAEC"},"bs":{"BS":["AA=="]},"f":{"BOOL":false},"h":{"S":"é\"\n"},"l":{"L":[{"N":"1.5"}]},"m":{"M":{"x":{"NULL":true}}},"ns":{"NS":["2","1"]},"ss":{"SS":["b","a"]}})";
  db.put(item);
  EXPECT_EQ(json::serialize(
                db.ok("GetItem", R"({"TableName":"t-1","Key":{"h":{"S":"é\"\n"}}})").at("Item")),
            item);
  EXPECT_EQ(json::serialize(db.ok("GetItem", R"({"TableName":"t-1","Key":{"h":{"S":"other"}}})")),
            "{}");
  auto scan = db.ok("Scan", R"({"TableName":"t-1"})");
  EXPECT_EQ(json::serialize(scan.at("Items").at(0)), item);
  EXPECT_EQ(scan.at("Count").as_int64(), 1);
  db.reopen();
  EXPECT_EQ(json::serialize(
                db.ok("GetItem", R"({"TableName":"t-1","Key":{"h":{"S":"é\"\n"}}})").at("Item")),
            item);
  EXPECT_EQ(db.ok("DescribeTable", R"({"TableName":"t-1"})").at("Table").at("ItemCount").as_int64(),
            1);
}

TEST(DynamoDbService, SpeaksTheProtocol) {
  TestService db;
  http::Request request;
  request.method = "POST";
  request.headers.set("X-Amz-Target", "DynamoDB_20120810.ListTables");
  request.body = "{}";
  auto response = db.service().handle(Caller{"a", "us-east-1", "id-1"}, std::move(request));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.headers.get("Content-Type"), "application/x-amz-json-1.0");
  EXPECT_EQ(response.headers.get("x-amzn-RequestId"), "id-1");
  EXPECT_EQ(response.body.text, R"({"TableNames":[]})");
  auto type = [&](std::string_view operation, std::string_view body) {
    return std::string(db.call(operation, body).body.at("__type").as_string());
  };
  EXPECT_EQ(type("ListTables", "{"), "com.amazon.coral.service#SerializationException");
  EXPECT_EQ(type("ExecuteStatement", "{}"), "com.amazon.coral.service#UnknownOperationException");
  EXPECT_EQ(type("GetItem", "{}"), "com.amazon.coral.validate#ValidationException");
  EXPECT_EQ(type("DescribeTable", R"({"TableName":"none"})"),
            "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException");
  http::Request get;
  EXPECT_EQ(db.service().handle(Caller{}, std::move(get)).status, 400);
}

TEST(DynamoDbService, RefusesWrongKeysAndItems) {
  TestService db;
  db.create_table("N");
  auto put = [&](std::string_view item) {
    return db.error("PutItem", R"({"TableName":"t-1","Item":)" + std::string(item) + "}");
  };
  auto get = [&](std::string_view key) {
    return db.error("GetItem", R"({"TableName":"t-1","Key":)" + std::string(key) + "}");
  };
  EXPECT_EQ(put(R"({"h":{"S":"a"}})"),
            "ValidationException: One or more parameter values were invalid: Missing the key r in "
            "the item");
  EXPECT_EQ(put(R"({"h":{"N":"1"},"r":{"N":"1"}})"),
            "ValidationException: One or more parameter values were invalid: Type mismatch for key "
            "h expected: S "
            "actual: N");
  EXPECT_NE(
      put(R"({"h":{"S":""},"r":{"N":"1"}})").find("cannot contain an empty string value. Key: h"),
      std::string::npos);
  EXPECT_EQ(put(R"({"h":{"S":"a"},"r":{"N":"x"}})"),
            "ValidationException: The parameter cannot be converted to a numeric value: x");
  EXPECT_EQ(get(R"({"h":{"S":"a"}})"),
            "ValidationException: The provided key element does not match the schema");
  EXPECT_EQ(get(R"({"h":{"S":"a"},"r":{"S":"1"}})"),
            "ValidationException: The provided key element does not match the schema");
  EXPECT_NE(put(R"({"h":{"S":")" + std::string(2049, 'a') + R"("},"r":{"N":"1"}})")
                .find("size limit of2048 bytes"),
            std::string::npos);
  EXPECT_EQ(
      put(R"({"h":{"S":"a"},"r":{"N":"1"},"x":{"S":")" + std::string(400 * 1024, 'a') + R"("}})"),
      "ValidationException: Item size has exceeded the maximum allowed size");
  EXPECT_EQ(db.error("GetItem", R"({"TableName":"none","Key":{"h":{"S":"a"}}})"),
            "ResourceNotFoundException: Requested resource not found");
  EXPECT_EQ(db.error("GetItem", R"({"TableName":"a;b","Key":{"h":{"S":"a"}}})"),
            "ValidationException: 1 validation error detected: Value 'a;b' at 'tableName' failed "
            "to satisfy "
            "constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+");
  // Equal numbers are one key.
  db.put(R"({"h":{"S":"a"},"r":{"N":"1.0"},"v":{"S":"one"}})");
  EXPECT_EQ(db.ok("GetItem", R"({"TableName":"t-1","Key":{"h":{"S":"a"},"r":{"N":"1e0"}}})")
                .at("Item")
                .at("v")
                .at("S"),
            "one");
}

TEST(DynamoDbService, ConditionsAndReturnValues) {
  TestService db;
  db.create_table();
  std::string first =
      R"({"TableName":"t-1","Item":{"h":{"S":"a"},"v":{"N":"1"}},"ConditionExpression":"attribute_not_exists(h) "
})";
  EXPECT_EQ(db.error("PutItem", first), "OK");
  EXPECT_EQ(db.error("PutItem", first),
            "ConditionalCheckFailedException: The conditional request failed");
  Answer failed = db.call("PutItem", first.substr(0, first.size() - 1) +
                                         R"(,"ReturnValuesOnConditionCheckFailure":"ALL_OLD"})");
  EXPECT_EQ(failed.body.at("Item").at("v").at("N"), "1");
  auto update = [&](std::string_view expression, std::string_view values,
                    std::string_view returns) {
    return json::serialize(
        db.ok("UpdateItem", R"({"TableName":"t-1","Key":{"h":{"S":"a"}},"UpdateExpression":")" +
                                std::string(expression) + R"(","ExpressionAttributeValues":)" +
                                std::string(values) + R"(,"ReturnValues":")" +
                                std::string(returns) + "\"}"));
  };
  EXPECT_EQ(update("SET v = v + :o", R"({":o":{"N":"1"}})", "NONE"), "{}");
  EXPECT_EQ(update("SET v = v + :o", R"({":o":{"N":"1"}})", "UPDATED_OLD"),
            R"({"Attributes":{"v":{"N":"2"}}})");
  EXPECT_EQ(update("SET v = v + :o", R"({":o":{"N":"1"}})", "UPDATED_NEW"),
            R"({"Attributes":{"v":{"N":"4"}}})");
  EXPECT_EQ(update("SET v = v + :o", R"({":o":{"N":"1"}})", "ALL_OLD"),
            R"({"Attributes":{"h":{"S":"a"},"v":{"N":"4"}}})");
  EXPECT_EQ(update("SET v = v + :o", R"({":o":{"N":"1"}})", "ALL_NEW"),
            R"({"Attributes":{"h":{"S":"a"},"v":{"N":"6"}}})");
  EXPECT_EQ(
      db.error("PutItem", R"({"TableName":"t-1","Item":{"h":{"S":"a"}},"ReturnValues":"ALL_NEW"})"),
      "ValidationException: ReturnValues can only be ALL_OLD or NONE");
  EXPECT_EQ(
      json::serialize(db.ok(
          "DeleteItem", R"({"TableName":"t-1","Key":{"h":{"S":"a"}},"ReturnValues":"ALL_OLD"})")),
      R"({"Attributes":{"h":{"S":"a"},"v":{"N":"6"}}})");
  EXPECT_EQ(
      json::serialize(db.ok(
          "DeleteItem", R"({"TableName":"t-1","Key":{"h":{"S":"a"}},"ReturnValues":"ALL_OLD"})")),
      "{}");
  // An update makes the item that is not there, from its key.
  EXPECT_EQ(
      json::serialize(db.ok(
          "UpdateItem", R"({"TableName":"t-1","Key":{"h":{"S":"n"}},"ReturnValues":"ALL_NEW"})")),
      R"({"Attributes":{"h":{"S":"n"}}})");
  EXPECT_EQ(
      db.error("UpdateItem",
               R"({"TableName":"t-1","Key":{"h":{"S":"n"}},"UpdateExpression":"SET h = :a",)"
               R"("ExpressionAttributeValues":{":a":{"S":"x"}}})"),
      "ValidationException: One or more parameter values were invalid: Cannot update attribute "
      "h. This attribute "
      "is part of the key");
}

TEST(DynamoDbService, OneOfManyRacingWritersWins) {
  TestService db;
  db.create_table();
  constexpr int kThreads = 4;
  constexpr int kRounds = 25;
  std::atomic<int> won{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < kRounds; ++i) {
        std::string key = std::to_string(i);
        auto answer = db.call("PutItem", R"({"TableName":"t-1","Item":{"h":{"S":")" + key +
                                             R"("},"by":{"N":")" + std::to_string(t) +
                                             R"("}},"ConditionExpression":"attribute_not_exists(h) "
      })");
        if (answer.status == 200) ++won;
        db.ok("UpdateItem",
              R"({"TableName":"t-1","Key":{"h":{"S":"sum"}},"UpdateExpression":"ADD v :one",)"
              R"("ExpressionAttributeValues":{":one":{"N":"1"}}})");
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(won, kRounds);
  EXPECT_EQ(
      db.ok("GetItem", R"({"TableName":"t-1","Key":{"h":{"S":"sum"}}})").at("Item").at("v").at("N"),
      json::value(std::to_string(kThreads * kRounds)));
}

TEST(DynamoDbService, CountsCapacity) {
  TestService db;
  db.create_table();
  std::string big(5000, 'x');
  auto put = db.ok(
      "PutItem",
      R"({"TableName":"t-1","ReturnConsumedCapacity":"TOTAL","Item":{"h":{"S":"a"},"v":{"S":")" +
          big + R"("}}})");
  EXPECT_EQ(json::serialize(put),
            R"({"ConsumedCapacity":{"TableName":"t-1","CapacityUnits":5E0}})");
  auto units = [&](std::string_view rest) {
    return db
        .ok("GetItem",
            R"({"TableName":"t-1","Key":{"h":{"S":"a"}},"ReturnConsumedCapacity":"INDEXES")" +
                std::string(rest) + "}")
        .at("ConsumedCapacity")
        .at("Table")
        .at("CapacityUnits")
        .as_double();
  };
  EXPECT_EQ(units(""), 1.0);
  EXPECT_EQ(units(R"(,"ConsistentRead":true)"), 2.0);
}

TEST(DynamoDbService, DeletesExpiredItems) {
  TestService db;
  db.create_table();
  db.put(R"({"h":{"S":"old"},"ttl":{"N":"1767225700"}})");
  db.ok("UpdateTimeToLive",
        R"({"TableName":"t-1","TimeToLiveSpecification":{"Enabled":true,"AttributeName":"ttl"}})");
  db.put(R"({"h":{"S":"new"},"ttl":{"N":"1767225701"}})");
  db.put(R"({"h":{"S":"ancient"},"ttl":{"N":"100"}})");
  db.put(R"({"h":{"S":"text"},"ttl":{"S":"100"}})");
  auto count = [&] { return db.ok("Scan", R"({"TableName":"t-1"})").at("Count").as_int64(); };
  EXPECT_EQ(count(), 4);
  db.clock.advance(std::chrono::seconds(101));
  EXPECT_EQ(count(), 3);
  db.clock.advance(std::chrono::seconds(1));
  EXPECT_EQ(count(), 2);
  EXPECT_EQ(json::serialize(db.ok("DescribeTimeToLive", R"({"TableName":"t-1"})")),
            R"({"TimeToLiveDescription":{"TimeToLiveStatus":"ENABLED","AttributeName":"ttl"}})");
  EXPECT_EQ(
      db.error(
          "UpdateTimeToLive",
          R"({"TableName":"t-1","TimeToLiveSpecification":{"Enabled":true,"AttributeName":"ttl"}})"),
      "ValidationException: TimeToLive is already enabled");
}

TEST(DynamoDbService, BatchesAndTransactions) {
  TestService db;
  db.create_table();
  EXPECT_EQ(
      json::serialize(db.ok("BatchWriteItem",
                            R"({"RequestItems":{"t-1":[{"PutRequest":{"Item":{"h":{"S":"a"}}}},)"
                            R"({"PutRequest":{"Item":{"h":{"S":"b"}}}}]}})")),
      R"({"UnprocessedItems":{}})");
  EXPECT_EQ(db.error("BatchWriteItem",
                     R"({"RequestItems":{"t-1":[{"PutRequest":{"Item":{"h":{"S":"a"}}}},)"
                     R"({"DeleteRequest":{"Key":{"h":{"S":"a"}}}}]}})"),
            "ValidationException: Provided list of item keys contains duplicates");
  auto got = db.ok(
      "BatchGetItem",
      R"({"RequestItems":{"t-1":{"Keys":[{"h":{"S":"a"}},{"h":{"S":"z"}},{"h":{"S":"b"}}]}}})");
  EXPECT_EQ(got.at("Responses").at("t-1").as_array().size(), 2U);
  EXPECT_EQ(json::serialize(got.at("UnprocessedKeys")), "{}");

  Answer canceled = db.call(
      "TransactWriteItems",
      R"({"TransactItems":[{"Put":{"TableName":"t-1","Item":{"h":{"S":"c"}}}},)"
      R"({"ConditionCheck":{"TableName":"t-1","Key":{"h":{"S":"a"}},"ConditionExpression":"attribute_not_exists(h) ",)"
      R"("ReturnValuesOnConditionCheckFailure":"ALL_OLD"}}]})");
  EXPECT_EQ(canceled.error(),
            "TransactionCanceledException: Transaction cancelled, please refer cancellation "
            "reasons for specific "
            "reasons [None, ConditionalCheckFailed]");
  EXPECT_EQ(
      json::serialize(canceled.body.at("CancellationReasons")),
      R"([{"Code":"None"},{"Code":"ConditionalCheckFailed","Message":"The conditional request failed","Item":{"h":{"S":"a"}}}])");
  EXPECT_EQ(db.ok("Scan", R"({"TableName":"t-1"})").at("Count").as_int64(), 2);

  std::string add =
      R"({"ClientRequestToken":"token-1","TransactItems":[{"Update":{"TableName":"t-1","Key":{"h":{"S":"a"}},)"
      R"("UpdateExpression":"ADD v :one","ExpressionAttributeValues":{":one":{"N":"1"}}}},)"
      R"({"Delete":{"TableName":"t-1","Key":{"h":{"S":"b"}}}}]})";
  db.ok("TransactWriteItems", add);
  db.ok("TransactWriteItems", add);
  auto items = db.ok("TransactGetItems",
                     R"({"TransactItems":[{"Get":{"TableName":"t-1","Key":{"h":{"S":"a"}}}},)"
                     R"({"Get":{"TableName":"t-1","Key":{"h":{"S":"b"}}}}]})");
  EXPECT_EQ(json::serialize(items), R"({"Responses":[{"Item":{"h":{"S":"a"},"v":{"N":"1"}}},{}]})");
  EXPECT_TRUE(db.error("TransactWriteItems",
                       R"({"ClientRequestToken":"token-1","TransactItems":[)"
                       R"({"Delete":{"TableName":"t-1","Key":{"h":{"S":"b"}}}}]})")
                  .starts_with("IdempotentParameterMismatchException"));
}

TEST(DynamoDbService, LegacyParameters) {
  TestService db;
  db.create_table("N");
  for (int i = 0; i < 5; ++i)
    db.put(R"({"h":{"S":"a"},"r":{"N":")" + std::to_string(i) + R"("},"v":{"N":")" +
           std::to_string(i * i) + R"("}})");
  EXPECT_EQ(
      db.ok("Query",
            R"({"TableName":"t-1","KeyConditions":{"h":{"ComparisonOperator":"EQ","AttributeValueList":)"
            R"([{"S":"a"}]},"r":{"ComparisonOperator":"GE","AttributeValueList":[{"N":"3"}]}}})")
          .at("Count")
          .as_int64(),
      2);
  EXPECT_EQ(
      db.ok("Scan",
            R"({"TableName":"t-1","ScanFilter":{"v":{"ComparisonOperator":"BETWEEN","AttributeValueList":)"
            R"([{"N":"1"},{"N":"9"}]},"r":{"ComparisonOperator":"EQ","AttributeValueList":[{"N":"0"}]}},)"
            R"("ConditionalOperator":"OR"})")
          .at("Count")
          .as_int64(),
      4);
  std::string key = R"("TableName":"t-1","Key":{"h":{"S":"a"},"r":{"N":"1"}})";
  EXPECT_EQ(json::serialize(db.ok(
                "UpdateItem", "{" + key +
                                  R"(,"AttributeUpdates":{"v":{"Action":"ADD","Value":{"N":"2"}},)"
                                  R"("s":{"Value":{"SS":["x"]}}},"ReturnValues":"UPDATED_NEW"})")),
            R"({"Attributes":{"s":{"SS":["x"]},"v":{"N":"3"}}})");
  EXPECT_EQ(db.error("UpdateItem", "{" + key + R"(,"Expected":{"v":{"Value":{"N":"9"}}}})"),
            "ConditionalCheckFailedException: The conditional request failed");
  EXPECT_EQ(db.error("UpdateItem",
                     "{" + key + R"(,"Expected":{"v":{"Value":{"N":"3"}},"no":{"Exists":false}}})"),
            "OK");
  EXPECT_EQ(json::serialize(db.ok("GetItem", "{" + key + R"(,"AttributesToGet":["v","none"]})")),
            R"({"Item":{"v":{"N":"3"}}})");
  EXPECT_TRUE(
      db.error("UpdateItem", "{" + key + R"(,"Expected":{},"UpdateExpression":"REMOVE v"})")
          .starts_with(
              "ValidationException: Can not use both expression and non-expression parameters"));
}

}  // namespace
}  // namespace imgproc::localcloud::dynamodb
