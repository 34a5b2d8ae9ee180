// Tags of functions and of event source mappings, by ARN.

#include <fmt/format.h>

#include "localcloud/lambda/service.h"

namespace imgproc::localcloud::lambda {

namespace json = base::json;

namespace {

constexpr std::size_t kTagsMax = 50;
constexpr std::string_view kMappingMark = ":event-source-mapping:";

/// The mapping that an ARN names; empty if it names none.
std::string mapping_of(std::string_view arn) {
  std::size_t at = arn.find(kMappingMark);
  return at == std::string_view::npos ? "" : std::string(arn.substr(at + kMappingMark.size()));
}

}  // namespace

base::Result<Tags> LambdaService::tags_of(const std::string& arn) {
  if (std::string uuid = mapping_of(arn); !uuid.empty()) {
    IMGPROC_TRY(EventSourceMappings * known, mappings());
    return known->tags(uuid);
  }
  IMGPROC_TRY(auto reference, FunctionReference::parse(arn));
  IMGPROC_TRY(auto function, registry_->get(reference.name));
  return function->tags;
}

base::Status LambdaService::change_tags(const std::string& arn,
                                        const std::function<void(Tags&)>& change) {
  auto checked = [&](Tags& tags) -> base::Status {
    change(tags);
    if (tags.size() <= kTagsMax) return {};
    return invalid_parameter(fmt::format("more than {} tags", kTagsMax));
  };
  if (std::string uuid = mapping_of(arn); !uuid.empty()) {
    IMGPROC_TRY(EventSourceMappings * known, mappings());
    return known->change_tags(uuid, checked);
  }
  IMGPROC_TRY(auto reference, FunctionReference::parse(arn));
  auto updated = registry_->update_attributes(
      reference.name, [&](Function& function) { return checked(function.tags); });
  if (!updated) return std::unexpected(std::move(updated).error());
  return {};
}

LambdaService::Answer LambdaService::list_tags(Call& call) {
  IMGPROC_TRY(Tags tags, tags_of(call.path.back()));
  json::object shown;
  for (const auto& [key, value] : tags) shown[key] = value;
  return json_response(200, {{"Tags", std::move(shown)}});
}

LambdaService::Answer LambdaService::tag_resource(Call& call) {
  const auto* given = base::json_object(call.input, "Tags");
  if (given == nullptr) return invalid_parameter("Tags are required");
  Tags added;
  for (const auto& [key, value] : *given) {
    if (!value.is_string()) return invalid_parameter("Tags must be text");
    added[std::string(key)] = std::string(value.get_string());
  }
  IMGPROC_CHECK(change_tags(call.path.back(), [&](Tags& tags) {
    for (const auto& [key, value] : added) tags[key] = value;
  }));
  return empty_response(204);
}

LambdaService::Answer LambdaService::untag_resource(Call& call) {
  IMGPROC_CHECK(change_tags(call.path.back(), [&](Tags& tags) {
    for (const auto& [name, value] : call.query.all())
      if (name == "tagKeys") tags.erase(value);
  }));
  return empty_response(204);
}

}  // namespace imgproc::localcloud::lambda
