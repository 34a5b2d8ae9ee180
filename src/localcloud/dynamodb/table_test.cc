// Tables: what Terraform and the CLI do with them, and what is refused.

#include <gtest/gtest.h>

#include "localcloud/dynamodb/test_service.h"
#include "localcloud/managed_key.h"

namespace imgproc::localcloud::dynamodb {
namespace {

constexpr char kCreate[] =
    R"({"TableName":"meta","BillingMode":"PAY_PER_REQUEST","SSESpecification":{"Enabled":true},
  "AttributeDefinitions":[{"AttributeName":"created_at","AttributeType":"S"},{"AttributeName":"id","AttributeType":"S"},
    {"AttributeName":"status","AttributeType":"S"}],
  "KeySchema":[{"AttributeName":"id","KeyType":"HASH"},{"AttributeName":"created_at","KeyType":"RANGE"}],
  "GlobalSecondaryIndexes":[{"IndexName":"by-status","Projection":{"ProjectionType":"ALL"},
    "KeySchema":[{"AttributeName":"status","KeyType":"HASH"},{"AttributeName":"created_at","KeyType":"RANGE"}]}],
  "Tags":[{"Key":"Project","Value":"p"},{"Key":"ManagedBy","Value":"terraform"}]})";
constexpr char kArn[] = "arn:aws:dynamodb:us-east-1:000000000000:table/meta";
constexpr char kMeta[] = R"({"TableName":"meta"})";

TEST(Table, LivesAsTerraformManagesIt) {
  TestService db;
  auto created = db.ok("CreateTable", kCreate).at("TableDescription");
  EXPECT_EQ(created.at("TableStatus"), "ACTIVE");
  EXPECT_EQ(created.at("TableArn"), kArn);
  EXPECT_EQ(created.at("BillingModeSummary").at("BillingMode"), "PAY_PER_REQUEST");
  EXPECT_EQ(created.at("ProvisionedThroughput").at("ReadCapacityUnits").as_int64(), 0);
  EXPECT_EQ(created.at("SSEDescription").at("KMSMasterKeyArn"),
            json::value(managed_key_arn("us-east-1", "dynamodb")));
  EXPECT_EQ(created.at("DeletionProtectionEnabled").as_bool(), false);
  EXPECT_EQ(created.at("GlobalSecondaryIndexes").at(0).at("IndexStatus"), "ACTIVE");
  EXPECT_EQ(created.at("CreationDateTime").as_double(), 1767225600.0);
  EXPECT_TRUE(db.error("CreateTable", kCreate).starts_with("ResourceInUseException"));

  EXPECT_EQ(json::serialize(
                db.ok("ListTagsOfResource", R"({"ResourceArn":")" + std::string(kArn) + "\"}")),
            R"({"Tags":[{"Key":"Project","Value":"p"},{"Key":"ManagedBy","Value":"terraform"}]})");
  db.ok("UntagResource", R"({"ResourceArn":")" + std::string(kArn) + R"(","TagKeys":["Project"]})");
  db.ok("TagResource",
        R"({"ResourceArn":")" + std::string(kArn) + R"(","Tags":[{"Key":"Env","Value":"test"}]})");
  db.reopen();
  EXPECT_EQ(json::serialize(
                db.ok("ListTagsOfResource", R"({"ResourceArn":")" + std::string(kArn) + "\"}")),
            R"({"Tags":[{"Key":"ManagedBy","Value":"terraform"},{"Key":"Env","Value":"test"}]})");
  EXPECT_TRUE(db.error("ListTagsOfResource",
                       R"({"ResourceArn":"arn:aws:dynamodb:us-east-1:000000000000:table/no"})")
                  .starts_with("ResourceNotFoundException"));

  auto recovery = [](const json::value& answer) {
    return std::string(answer.at("ContinuousBackupsDescription")
                           .at("PointInTimeRecoveryDescription")
                           .at("PointInTimeRecoveryStatus")
                           .as_string());
  };
  EXPECT_EQ(recovery(db.ok("DescribeContinuousBackups", kMeta)), "DISABLED");
  EXPECT_EQ(
      recovery(db.ok(
          "UpdateContinuousBackups",
          R"({"TableName":"meta","PointInTimeRecoverySpecification":{"PointInTimeRecoveryEnabled":true}})")),
      "ENABLED");
  EXPECT_TRUE(db.error("DescribeContinuousBackups", R"({"TableName":"none"})")
                  .starts_with("TableNotFoundException"));

  db.ok("UpdateTable", R"({"TableName":"meta","DeletionProtectionEnabled":true})");
  EXPECT_TRUE(db.error("DeleteTable", kMeta).starts_with("ValidationException"));
  db.ok("UpdateTable", R"({"TableName":"meta","DeletionProtectionEnabled":false})");
  EXPECT_EQ(db.ok("DeleteTable", kMeta).at("TableDescription").at("TableStatus"), "DELETING");
  EXPECT_EQ(db.error("DescribeTable", kMeta),
            "ResourceNotFoundException: Requested resource not found: Table: meta not found");
  db.ok("CreateTable", kCreate);
  EXPECT_EQ(db.ok("DescribeTable", kMeta).at("Table").at("ItemCount").as_int64(), 0);
}

