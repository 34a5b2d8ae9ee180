#include "localcloud/s3/notification.h"

#include <boost/json.hpp>

#include "base/bytes.h"
#include "localcloud/s3/test_support.h"

namespace imgproc::localcloud::s3 {
namespace {

constexpr const char* kFunction = "arn:aws:lambda:us-east-1:000000000000:function:thumbs";

std::string rule(const std::string& id, const std::string& event, const std::string& prefix = {},
                 const std::string& suffix = {}, const std::string& arn = kFunction) {
  std::string xml = "<CloudFunctionConfiguration>";
  if (!id.empty()) xml += "<Id>" + id + "</Id>";
  xml += "<CloudFunction>" + arn + "</CloudFunction><Event>" + event + "</Event>";
  if (!prefix.empty() || !suffix.empty())
    xml += "<Filter><S3Key><FilterRule><Name>prefix</Name><Value>" + prefix +
           "</Value></FilterRule><FilterRule><Name>suffix</Name><Value>" + suffix +
           "</Value></FilterRule></S3Key></Filter>";
  return xml + "</CloudFunctionConfiguration>";
}

class NotificationTest : public S3Test {
 protected:
  void SetUp() override {
    S3Test::SetUp();
    make_bucket("photos");
  }
  Reply configure(const std::string& rules) {
    return send("PUT", "/photos?notification",
                "<NotificationConfiguration>" + rules + "</NotificationConfiguration>");
  }
  std::vector<boost::json::object> events() {
    std::vector<boost::json::object> all;
    for (const std::string& payload : sink->payloads())
      all.push_back(boost::json::parse(payload).at("Records").at(0).as_object());
    return all;
  }
};

std::string text(const boost::json::value& value) {
  return std::string(std::string_view(value.as_string()));
}

TEST_F(NotificationTest, EventsOfAllKindsInOrder) {
  ASSERT_EQ(
      configure(rule("all", "s3:ObjectCreated:*") + rule("gone", "s3:ObjectRemoved:*")).status,
      200);
  send("PUT", "/photos/a%20b%2B%C3%A9/c", "hello");
  send("PUT", "/photos/copy", {}, {{"x-amz-copy-source", "photos/a%20b%2B%C3%A9/c"}});
  std::string id = send("POST", "/photos/parts?uploads").element("UploadId");
  std::string etag =
      send("PUT", "/photos/parts?partNumber=1&uploadId=" + id, "part").header("ETag");
  ASSERT_EQ(send("POST", "/photos/parts?uploadId=" + id,
                 "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>" + etag +
                     "</ETag></Part></CompleteMultipartUpload>")
                .status,
            200);
  send("DELETE", "/photos/copy");
  send("DELETE", "/photos/copy");
  enable_versioning("photos");
  send("DELETE", "/photos/parts");

  auto all = events();
  std::vector<std::string> names;
  std::string last;
  for (const auto& event : all) {
    names.push_back(text(event.at("eventName")));
    std::string sequencer = text(event.at("s3").at("object").at("sequencer"));
    EXPECT_GE(sequencer.size(), 16U);
    EXPECT_GT(sequencer, last);
    last = sequencer;
  }
  EXPECT_EQ(names,
            (std::vector<std::string>{
                "ObjectCreated:Put", "ObjectCreated:Copy", "ObjectCreated:CompleteMultipartUpload",
                "ObjectRemoved:Delete", "ObjectRemoved:DeleteMarkerCreated"}));
  const auto& object = all[0].at("s3").at("object").as_object();
  EXPECT_EQ(text(object.at("key")), "a+b%2B%C3%A9/c");
  EXPECT_EQ(object.at("size").to_number<int>(), 5);
  EXPECT_EQ(text(object.at("eTag")), "5d41402abc4b2a76b9719d911017c592");
  EXPECT_EQ(text(all[0].at("s3").at("configurationId")), "all");
  EXPECT_EQ(text(all[0].at("s3").at("bucket").at("arn")), "arn:aws:s3:::photos");
  EXPECT_FALSE(all[3].at("s3").at("object").as_object().contains("size"));
  EXPECT_TRUE(all[4].at("s3").at("object").as_object().contains("versionId"));
  EXPECT_EQ(sink->wakes, 5);
}

TEST_F(NotificationTest, FiltersChoose) {
  ASSERT_EQ(configure(rule("jpg", "s3:ObjectCreated:Put", "uploads/", ".jpg") +
                      rule("png", "s3:ObjectCreated:Put", "uploads/", ".png"))
                .status,
            200);
  for (std::string key :
       {"uploads/a.jpg", "uploads/a.png", "uploads/a.gif", "a.jpg", "uploads/jpg"})
    send("PUT", "/photos/" + key, "x");
  send("PUT", "/photos/uploads/copy.jpg", {}, {{"x-amz-copy-source", "photos/a.jpg"}});
  auto all = events();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(text(all[0].at("s3").at("configurationId")), "jpg");
  EXPECT_EQ(text(all[1].at("s3").at("configurationId")), "png");
}

TEST_F(NotificationTest, AnObjectAndItsEventAreCommittedTogether) {
  ASSERT_EQ(configure(rule("all", "s3:ObjectCreated:*")).status, 200);
  sink->fail_enqueue = true;
  EXPECT_EQ(send("PUT", "/photos/k", std::string(100000, 'x')).status, 500);
  EXPECT_EQ(send("GET", "/photos/k").status, 404);
  EXPECT_EQ(files(), 0U);
  EXPECT_TRUE(events().empty());
}

TEST_F(NotificationTest, SequencersGrowAcrossRestarts) {
  ASSERT_EQ(configure(rule("all", "s3:ObjectCreated:*")).status, 200);
  send("PUT", "/photos/k", "1");
  stop();
  start();
  send("PUT", "/photos/k", "2");
  auto all = events();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_LT(text(all[0].at("s3").at("object").at("sequencer")),
            text(all[1].at("s3").at("object").at("sequencer")));
}

TEST_F(NotificationTest, ConfigurationsAreEchoedAndRemoved) {
  EXPECT_EQ(send("GET", "/photos?notification").body.find("Configuration><"), std::string::npos);
  ASSERT_EQ(
      configure(rule("f", "s3:ObjectCreated:*", "p/", ".x") + "<EventBridgeConfiguration/>").status,
      200);
  std::string body = send("GET", "/photos?notification=").body;
  for (std::string part :
       {std::string("<EventBridgeConfiguration/>"), rule("f", "s3:ObjectCreated:*", "p/", ".x")})
    EXPECT_NE(body.find(part), std::string::npos) << part << "\n" << body;
  ASSERT_EQ(configure("").status, 200);
  EXPECT_EQ(send("GET", "/photos?notification").body.find("<Id>"), std::string::npos);
}

TEST_F(NotificationTest, TargetsThatCannotBeReachedAreRefused) {
  std::string queue =
      "<QueueConfiguration><Id>q</Id><Queue>arn:aws:sqs:us-east-1:000000000000:work</Queue>"
      "<Event>s3:ObjectRemoved:*</Event></QueueConfiguration>";
  EXPECT_EQ(configure(queue).status, 400);
  std::string topic =
      "<TopicConfiguration><Id>t</Id><Topic>arn:aws:sns:us-east-1:000000000000:t</Topic>"
      "<Event>s3:ObjectRemoved:*</Event></TopicConfiguration>";
  EXPECT_EQ(configure(topic).status, 501);
}

TEST_F(NotificationTest, EventBridgeGetsItsOwnShape) {
  Bucket bucket{.name = "photos", .region = "eu-west-1"};
  ObjectEvent put{
      .name = "s3:ObjectCreated:Put", .key = "a b", .bytes = 7, .etag = "e", .sequence = 5};
  auto event = bridge_event(bucket, put, caller);
  ASSERT_TRUE(event.has_value());
  EXPECT_EQ(event->at("detail-type").get_string(), "Object Created");
  EXPECT_EQ(event->at("detail").at("object").at("key").get_string(), "a b");
  EXPECT_EQ(event->at("detail").at("object").at("sequencer").get_string(), "0000000000000005");
  EXPECT_EQ(event->at("detail").at("reason").get_string(), "PutObject");
  ObjectEvent gone{.name = "s3:ObjectRemoved:Delete", .key = "a", .sequence = 6};
  EXPECT_EQ(bridge_event(bucket, gone, caller)->at("detail").at("deletion-type").get_string(),
            "Permanently Deleted");
}

TEST_F(NotificationTest, WrongConfigurationsAreRefused) {
  struct Case {
    std::string rules, code;
  };
  for (const Case& c : std::vector<Case>{
           {rule("a", "s3:ObjectCreated:*") + rule("b", "s3:ObjectCreated:Put"), "InvalidArgument"},
           {rule("a", "s3:ObjectCreated:*", "x/") + rule("b", "s3:ObjectCreated:*", "x/y"),
            "InvalidArgument"},
           {rule("a", "s3:ObjectCreated:*", "", ".jpg") + rule("b", "s3:ObjectCreated:*", "", "g"),
            "InvalidArgument"},
           {rule("a", "s3:ObjectCreated:*", "x/") + rule("a", "s3:ObjectCreated:*", "y/"),
            "InvalidArgument"},
           {rule("a", "s3:ObjectEaten:*"), "InvalidArgument"},
           {rule("a", "s3:ObjectCreated:*", "", "",
                 "arn:aws:lambda:us-east-1:000000000000:function:missing"),
            "InvalidArgument"},
           {rule("a", "s3:ObjectCreated:*", "", "",
                 "arn:aws:lambda:us-east-1:000000000000:function:closed"),
            "InvalidArgument"},
           {rule("a", "s3:ObjectCreated:*", "", "", "nonsense"), "InvalidArgument"},
           {"<CloudFunctionConfiguration><CloudFunction>arn:x</CloudFunction>"
            "</CloudFunctionConfiguration>",
            "MalformedXML"},
           {"<Other/>", "MalformedXML"},
       })
    EXPECT_EQ(configure(c.rules).element("Code"), c.code) << c.rules;
  EXPECT_EQ(configure(rule("a", "s3:ObjectCreated:*", "x/") +
                      rule("b", "s3:ObjectCreated:*", "y/") + rule("c", "s3:ObjectRemoved:*", "x/"))
                .status,
            200);
}

}  // namespace
}  // namespace imgproc::localcloud::s3
