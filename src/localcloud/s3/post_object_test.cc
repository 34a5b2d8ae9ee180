#include "base/bytes.h"
#include "base/time.h"
#include "localcloud/s3/test_support.h"

namespace imgproc::localcloud::s3 {
namespace {

class PostTest : public S3Test {
 protected:
  void SetUp() override {
    S3Test::SetUp();
    make_bucket("bucket");
  }
  static std::string form(const std::vector<std::pair<std::string, std::string>>& fields,
                          const std::string& file, const std::string& file_name = "f.txt") {
    std::string body;
    for (const auto& [name, value] : fields)
      body += "--BOUND\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value +
              "\r\n";
    return body + "--BOUND\r\nContent-Disposition: form-data; name=\"file\"; filename=\"" +
           file_name + "\"\r\nContent-Type: text/x\r\n\r\n" + file + "\r\n--BOUND--\r\n";
  }
  Reply post(const std::string& body) {
    return send("POST", "/bucket", body, {{"Content-Type", "multipart/form-data; boundary=BOUND"}});
  }
  std::string policy(const std::string& conditions,
                     std::chrono::hours valid = std::chrono::hours(1)) {
    return base::to_base64("{\"expiration\":\"" + base::to_iso8601(clock.now() + valid) +
                           "\",\"conditions\":[" + conditions + "]}");
  }
};

TEST_F(PostTest, StoresTheFileUnderItsKey) {
  std::string file = "line\r\n--BOUN and more\r\n--" + std::string(200000, 'x') + "\r\n";
  Reply reply = post(form(
      {{"key", "post/${filename}"}, {"Content-Type", "image/png"}, {"x-amz-meta-a", "b"}}, file));
  EXPECT_EQ(reply.status, 204) << reply.body;
  Reply get = send("GET", "/bucket/post/f.txt");
  EXPECT_EQ(get.body, file);
  EXPECT_EQ(get.header("Content-Type"), "image/png");
  EXPECT_EQ(get.header("x-amz-meta-a"), "b");
  EXPECT_EQ(post(form({{"key", "e"}, {"success_action_status", "201"}}, "")).element("Key"), "e");
  EXPECT_EQ(send("GET", "/bucket/e").status, 200);
  Reply redirect = post(form({{"key", "r"}, {"success_action_redirect", "http://x/y"}}, "1"));
  EXPECT_EQ(redirect.status, 303);
  EXPECT_TRUE(redirect.header("Location").starts_with("http://x/y?bucket=bucket&key=r&etag="));
}

TEST_F(PostTest, PolicyConditionsHold) {
  std::string file = "12345";
  auto with = [&](const std::string& p,
                  std::vector<std::pair<std::string, std::string>> more = {}) {
    std::vector<std::pair<std::string, std::string>> fields{
        {"key", "post/a"}, {"AWSAccessKeyId", "test"}, {"policy", p}, {"signature", "s"}};
    fields.insert(fields.end(), more.begin(), more.end());
    return post(form(fields, file));
  };
  std::string key = "[\"starts-with\",\"$key\",\"post/\"]";
  EXPECT_EQ(with(policy("{\"bucket\":\"bucket\"}," + key)).status, 204);
  EXPECT_EQ(with(policy("{\"bucket\":\"other\"}," + key)).status, 403);
  EXPECT_EQ(with(policy("[\"starts-with\",\"$key\",\"other/\"]")).status, 403);
  EXPECT_EQ(with(policy("")).status, 403) << "key has no condition";
  EXPECT_EQ(with(policy(key), {{"x-amz-meta-z", "1"}}).status, 403);
  EXPECT_EQ(with(policy(key + ",[\"eq\",\"$x-amz-meta-z\",\"1\"]"), {{"x-amz-meta-z", "1"}}).status,
            204);
  EXPECT_EQ(with(policy(key + ",[\"content-length-range\",5,5]")).status, 204);
  EXPECT_EQ(with(policy(key + ",[\"content-length-range\",0,4]")).element("Code"),
            "EntityTooLarge");
  EXPECT_EQ(with(policy(key + ",[\"content-length-range\",6,9]")).element("Code"),
            "EntityTooSmall");
  EXPECT_EQ(with(policy(key, std::chrono::hours(-1))).element("Code"), "AccessDenied");
  EXPECT_EQ(with("!!").element("Code"), "InvalidPolicyDocument");
  EXPECT_EQ(with(base::to_base64("{}")).element("Code"), "InvalidPolicyDocument");
}

TEST_F(PostTest, MalformedFormsAreRefused) {
  EXPECT_EQ(send("POST", "/bucket", "x").status, 412);
  std::string good = form({{"key", "k"}}, "data");
  for (std::size_t cut = 0; cut + 12 < good.size(); cut += 3)
    EXPECT_EQ(post(good.substr(0, cut)).status, 400) << cut;
  EXPECT_EQ(post(form({}, "x")).element("Code"), "InvalidArgument");
  EXPECT_EQ(post(form({{"key", "k"}, {"big", std::string(300000, 'x')}}, "x")).element("Code"),
            "MaxPostPreDataLengthExceeded");
  EXPECT_EQ(send("GET", "/bucket/k").status, 404);
  EXPECT_EQ(files(), 0U);
}

}  // namespace
}  // namespace imgproc::localcloud::s3