TEST(Table, IndexesComeAndGo) {
  TestService db;
  db.ok("CreateTable", kCreate);
  for (int i = 0; i < 3; ++i)
    db.ok("PutItem", R"({"TableName":"meta","Item":{"id":{"S":"i)" + std::to_string(i) +
                         R"("},"created_at":{"S":"2026"},"day":{"S":"d)" + std::to_string(i % 2) +
                         R"("}}})");
  auto changed = db.ok("UpdateTable", R"({"TableName":"meta","AttributeDefinitions":[
      {"AttributeName":"day","AttributeType":"S"},{"AttributeName":"id","AttributeType":"S"}],
    "GlobalSecondaryIndexUpdates":[{"Create":{"IndexName":"by-day","Projection":{"ProjectionType":"KEYS_ONLY"},
      "KeySchema":[{"AttributeName":"day","KeyType":"HASH"}]}}]})");
  EXPECT_EQ(changed.at("TableDescription").at("GlobalSecondaryIndexes").as_array().size(), 2U);
  auto by_day =
      db.ok("Query", R"({"TableName":"meta","IndexName":"by-day","KeyConditionExpression":"#d = :d",
    "ExpressionAttributeNames":{"#d":"day"},"ExpressionAttributeValues":{":d":{"S":"d0"}}})");
  EXPECT_EQ(by_day.at("Count").as_int64(), 2);
  EXPECT_TRUE(db.error("UpdateTable", R"({"TableName":"meta","GlobalSecondaryIndexUpdates":[
      {"Delete":{"IndexName":"by-day"}},{"Delete":{"IndexName":"by-status"}}]})")
                  .starts_with("LimitExceededException"));
  auto shrunk = db.ok(
      "UpdateTable",
      R"({"TableName":"meta","GlobalSecondaryIndexUpdates":[{"Delete":{"IndexName":"by-status"}}]})");
  EXPECT_EQ(
      json::serialize(shrunk.at("TableDescription").at("AttributeDefinitions")),
      R"([{"AttributeName":"created_at","AttributeType":"S"},{"AttributeName":"id","AttributeType":"S"},{"AttributeName":"day","AttributeType":"S"}])");
  db.reopen();
  auto table = db.ok("DescribeTable", kMeta).at("Table");
  EXPECT_EQ(table.at("GlobalSecondaryIndexes").as_array().size(), 1U);
  EXPECT_EQ(table.at("GlobalSecondaryIndexes").at(0).at("ItemCount").as_int64(), 3);
  EXPECT_TRUE(
      db.error(
            "UpdateTable",
            R"({"TableName":"meta","GlobalSecondaryIndexUpdates":[{"Delete":{"IndexName":"none"}}]})")
          .starts_with("ResourceNotFoundException"));
}

TEST(Table, BillingChanges) {
  TestService db;
  db.create_table();
  auto provisioned = db.ok("UpdateTable", R"({"TableName":"t-1","BillingMode":"PROVISIONED",
    "ProvisionedThroughput":{"ReadCapacityUnits":5,"WriteCapacityUnits":6}})");
  EXPECT_EQ(provisioned.at("TableDescription").at("BillingModeSummary").at("BillingMode"),
            "PROVISIONED");
  EXPECT_EQ(provisioned.at("TableDescription")
                .at("ProvisionedThroughput")
                .at("WriteCapacityUnits")
                .as_int64(),
            6);
  EXPECT_TRUE(
      db.error(
            "UpdateTable",
            R"({"TableName":"t-1","ProvisionedThroughput":{"ReadCapacityUnits":5,"WriteCapacityUnits":6}})")
          .starts_with(
              "ValidationException: The provisioned throughput for the table will not change."));
  auto on_demand = db.ok("UpdateTable", R"({"TableName":"t-1","BillingMode":"PAY_PER_REQUEST"})");
  EXPECT_EQ(on_demand.at("TableDescription")
                .at("ProvisionedThroughput")
                .at("ReadCapacityUnits")
                .as_int64(),
            0);
  EXPECT_TRUE(db.error("UpdateTable", R"({"TableName":"t-1"})")
                  .starts_with("ValidationException: At least one of"));
  EXPECT_TRUE(
      db.error(
            "UpdateTable",
            R"({"TableName":"t-1","StreamSpecification":{"StreamEnabled":true,"StreamViewType":"NEW_IMAGE"}})")
          .starts_with("UnknownOperationException"));
  EXPECT_EQ(db.error("UpdateTable",
                     R"({"TableName":"t-1","StreamSpecification":{"StreamEnabled":false}})"),
            "OK");
}

