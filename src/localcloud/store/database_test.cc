#include "localcloud/store/database.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "base/random.h"

namespace imgproc::localcloud {
namespace {

class DatabaseTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("imgproc-database-" + base::random_hex(8));
    std::filesystem::create_directories(folder_);
    reopen();
    ASSERT_TRUE(
        database_->create_schema("CREATE TABLE IF NOT EXISTS t (k BLOB PRIMARY KEY, v TEXT)")
            .has_value());
  }
  void TearDown() override {
    database_.reset();
    std::filesystem::remove_all(folder_);
  }
  void reopen() {
    database_.reset();
    auto opened = Database::open(folder_ / "state.db");
    ASSERT_TRUE(opened.has_value()) << opened.error().describe();
    database_ = std::move(*opened);
  }
  base::Status put(std::string_view key, std::string_view value) {
    return database_->write([&](Connection& connection) -> base::Status {
      IMGPROC_TRY(auto statement, connection.prepare("INSERT OR REPLACE INTO t VALUES (?1, ?2)"));
      return statement.bind_blob(1, key).bind(2, value).run();
    });
  }
  std::int64_t count() {
    std::int64_t rows = -1;
    EXPECT_TRUE(database_
                    ->read([&](Connection& connection) -> base::Status {
                      IMGPROC_TRY(auto statement, connection.prepare("SELECT count(*) FROM t"));
                      IMGPROC_TRY(bool has_row, statement.step());
                      if (has_row) rows = statement.column_int(0);
                      return {};
                    })
                    .has_value());
    return rows;
  }
  std::filesystem::path folder_;
  std::unique_ptr<Database> database_;
};

TEST_F(DatabaseTest, CommittedWritesAreSeenAndSurviveReopening) {
  ASSERT_TRUE(put(std::string("a\0b", 3), "v").has_value());
  EXPECT_EQ(count(), 1);
  reopen();
  EXPECT_EQ(count(), 1);
}

TEST_F(DatabaseTest, AFailedWriteLeavesNothing) {
  auto status = database_->write([&](Connection& connection) -> base::Status {
    IMGPROC_TRY(auto statement, connection.prepare("INSERT INTO t VALUES (?1, ?2)"));
    IMGPROC_CHECK(statement.bind_blob(1, "x").bind(2, "y").run());
    return base::permanent("NO", "changed my mind");
  });
  EXPECT_EQ(status.error().code, "NO");
  EXPECT_EQ(count(), 0);
  EXPECT_TRUE(put("x", "y").has_value());
}

TEST_F(DatabaseTest, ASecondProcessIsRefused) {
  EXPECT_EQ(Database::open(folder_ / "state.db").error().code, "DATA_DIR_IN_USE");
}

TEST_F(DatabaseTest, NestedStatementsOfTheSameTextDoNotDisturbEachOther) {
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(put(std::to_string(i), "v").has_value());
  int pairs = 0;
  ASSERT_TRUE(database_
                  ->read([&](Connection& connection) -> base::Status {
                    IMGPROC_TRY(auto outer, connection.prepare("SELECT k FROM t"));
                    for (;;) {
                      IMGPROC_TRY(bool more, outer.step());
                      if (!more) return {};
                      IMGPROC_TRY(auto inner, connection.prepare("SELECT k FROM t"));
                      for (;;) {
                        IMGPROC_TRY(bool more_inner, inner.step());
                        if (!more_inner) break;
                        ++pairs;
                      }
                    }
                  })
                  .has_value());
  EXPECT_EQ(pairs, 9);
}

TEST_F(DatabaseTest, ReadersAndWritersRunSideBySide) {
  std::atomic<bool> failed{false};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 100; ++i) {
        if (!put(std::to_string(t * 1000 + i), "v")) failed = true;
        if (count() < 1) failed = true;
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_FALSE(failed);
  EXPECT_EQ(count(), 400);
}

}  // namespace
}  // namespace imgproc::localcloud
