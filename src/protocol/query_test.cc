#include "protocol/query.h"

#include <gtest/gtest.h>

namespace imgproc::protocol {
namespace {

namespace json = boost::json;

TEST(Query, ListsMapsAndStructures) {
  auto object = query_to_json(
      "Action=CreateTopic&Name=a+b&Tags.member.1.Key=k&Tags.member.1.Value=v&Tags.member.2.Key=l"
      "&Attributes.entry.1.key=Policy&Attributes.entry.1.value=%7B%7D&Deep.Inner.Leaf=x");
  ASSERT_TRUE(object.has_value());
  EXPECT_EQ(json::serialize(*object),
            R"({"Action":"CreateTopic","Name":"a b","Tags":[{"Key":"k","Value":"v"},{"Key":"l"}],)"
            R"("Attributes":{"Policy":"{}"},"Deep":{"Inner":{"Leaf":"x"}}})");
}

TEST(Query, MalformedPathsAreRefused) {
  for (const char* bad : {"A..B=1", ".A=1", "A.=1", "a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q=1"})
    EXPECT_EQ(query_to_json(bad).error().code, "MalformedQueryString") << bad;
  std::string many;
  for (int i = 0; i < 6000; ++i) many += "a=1&";
  EXPECT_FALSE(query_to_json(many).has_value());
}

TEST(Query, AnswersAreXml) {
  json::object output{{"Role", {{"RoleName", "a<b"}, {"Tags", json::array{{{"Key", "k"}}}}}},
                      {"Attributes", query_entries({{"Policy", "{\"a\":1}"}})},
                      {"Count", 3},
                      {"Absent", nullptr}};
  EXPECT_EQ(json_to_query_xml("GetRole", "urn:x", output, "id"),
            "<GetRoleResponse xmlns=\"urn:x\"><GetRoleResult><Role><RoleName>a&lt;b</RoleName>"
            "<Tags><member><Key>k</Key></member></Tags></Role><Attributes><entry><key>Policy</key>"
            "<value>{&quot;a&quot;:1}</value></entry></Attributes><Count>3</Count></GetRoleResult>"
            "<ResponseMetadata><RequestId>id</RequestId></ResponseMetadata></GetRoleResponse>");
  EXPECT_EQ(json_to_query_xml("TagRole", "u", {}, "id"),
            "<TagRoleResponse "
            "xmlns=\"u\"><TagRoleResult></TagRoleResult><ResponseMetadata><RequestId>id</RequestId>"
            "</ResponseMetadata></TagRoleResponse>");
}

}  // namespace
}  // namespace imgproc::protocol
