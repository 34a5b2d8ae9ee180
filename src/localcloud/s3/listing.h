#pragma once
// What the listing operations share: paging parameters and S3's grouping by a delimiter.

#include <optional>
#include <string>
#include <string_view>

#include "localcloud/s3/operation.h"
#include "localcloud/s3/xml.h"

namespace imgproc::localcloud::s3 {

/// Most entries of one answer, and the default.
inline constexpr std::size_t kListMax = 1000;

struct ListRequest {
  std::string prefix;
  std::string delimiter;
  std::size_t count_max = kListMax;
  /// encoding-type=url: names in the answer are percent-encoded.
  bool encode = false;

  /// A key, prefix or marker as it stands in the answer.
  [[nodiscard]] std::string shown(std::string_view name) const;
};

/// Reads prefix, delimiter, encoding-type and the limit under the name `limit` ("max-keys"). Error
/// InvalidArgument.
[[nodiscard]] base::Result<ListRequest> read_list_request(const Operation& operation,
                                                          std::string_view limit);

/// The common prefix that `key` belongs to: up to and with the first delimiter behind the prefix;
/// nullopt if the key stands for itself.
[[nodiscard]] std::optional<std::string> common_prefix(const ListRequest& request,
                                                       std::string_view key);

/// The smallest string above every string that starts with `prefix`; empty if there is none.
[[nodiscard]] std::string after_prefix(std::string_view prefix);

/// Where a listing that goes on behind `marker` (exclusive) starts: the first key to look at. A
/// marker that is a common prefix stands for all of its keys.
[[nodiscard]] std::string first_key(const ListRequest& request, std::string_view marker);

void write_common_prefixes(const ListRequest& request, const std::vector<std::string>& prefixes,
                           XmlWriter& xml);

}  // namespace imgproc::localcloud::s3