TEST(Table, RefusesBadDefinitions) {
  TestService db;
  auto refused = [&](std::string_view rest) {
    return db.error("CreateTable", R"({"TableName":"abc","BillingMode":"PAY_PER_REQUEST",)" +
                                       std::string(rest) + "}");
  };
  const std::string hash = R"("KeySchema":[{"AttributeName":"h","KeyType":"HASH"}])";
  const std::string h = R"({"AttributeName":"h","AttributeType":"S"})";
  EXPECT_EQ(refused(hash),
            "ValidationException: 1 validation error detected: Value null at "
            "'attributeDefinitions' failed to satisfy "
            "constraint: Member must not be null");
  EXPECT_TRUE(
      refused(hash + R"(,"AttributeDefinitions":[{"AttributeName":"x","AttributeType":"S"}])")
          .find("Some index key attributes are not defined in AttributeDefinitions. Keys: [h], "
                "AttributeDefinitions: [x]") != std::string::npos);
  EXPECT_TRUE(refused(hash + R"(,"AttributeDefinitions":[)" + h +
                      R"(,{"AttributeName":"x","AttributeType":"S"}])")
                  .find("does not exactly match number of attributes") != std::string::npos);
  EXPECT_EQ(
      refused(R"("KeySchema":[{"AttributeName":"h","KeyType":"RANGE"}],"AttributeDefinitions":[)" +
              h + "]"),
      "ValidationException: Invalid KeySchema: The first KeySchemaElement is not a HASH key type");
  EXPECT_TRUE(
      refused(hash + R"(,"AttributeDefinitions":[{"AttributeName":"h","AttributeType":"Q"}])")
          .find("at 'attributeDefinitions.1.member.attributeType' failed to satisfy constraint: "
                "Member must "
                "satisfy enum value set: [B, N, S]") != std::string::npos);
  EXPECT_TRUE(
      refused(
          hash + R"(,"AttributeDefinitions":[)" + h +
          R"(],"LocalSecondaryIndexes":[{"IndexName":"loc","Projection":{"ProjectionType":"ALL"},)" +
          hash + "}]")
          .find("Table KeySchema does not have a range key") != std::string::npos);
  EXPECT_TRUE(refused(hash + R"(,"AttributeDefinitions":[)" + h +
                      R"(],"ProvisionedThroughput":{"ReadCapacityUnits":1,"WriteCapacityUnits":1})")
                  .find("when BillingMode is PAY_PER_REQUEST") != std::string::npos);
  EXPECT_EQ(db.error("CreateTable", R"({"TableName":"ab"})"),
            "ValidationException: TableName must be at least 3 characters long and at most 255 "
            "characters long");
  EXPECT_EQ(json::serialize(db.ok("ListTables", "{}")), R"({"TableNames":[]})");
}

TEST(Table, ListsInPages) {
  TestService db;
  for (const char* name : {"bbb", "aaa", "ccc"})
    db.ok(
        "CreateTable",
        R"({"TableName":")" + std::string(name) +
            R"(","BillingMode":"PAY_PER_REQUEST","KeySchema":[{"AttributeName":"h","KeyType":"HASH"}],)"
            R"("AttributeDefinitions":[{"AttributeName":"h","AttributeType":"S"}]})");
  EXPECT_EQ(json::serialize(db.ok("ListTables", R"({"Limit":2})")),
            R"({"LastEvaluatedTableName":"bbb","TableNames":["aaa","bbb"]})");
  EXPECT_EQ(json::serialize(db.ok("ListTables", R"({"ExclusiveStartTableName":"bbb"})")),
            R"({"TableNames":["ccc"]})");
  EXPECT_TRUE(db.error("ListTables", R"({"Limit":101})").find("less than or equal to 100") !=
              std::string::npos);
}

}  // namespace
}  // namespace imgproc::localcloud::dynamodb
