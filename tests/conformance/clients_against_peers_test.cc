// Our S3 and DynamoDB clients against servers that others wrote: a client and a cloud of one author
// can agree on the same mistake. The contract tests of the ports are the measure.
//
//   IMGPROC_S3_ENDPOINT, IMGPROC_DYNAMODB_ENDPOINT   URL of the peer; without one its suite is left
//   out IMGPROC_PEER_UNSUPPORTED                         names of contract tests, separated by
//   commas, that
//                                                    need what the peer does not have
//   AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY         what the peer wants; "test" if unset

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "aws/dynamodb_client.h"
#include "aws/retry_exchange.h"
#include "aws/s3_client.h"
#include "aws/signing_exchange.h"
#include "base/random.h"
#include "ports/blob_store_contract_test.h"
#include "ports/record_store_contract_test.h"

namespace imgproc {
namespace {

/// ctest's sign for "nothing was run".
constexpr int kSkipped = 77;

std::string variable(const char* name, const char* otherwise = "") {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0' ? value : otherwise;
}

base::RealClock& clock_of_the_test() {
  static base::RealClock clock;
  return clock;
}

std::unique_ptr<http::Exchange> connect(const http::Origin& origin, const std::string& service) {
  const protocol::Credentials credentials{variable("AWS_ACCESS_KEY_ID", "test"),
                                          variable("AWS_SECRET_ACCESS_KEY", "test"), ""};
  auto signing =
      std::make_unique<aws::SigningExchange>(std::make_unique<http::Client>(origin), credentials,
                                             "us-east-1", service, clock_of_the_test());
  return std::make_unique<aws::RetryExchange>(std::move(signing), clock_of_the_test());
}

aws::Endpoint endpoint(const char* name) {
  const auto origin = http::Origin::parse(variable(name));
  EXPECT_TRUE(origin) << origin.error().describe();
  return {.origin = origin.value_or(http::Origin{}), .custom = true};
}

void expect_done(base::Result<http::Response> response, std::string_view what) {
  ASSERT_TRUE(response) << what << ": " << response.error().describe();
  const auto body = http::read_all(response->body, std::size_t{1} << 20);
  ASSERT_EQ(response->status, 200) << what << ": " << body.value_or("");
}

ports::BlobStoreUnderTest make_bucket() {
  const aws::Endpoint peer = endpoint("IMGPROC_S3_ENDPOINT");
  const std::string bucket = "imgproc-" + base::random_hex(8);
  http::Request create;
  create.method = "PUT";
  create.target = "/" + bucket;
  create.headers.set("Host", peer.origin.host_header());
  expect_done(connect(peer.origin, "s3")->send(std::move(create)), "CreateBucket");
  return {std::make_shared<aws::S3Client>(
              peer, [](const http::Origin& origin) { return connect(origin, "s3"); }),
          bucket};
}

http::Request dynamodb_request(const http::Origin& origin, const std::string& operation,
                               std::string body) {
  http::Request request;
  request.method = "POST";
  request.headers = {{"Host", origin.host_header()},
                     {"Content-Type", "application/x-amz-json-1.0"},
                     {"X-Amz-Target", "DynamoDB_20120810." + operation}};
  request.body = std::move(body);
  return request;
}

std::shared_ptr<ports::RecordStore> make_table() {
  const aws::Endpoint peer = endpoint("IMGPROC_DYNAMODB_ENDPOINT");
  const std::string table = "imgproc-" + base::random_hex(8);
  auto exchange = connect(peer.origin, "dynamodb");
  expect_done(
      exchange->send(dynamodb_request(
          peer.origin, "CreateTable",
          fmt::format(
              R"({{"TableName":"{}","AttributeDefinitions":[{{"AttributeName":"path","AttributeType":"S"}}],)"
              R"("KeySchema":[{{"AttributeName":"path","KeyType":"HASH"}}],"BillingMode":"PAY_PER_REQUEST"}})",
              table))),
      "CreateTable");
  for (int tries = 0; tries < 500; ++tries) {
    auto response = exchange->send(dynamodb_request(peer.origin, "DescribeTable",
                                                    fmt::format(R"({{"TableName":"{}"}})", table)));
    if (response &&
        http::read_all(response->body, std::size_t{1} << 20).value_or("").find("ACTIVE") !=
            std::string::npos)
      break;
  }
  return std::make_shared<aws::DynamoDbClient>(peer, table, std::move(exchange));
}

}  // namespace

namespace ports {
INSTANTIATE_TEST_SUITE_P(S3Peer, BlobStoreContract, testing::Values(BlobStoreFactory{make_bucket}),
                         [](const auto&) { return "peer"; });
INSTANTIATE_TEST_SUITE_P(DynamoDbPeer, RecordStoreContract,
                         testing::Values(RecordStoreFactory{make_table}),
                         [](const auto&) { return "peer"; });
}  // namespace ports

}  // namespace imgproc

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  std::string left_out;
  int suites = 0;
  for (const auto& [name, suite] : {std::pair{"IMGPROC_S3_ENDPOINT", "S3Peer/*"},
                                    std::pair{"IMGPROC_DYNAMODB_ENDPOINT", "DynamoDbPeer/*"}}) {
    if (!imgproc::variable(name).empty()) {
      ++suites;
      continue;
    }
    fmt::print("left out: {}, since {} is not set\n", suite, name);
    left_out += fmt::format(":{}", suite);
  }
  if (suites == 0) return imgproc::kSkipped;
  std::string unsupported = imgproc::variable("IMGPROC_PEER_UNSUPPORTED");
  while (!unsupported.empty()) {
    const std::string name = unsupported.substr(0, unsupported.find(','));
    unsupported.erase(0, name.size() + 1);
    fmt::print("left out: {}, which the peer does not support\n", name);
    left_out += fmt::format(":*.{}/*", name);
  }
  if (!left_out.empty()) GTEST_FLAG_SET(filter, GTEST_FLAG_GET(filter) + "-" + left_out.substr(1));
  return RUN_ALL_TESTS();
}
