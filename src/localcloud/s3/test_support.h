#pragma once
// What the tests of S3 share: a service over a fresh folder, called in process.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "localcloud/event_sink.h"
#include "localcloud/s3/service.h"
#include "localcloud/store/database.h"

namespace imgproc::localcloud::s3 {

/// Writes events to a table, so that a rolled back transaction takes them along.
class RecordingSink final : public EventSink {
 public:
  explicit RecordingSink(Database& database) : database_(database) {
    EXPECT_TRUE(database.create_schema(
        "CREATE TABLE IF NOT EXISTS test_events(id INTEGER PRIMARY KEY, arn TEXT, payload TEXT)"));
  }
  base::Status enqueue(Connection& transaction, std::string_view function_arn,
                       std::string_view payload) override {
    if (fail_enqueue) return base::permanent("TEST", "enqueue fails");
    IMGPROC_TRY(Statement insert,
                transaction.prepare("INSERT INTO test_events VALUES(NULL, ?1, ?2)"));
    return insert.bind(1, function_arn).bind(2, payload).run();
  }
  void wake() override { ++wakes; }
  bool has_function(std::string_view function_arn) override {
    return function_arn.find("missing") == std::string_view::npos;
  }
  bool lets_invoke(std::string_view function_arn, std::string_view service,
                   std::string_view source_arn) override {
    return function_arn.find("closed") == std::string_view::npos && service == "s3.amazonaws.com" &&
           source_arn.starts_with("arn:aws:s3:::");
  }
  std::vector<std::string> payloads() {
    std::vector<std::string> all;
    EXPECT_TRUE(database_.read([&](Connection& connection) -> base::Status {
      IMGPROC_TRY(Statement query,
                  connection.prepare("SELECT payload FROM test_events ORDER BY id"));
      for (;;) {
        IMGPROC_TRY(bool more, query.step());
        if (!more) return {};
        all.emplace_back(query.column_text(0));
      }
    }));
    return all;
  }
  int wakes = 0;
  bool fail_enqueue = false;

 private:
  Database& database_;
};

/// An answer with its body read to the end.
struct Reply {
  int status = 0;
  http::Headers headers;
  std::string body;
  std::optional<std::uint64_t> head_content_length;

  [[nodiscard]] std::string header(std::string_view name) const {
    return std::string(headers.get(name).value_or(""));
  }
  /// Text of the first element of that name.
  [[nodiscard]] std::string element(const std::string& name) const {
    auto all = elements(name);
    return all.empty() ? "" : all.front();
  }
  [[nodiscard]] std::vector<std::string> elements(const std::string& name) const {
    std::vector<std::string> found;
    std::string open = "<" + name + ">";
    for (std::size_t at = 0; (at = body.find(open, at)) != std::string::npos;) {
      at += open.size();
      found.push_back(body.substr(at, body.find("</" + name + ">", at) - at));
    }
    return found;
  }
};

class S3Test : public ::testing::Test {
 protected:
  void SetUp() override {
    folder = std::filesystem::temp_directory_path() / ("imgproc-s3-" + base::random_hex(8));
    std::filesystem::create_directories(folder);
    start();
  }
  void TearDown() override {
    stop();
    std::filesystem::remove_all(folder);
  }
  void start() {
    auto opened = Database::open(folder / "index.db", durability);
    ASSERT_TRUE(opened) << opened.error().describe();
    database = std::move(*opened);
    sink = std::make_unique<RecordingSink>(*database);
    context = std::make_unique<Context>(Context{*database, clock, folder});
    auto created = S3Service::create(*context, {*sink});
    ASSERT_TRUE(created) << created.error().describe();
    service = std::move(*created);
  }
  void stop() {
    service.reset();
    sink.reset();
    context.reset();
    database.reset();
  }

  http::Response respond(std::string method, std::string target, http::Body body = {},
                         http::Headers headers = {}) {
    http::Request request{.method = std::move(method), .target = std::move(target)};
    request.headers = std::move(headers);
    if (!request.headers.has("Host")) request.headers.add("Host", "127.0.0.1:4566");
    request.body = std::move(body);
    return service->handle(caller, std::move(request));
  }
  Reply send(std::string method, std::string target, http::Body body = {},
             http::Headers headers = {}) {
    return read(respond(std::move(method), std::move(target), std::move(body), std::move(headers)));
  }
  static Reply read(http::Response response) {
    Reply reply{.status = response.status,
                .headers = std::move(response.headers),
                .body = {},
                .head_content_length = response.head_content_length};
    auto text = http::read_all(response.body, std::size_t{1} << 30);
    EXPECT_TRUE(text) << text.error().describe();
    if (text) reply.body = std::move(*text);
    return reply;
  }
  void make_bucket(const std::string& name) { ASSERT_EQ(send("PUT", "/" + name).status, 200); }
  void enable_versioning(const std::string& name, const std::string& status = "Enabled") {
    ASSERT_EQ(
        send("PUT", "/" + name + "?versioning",
             "<VersioningConfiguration><Status>" + status + "</Status></VersioningConfiguration>")
            .status,
        200);
  }
  /// Number of body files in the data directory, finished and unfinished.
  std::size_t files() const {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder / "s3"))
      count += entry.is_regular_file() ? 1 : 0;
    return count;
  }

  std::filesystem::path folder;
  Durability durability = Durability::process;
  base::ManualClock clock;
  Caller caller{.access_key_id = "test", .region = "us-east-1", .request_id = "REQUEST1"};
  std::unique_ptr<Database> database;
  std::unique_ptr<RecordingSink> sink;
  std::unique_ptr<Context> context;
  std::unique_ptr<S3Service> service;
};

}  // namespace imgproc::localcloud::s3
