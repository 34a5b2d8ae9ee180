#pragma once
#include <optional>
#include <string>

#include "localcloud/s3/get_object.h"
#include "localcloud/s3/operation.h"

namespace imgproc::localcloud::s3 {

/// x-amz-copy-source: "/bucket/key?versionId=id", the key percent-encoded.
struct CopySource {
  std::string bucket;
  std::string key;
  std::optional<std::string> version_id;
};
/// Error InvalidArgument.
[[nodiscard]] base::Result<CopySource> parse_copy_source(std::string_view header);

/// The source with its body, its conditions checked. Errors NoSuchKey …, PreconditionFailed,
/// InvalidRequest (a delete marker by version id).
[[nodiscard]] base::Result<FoundObject> find_copy_source(Core& core, const Operation& operation,
                                                         const CopySource& source);

/// A written copy with what was computed on the way.
struct CopiedBody {
  NewBody body;
  std::string md5_hex;
  /// Base64, of the algorithm asked for.
  std::string checksum;
};
/// Copies `count` bytes from `offset`. Looks the source up again if it was replaced in between, and
/// leaves in `object` what was copied.
[[nodiscard]] base::Result<CopiedBody> copy_body(Core& core, const Operation& operation,
                                                 const CopySource& source, FoundObject& object,
                                                 std::uint64_t offset, std::uint64_t count,
                                                 base::HashAlgorithm algorithm,
                                                 bool inline_allowed);

}  // namespace imgproc::localcloud::s3
