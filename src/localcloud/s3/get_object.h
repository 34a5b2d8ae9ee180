#pragma once
#include <string>

#include "localcloud/s3/index.h"
#include "localcloud/s3/operation.h"

namespace imgproc::localcloud::s3 {

/// An object version with what is needed to read its body.
struct FoundObject {
  ObjectVersion version;
  /// The answer carries x-amz-version-id.
  bool versioned = false;
  /// The body, if it stands in the row.
  std::string text;
  std::vector<Part> parts;
};

/// Errors NoSuchBucket, NoSuchKey, NoSuchVersion; a delete marker is found as such. `with_body`:
/// also loads text and parts.
[[nodiscard]] base::Result<FoundObject> find_object(Core& core, std::string_view bucket,
                                                    std::string_view key,
                                                    const std::optional<std::string>& version_id,
                                                    bool with_body);

/// `count` bytes of the object from `offset`; unaffected by later overwrites and deletes. Error
/// NO_BODY_FILE: it was replaced in between, look it up again.
[[nodiscard]] base::Result<http::Body> read_object(Core& core, const FoundObject& object,
                                                   std::uint64_t offset, std::uint64_t count);

/// How often a body that was replaced under our hands is looked up again.
inline constexpr int kLookupsMax = 16;

}  // namespace imgproc::localcloud::s3
