#include "localcloud/store/database.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <stdexcept>
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

TEST_F(DatabaseTest, WritesThatShareATransactionFailEachForItself) {
  // The first write holds the others up until all are in the queue, which then share.
  std::promise<void> first_runs, go_on;
  std::thread first([&] {
    EXPECT_TRUE(database_->write([&](Connection&) -> base::Status {
      first_runs.set_value();
      go_on.get_future().wait();
      return {};
    }));
  });
  first_runs.get_future().wait();
  constexpr int kWrites = 60;
  std::atomic<int> called{0};
  std::vector<std::string> outcomes(kWrites);
  std::vector<std::thread> threads;
  for (int i = 0; i < kWrites; ++i)
    threads.emplace_back([&, i] {
      ++called;
      try {
        auto status = database_->write([&](Connection& connection) -> base::Status {
          IMGPROC_TRY(auto insert, connection.prepare("INSERT INTO t VALUES (?1, ?2)"));
          IMGPROC_CHECK(insert.bind_blob(1, std::to_string(i)).bind(2, "v").run());
          if (i % 3 == 1) return base::permanent("NO", "changed my mind");
          if (i % 3 == 2) throw std::runtime_error("thrown");
          return {};
        });
        outcomes[i] = status ? "written" : status.error().code;
      } catch (const std::runtime_error& error) {
        outcomes[i] = error.what();
      }
    });
  while (called < kWrites) std::this_thread::yield();
  go_on.set_value();
  first.join();
  for (auto& thread : threads) thread.join();
  for (int i = 0; i < kWrites; ++i)
    EXPECT_EQ(outcomes[i], i % 3 == 0 ? "written" : i % 3 == 1 ? "NO" : "thrown") << i;
  EXPECT_EQ(count(), kWrites / 3);
  reopen();
  EXPECT_EQ(count(), kWrites / 3);
}

TEST_F(DatabaseTest, TheLogStaysShortWhileManyWrite) {
  // Each write changes a page of its own at least: some 100 MB of log in all.
  std::string value(4000, 'v');
  std::vector<std::thread> threads;
  std::atomic<bool> failed{false};
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 1250; ++i)
        if (!put(std::to_string(t * 10'000 + i), value)) failed = true;
    });
  for (auto& thread : threads) thread.join();
  EXPECT_FALSE(failed);
  EXPECT_EQ(count(), 5000);
  // Three times the pages at which a checkpoint is due, and what a commit adds.
  EXPECT_LT(std::filesystem::file_size(folder_ / "state.db-wal"), 56U << 20);
  EXPECT_GT(std::filesystem::file_size(folder_ / "state.db"), 4U << 20);
}

}  // namespace
}  // namespace imgproc::localcloud
