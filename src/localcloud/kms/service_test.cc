#include "localcloud/kms/service.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "base/random.h"
#include "localcloud/managed_key.h"

namespace imgproc::localcloud::kms {
namespace {

namespace json = boost::json;

class KmsTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("imgproc-kms-" + base::random_hex(8));
    std::filesystem::create_directories(folder_);
    database_ = std::move(*Database::open(folder_ / "state.db"));
    context_ = std::make_unique<Context>(Context{*database_, clock_, folder_});
    service_ = std::move(*KmsService::create(*context_));
  }
  void TearDown() override {
    service_.reset();
    database_.reset();
    std::filesystem::remove_all(folder_);
  }
  json::object call(std::string_view operation, const json::object& input) {
    http::Request request{.method = "POST"};
    request.headers.set("X-Amz-Target", "TrentService." + std::string(operation));
    request.body = json::serialize(input);
    auto body = base::parse_json(
        service_
            ->handle({.access_key_id = "t", .region = "eu-west-1", .request_id = "r"},
                     std::move(request))
            .body.text);
    return body && body->is_object() ? body->get_object() : json::object{};
  }
  std::filesystem::path folder_;
  base::ManualClock clock_;
  std::unique_ptr<Database> database_;
  std::unique_ptr<Context> context_;
  std::unique_ptr<KmsService> service_;
};

TEST_F(KmsTest, AwsManagedKeysHaveTheArnThatOtherServicesName) {
  auto key = call("DescribeKey", {{"KeyId", "alias/aws/dynamodb"}}).at("KeyMetadata");
  EXPECT_EQ(key.at("Arn").get_string(), managed_key_arn("eu-west-1", "dynamodb"));
  EXPECT_EQ(key.at("KeyManager").get_string(), "AWS");
}

TEST_F(KmsTest, AKeyLivesThroughItsWholeLife) {
  auto made = call("CreateKey", {{"Description", "d"},
                                 {"Tags", json::array{{{"TagKey", "k"}, {"TagValue", "v"}}}}});
  json::value id = made.at("KeyMetadata").at("KeyId");
  EXPECT_EQ(call("GetKeyRotationStatus", {{"KeyId", id}}).at("KeyRotationEnabled"), false);
  call("EnableKeyRotation", {{"KeyId", id}});
  EXPECT_EQ(call("GetKeyRotationStatus", {{"KeyId", id}}).at("KeyRotationEnabled"), true);
  EXPECT_EQ(call("ListResourceTags", {{"KeyId", id}}).at("Tags").at(0).at("TagValue").get_string(),
            "v");
  call("CreateAlias", {{"AliasName", "alias/mine"}, {"TargetKeyId", id}});
  EXPECT_EQ(call("DescribeKey", {{"KeyId", "alias/mine"}}).at("KeyMetadata").at("KeyId"), id);
  EXPECT_EQ(call("CreateAlias", {{"AliasName", "alias/mine"}, {"TargetKeyId", id}})
                .at("__type")
                .get_string(),
            "AlreadyExistsException");
  call("DeleteAlias", {{"AliasName", "alias/mine"}});
  EXPECT_EQ(call("DescribeKey", {{"KeyId", "alias/mine"}}).at("__type").get_string(),
            "NotFoundException");
  EXPECT_EQ(call("ScheduleKeyDeletion", {{"KeyId", id}, {"PendingWindowInDays", 7}})
                .at("KeyState")
                .get_string(),
            "PendingDeletion");
  EXPECT_EQ(call("Encrypt", {{"KeyId", id}}).at("__type").get_string(), "NotImplemented");
}

}  // namespace
}  // namespace imgproc::localcloud::kms
