#pragma once
#include <string_view>
#include <vector>

#include "localcloud/s3/commit.h"

namespace imgproc::localcloud::s3 {

/// Objects of one DeleteObjects request.
inline constexpr std::size_t kDeletesMax = 1000;

struct DeleteRequest {
  bool quiet = false;
  std::vector<Deletion> objects;
};
/// Error MalformedXML.
[[nodiscard]] base::Result<DeleteRequest> parse_delete(std::string_view xml);

}  // namespace imgproc::localcloud::s3
