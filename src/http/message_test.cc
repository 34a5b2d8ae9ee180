#include "http/message.h"

#include <gtest/gtest.h>

namespace imgproc::http {
namespace {

TEST(Headers, NamesCompareWithoutCase) {
  Headers headers{{"Content-Type", "a"}};
  headers.add("content-type", "b");
  EXPECT_EQ(headers.get("CONTENT-TYPE"), "a");
  headers.set("Content-type", "c");
  EXPECT_EQ(headers.fields().size(), 1U);
  headers.erase("CONTENT-TYPE");
  EXPECT_FALSE(headers.has("Content-Type"));
}

TEST(QueryParams, DecodesNamesAndValues) {
  QueryParams params("uploads&prefix=a%2Fb+c&x=&=y&&prefix=second");
  EXPECT_TRUE(params.has("uploads"));
  EXPECT_EQ(params.get("uploads"), "");
  EXPECT_EQ(params.get("prefix"), "a/b c");
  EXPECT_EQ(params.get("x"), "");
  EXPECT_FALSE(params.has("y"));
}

TEST(ReadAll, RefusesBeyondTheBound) {
  Body small("12345");
  EXPECT_EQ(*read_all(small, 5), "12345");
  Body large("123456");
  EXPECT_EQ(read_all(large, 5).error().code, "BODY_TOO_LARGE");
  Body streamed(to_reader(Body("123456")), std::nullopt);
  EXPECT_EQ(read_all(streamed, 5).error().code, "BODY_TOO_LARGE");
  Body exact(to_reader(Body("12345")), std::nullopt);
  EXPECT_EQ(*read_all(exact, 5), "12345");
}

TEST(Request, SplitsItsTarget) {
  Request request{.target = "/a%2Fb/c?x=1&y"};
  EXPECT_EQ(request.path(), "/a%2Fb/c");
  EXPECT_EQ(request.query(), "x=1&y");
  EXPECT_EQ(Request{.target = "/a"}.query(), "");
}

}  // namespace
}  // namespace imgproc::http
