#include "aws/dynamodb_client.h"

#include <gtest/gtest.h>

#include "aws/record_item.h"
#include "http/fake_exchange_test.h"

namespace imgproc::aws {
namespace {

using http::BorrowedExchange;
using http::FakeExchange;

class DynamoDb : public testing::Test {
 protected:
  DynamoDb()
      : client_({{false, "127.0.0.1", 4566}, true}, "meta",
                std::make_unique<BorrowedExchange>(fake_)) {}

  static ports::Record record(std::string sequencer = "05") {
    ports::Record made;
    made.path = "b/k";
    made.timestamp = "2026-11-22T09:30:00.000Z";
    made.bucket = "b";
    made.key = "k";
    made.sequencer = std::move(sequencer);
    made.status = ports::RecordStatus::ready;
    return made;
  }

  FakeExchange fake_;
  DynamoDbClient client_;
};

constexpr const char* kItemText =
    R"("bucket":{"S":"b"},"key":{"S":"k"},"path":{"S":"b/k"},"sequencer":{"S":"05"},"size":{"N":"0"},)"
    R"("status":{"S":"READY"},"timestamp":{"S":"2026-11-22T09:30:00.000Z"})";

TEST_F(DynamoDb, GetIsStronglyConsistent) {
  fake_.then(200, {{"x-amz-crc32", "2745614147"}}, "{}");
  auto found = client_.get("b/\"k\"");
  ASSERT_TRUE(found) << found.error().describe();
  EXPECT_FALSE(*found);
  auto sent = fake_.sent()[0];
  EXPECT_EQ(sent.method, "POST");
  EXPECT_EQ(sent.target, "/");
  EXPECT_EQ(sent.headers.get("Host"), "127.0.0.1:4566");
  EXPECT_EQ(sent.headers.get("X-Amz-Target"), "DynamoDB_20120810.GetItem");
  EXPECT_EQ(sent.headers.get("Content-Type"), "application/x-amz-json-1.0");
  EXPECT_EQ(sent.body,
            R"({"TableName":"meta","Key":{"path":{"S":"b/\"k\""}},"ConsistentRead":true})");
}

TEST_F(DynamoDb, GetReadsTheItem) {
  fake_.then(200, {}, std::string("{\"Item\":{") + kItemText + R"(,"foreign":{"SS":["a"]}}})");
  auto found = client_.get("b/k");
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->sequencer, "05");
  EXPECT_EQ((*found)->status, ports::RecordStatus::ready);
}

