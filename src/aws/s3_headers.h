#pragma once
// The headers of S3 objects, both ways.

#include <string>
#include <string_view>

#include "http/message.h"
#include "ports/blob_store.h"

namespace imgproc::aws {

/// ETag without quotes, size (the whole object's, from Content-Range if there is one), type,
/// version, time and user metadata.
[[nodiscard]] ports::BlobInfo blob_info_of(const http::Headers& headers);

/// Content-Type, Cache-Control, x-amz-meta-*, If-Match / If-None-Match.
void add_put_headers(http::Headers& headers, const ports::PutOptions& options);

/// Headers carry ASCII: other text travels as an RFC 2047 word (=?UTF-8?B?…?=), the form in which
/// S3 itself answers with such metadata.
[[nodiscard]] std::string encode_metadata(std::string_view text);
/// The inverse; text that is no such word stays as it is.
[[nodiscard]] std::string decode_metadata(std::string_view text);

[[nodiscard]] std::string etag_in_quotes(std::string_view etag);

}  // namespace imgproc::aws
