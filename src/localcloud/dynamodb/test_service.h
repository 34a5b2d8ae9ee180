#pragma once
// A DynamoDbService over a fresh directory, and calls as JSON, for the tests of this folder.

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "localcloud/dynamodb/service.h"

namespace imgproc::localcloud::dynamodb {

namespace json = boost::json;

struct Answer {
  int status = 0;
  json::value body;

  /// "OK", or the error's short name and message.
  [[nodiscard]] std::string error() const {
    if (status == 200) return "OK";
    std::string type(body.at("__type").as_string());
    return type.substr(type.find('#') + 1) + ": " + std::string(body.at("message").as_string());
  }
  [[nodiscard]] std::string text() const { return json::serialize(body); }
};

class TestService {
 public:
  TestService() {
    std::string pattern = (std::filesystem::temp_directory_path() / "dynamodb-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
    open();
  }
  ~TestService() {
    service_.reset();
    context_.reset();
    database_.reset();
    std::filesystem::remove_all(directory_);
  }
  TestService(const TestService&) = delete;
  TestService& operator=(const TestService&) = delete;

  /// Closes everything and opens it again from the directory.
  void reopen() {
    service_.reset();
    context_.reset();
    database_.reset();
    open();
  }

  Answer call(std::string_view operation, std::string_view body) {
    http::Request request;
    request.method = "POST";
    request.headers.set("X-Amz-Target", "DynamoDB_20120810." + std::string(operation));
    request.headers.set("Content-Type", "application/x-amz-json-1.0");
    request.body = std::string(body);
    http::Response response =
        service_->handle(Caller{"test", "us-east-1", "request"}, std::move(request));
    return {response.status, json::parse(response.body.text)};
  }
  /// As call(), for calls that must succeed.
  json::value ok(std::string_view operation, std::string_view body) {
    Answer answer = call(operation, body);
    EXPECT_EQ(answer.status, 200) << operation << " " << body << " " << answer.text();
    return answer.body;
  }
  std::string error(std::string_view operation, std::string_view body) {
    return call(operation, body).error();
  }

  /// A table `t` with hash key `h` (S), and range key `r` of the given type if there is one.
  void create_table(std::string_view range_type = "") {
    std::string range_definition;
    std::string range_key;
    if (!range_type.empty()) {
      range_definition =
          R"(,{"AttributeName":"r","AttributeType":")" + std::string(range_type) + "\"}";
      range_key = R"(,{"AttributeName":"r","KeyType":"RANGE"})";
    }
    ok("CreateTable",
       R"({"TableName":"t-1","BillingMode":"PAY_PER_REQUEST","AttributeDefinitions":[)"
       R"({"AttributeName":"h","AttributeType":"S"})" +
           range_definition + R"(],"KeySchema":[{"AttributeName":"h","KeyType":"HASH"})" +
           range_key + "]}");
  }
  /// PutItem into `t-1`.
  void put(std::string_view item) {
    ok("PutItem", R"({"TableName":"t-1","Item":)" + std::string(item) + "}");
  }

  base::ManualClock clock;
  DynamoDbService& service() { return *service_; }

 private:
  void open() {
    auto opened = Database::open(directory_ / "index.db");
    if (!opened) throw std::runtime_error(opened.error().describe());
    database_ = *std::move(opened);
    context_ = std::make_unique<Context>(Context{*database_, clock, directory_});
    service_ = std::make_unique<DynamoDbService>(*context_);
  }

  std::filesystem::path directory_;
  std::unique_ptr<Database> database_;
  std::unique_ptr<Context> context_;
  std::unique_ptr<DynamoDbService> service_;
};

}  // namespace imgproc::localcloud::dynamodb