TEST_F(DynamoDb, PutIsConditional) {
  fake_.then(200, {}, "{}");
  EXPECT_EQ(*client_.put_if_not_older(record()), ports::PutOutcome::written);
  EXPECT_EQ(fake_.sent()[0].headers.get("X-Amz-Target"), "DynamoDB_20120810.PutItem");
  EXPECT_EQ(
      fake_.sent()[0].body,
      std::string(R"({"TableName":"meta","Item":{)") + kItemText +
          R"(},"ConditionExpression":"attribute_not_exists(#sequencer) OR #sequencer <= :sequencer",)"
          R"("ExpressionAttributeNames":{"#sequencer":"sequencer"},)"
          R"("ExpressionAttributeValues":{":sequencer":{"S":"05"}}})");
}

TEST_F(DynamoDb, WithoutSequencerOnlyOverTheSame) {
  fake_.then(200, {}, "{}");
  ASSERT_TRUE(client_.put_if_not_older(record("")));
  const std::string body = fake_.sent()[0].body;
  EXPECT_NE(body.find(R"j("ConditionExpression":"attribute_not_exists(#sequencer)","Expre)j"),
            std::string::npos);
  EXPECT_EQ(body.find("ExpressionAttributeValues"), std::string::npos)
      << "unused values are refused";
}

TEST_F(DynamoDb, ALateWriteIsSuperseded) {
  fake_.then(
      400, {},
      R"({"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException","message":"no"})");
  EXPECT_EQ(*client_.put_if_not_older(record()), ports::PutOutcome::superseded);
}

TEST_F(DynamoDb, ReplaceTellsWhatStoodThere) {
  fake_.then(200, {}, std::string("{\"Attributes\":{") + kItemText + "}}");
  auto written = client_.replace_if_not_older(record("06"));
  ASSERT_TRUE(written && written->before);
  EXPECT_EQ(written->before->sequencer, "05");
  EXPECT_NE(fake_.sent()[0].body.find(
                R"("ReturnValues":"ALL_OLD","ReturnValuesOnConditionCheckFailure":"ALL_OLD")"),
            std::string::npos);

  fake_.then(
      400, {},
      std::string(R"({"__type":"x#ConditionalCheckFailedException","Item":{)") + kItemText + "}}");
  auto late = client_.replace_if_not_older(record("04"));
  ASSERT_TRUE(late && late->before);
  EXPECT_EQ(late->outcome, ports::PutOutcome::superseded);

  // Without the item in the error, it is read.
  fake_.then(400, {}, R"({"__type":"x#ConditionalCheckFailedException"})");
  fake_.then(200, {}, std::string("{\"Item\":{") + kItemText + "}}");
  late = client_.replace_if_not_older(record("04"));
  ASSERT_TRUE(late && late->before);
  EXPECT_EQ(fake_.sent().back().headers.get("X-Amz-Target"), "DynamoDB_20120810.GetItem");
}

TEST_F(DynamoDb, ErrorsKeepTheirCodes) {
  fake_.then(400, {}, R"({"__type":"x#ResourceNotFoundException","message":"no table"})");
  auto error = client_.get("p").error();
  EXPECT_EQ(error.code, "ResourceNotFoundException");
  EXPECT_FALSE(error.retryable);
  fake_.then(500, {}, "");
  EXPECT_TRUE(client_.put_if_not_older(record()).error().retryable);
  fake_.then_fail({.code = "TIMEOUT", .message = "t", .retryable = true});
  EXPECT_EQ(client_.get("p").error().code, "TIMEOUT");
}

TEST_F(DynamoDb, NoticesDamage) {
  fake_.then(200, {{"x-amz-crc32", "1"}}, "{}");
  auto error = client_.get("p").error();
  EXPECT_EQ(error.code, "CHECKSUM_MISMATCH");
  EXPECT_TRUE(error.retryable);
}

TEST_F(DynamoDb, AKeyMustBeUtf8) {
  ports::Record bad = record();
  bad.path = "b/\xff";
  EXPECT_EQ(client_.put_if_not_older(bad).error().code, "INVALID_KEY");
  EXPECT_TRUE(fake_.sent().empty());
}

TEST(RecordItem, EmptyIsAbsent) {
  ports::Record record;
  record.path = "b/k";
  std::string json = protocol::to_json(item_of(record));
  EXPECT_EQ(json, R"({"path":{"S":"b/k"},"size":{"N":"0"},"status":{"S":"PROCESSING"}})");
}

TEST(RecordItem, NamesAreThoseOfTheDesign) {
  ports::Record record;
  record.path = "b/k";
  record.size = 12;
  record.timestamp = "t";
  record.status = ports::RecordStatus::failed;
  record.version_id = "v";
  record.metadata = {.format = "jpeg",
                     .content_type = "image/jpeg",
                     .width = 40,
                     .height = 30,
                     .pages = 1,
                     .orientation = 6,
                     .has_alpha = false,
                     .color_space = "srgb",
                     .icc_profile = "P3",
                     .exif = {{"Make", std::string("Canon")}, {"ExposureTime", 0.005}},
                     .taken_at = "2026-07-01T10:00:00"};
  record.renditions["small"] = {.key = "s.webp",
                                .width = 9,
                                .height = 8,
                                .size = 7,
                                .format = "webp",
                                .etag = "e",
                                .state = ports::RenditionState::ready,
                                .error = std::nullopt};
  record.error = ports::RecordError{"X", "why", true};
  record.timings_ms = {{"decode", 12.25}};
  record.attempts = 2;
  record.expires_at = 1800000000;
  EXPECT_EQ(
      protocol::to_json(item_of(record)),
      R"({"attempts":{"N":"2"},"color_space":{"S":"srgb"},"content_type":{"S":"image/jpeg"},)"
      R"("error":{"M":{"code":{"S":"X"},"message":{"S":"why"},"retryable":{"BOOL":true}}},)"
      R"("exif":{"M":{"ExposureTime":{"N":"0.005"},"Make":{"S":"Canon"}}},"expires_at":{"N":"1800000000"},)"
      R"("format":{"S":"jpeg"},"has_alpha":{"BOOL":false},"height":{"N":"30"},"icc_profile":{"S":"P3"},)"
      R"("orientation":{"N":"6"},"pages":{"N":"1"},"path":{"S":"b/k"},)"
      R"("renditions":{"M":{"small":{"M":{"etag":{"S":"e"},"format":{"S":"webp"},"height":{"N":"8"},)"
      R"("key":{"S":"s.webp"},"size":{"N":"7"},"state":{"S":"READY"},"width":{"N":"9"}}}}},)"
      R"("size":{"N":"12"},"status":{"S":"FAILED"},"taken_at":{"S":"2026-07-01T10:00:00"},)"
      R"("timestamp":{"S":"t"},"timings_ms":{"M":{"decode":{"N":"12.25"}}},"version_id":{"S":"v"},)"
      R"("width":{"N":"40"}})");
}

TEST(RecordItem, HoldsWhatDynamoDbCanHold) {
  ports::Record record;
  record.path = "p";
  record.metadata.exif = {{"Inf", std::numeric_limits<double>::infinity()},
                          {"Nan", std::numeric_limits<double>::quiet_NaN()},
                          {"Huge", 1e300},
                          {"Small", 1.5e-7},
                          {"Text", std::string("a\xff\xe2\x82\xac\xe2\x82")},
                          {"", 1.0},
                          {"Empty", std::string()}};
  auto item = item_of(record);
  const auto& exif = item["exif"].map;
  ASSERT_EQ(exif.size(), 2U);
  EXPECT_EQ(exif.at("Small").text, "0.00000015");
  EXPECT_EQ(exif.at("Text").text, "a\xEF\xBF\xBD\xe2\x82\xac\xEF\xBF\xBD\xEF\xBF\xBD");
  auto back = record_of(item);
  ASSERT_TRUE(back);
  EXPECT_EQ(std::get<double>(back->metadata.exif.at("Small")), 1.5e-7);
}

TEST(RecordItem, ForeignTypesAreAnError) {
  auto item = item_of([] {
    ports::Record record;
    record.path = "p";
    return record;
  }());
  item["size"] = protocol::AttributeValue::of_string("12");
  auto bad = record_of(item);
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().code, "INVALID_RECORD");
  EXPECT_NE(bad.error().message.find("size"), std::string::npos);
  item["size"] = protocol::AttributeValue::of_number("-1");
  EXPECT_FALSE(record_of(item));
  item["size"] = protocol::AttributeValue::of_number("12");
  EXPECT_TRUE(record_of(item));
  item["status"] = protocol::AttributeValue::of_string("DONE");
  EXPECT_FALSE(record_of(item));
}

}  // namespace
}  // namespace imgproc::aws
