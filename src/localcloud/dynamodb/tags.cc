// TagResource, UntagResource and ListTagsOfResource.

#include "localcloud/dynamodb/table_definition.h"

namespace imgproc::localcloud::dynamodb {

base::Result<std::string> tag_resource(Call& call) {
  Input input(call.request);
  const auto* tags = input.array("Tags");
  input.require("Tags");
  IMGPROC_CHECK(input.status());
  IMGPROC_TRY(TablePtr table, table_of_resource(call));
  if (tags->empty()) return invalid("Atleast one Tag needs to be provided as Input.");
  Table changed = *table;
  IMGPROC_CHECK(add_tags(*tags, changed.settings.at("Tags").as_object()));
  IMGPROC_CHECK(call.store.save(std::move(changed), nullptr));
  return "{}";
}

base::Result<std::string> untag_resource(Call& call) {
  Input input(call.request);
  const auto* keys = input.array("TagKeys");
  input.require("TagKeys");
  IMGPROC_CHECK(input.status());
  IMGPROC_TRY(TablePtr table, table_of_resource(call));
  if (keys->empty()) return invalid("Atleast one Tag Key needs to be provided as Input.");
  IMGPROC_TRY(auto names, texts_of(*keys));
  Table changed = *table;
  for (const auto& name : names) changed.settings.at("Tags").as_object().erase(name);
  IMGPROC_CHECK(call.store.save(std::move(changed), nullptr));
  return "{}";
}

base::Result<std::string> list_tags_of_resource(Call& call) {
  IMGPROC_TRY(TablePtr table, table_of_resource(call));
  json::array tags;
  for (const auto& [key, value] : table->settings.at("Tags").as_object())
    tags.push_back(json::object{{"Key", key}, {"Value", value}});
  return json::serialize(json::object{{"Tags", std::move(tags)}});
}

}  // namespace imgproc::localcloud::dynamodb
