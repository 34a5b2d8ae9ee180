#pragma once
// What every operation that writes an object's body shares.

#include "localcloud/s3/body_store.h"
#include "localcloud/s3/commit.h"
#include "localcloud/s3/operation.h"
#include "localcloud/s3/request_body.h"

namespace imgproc::localcloud::s3 {

/// The bucket exists and the write's conditions hold now: so that a long body is not read in vain.
/// Both are checked again with the commit.
[[nodiscard]] base::Status check_before_write(Core& core, const Operation& operation);

/// Streams a request's body into the store and proves it. Nothing remains of it on error.
[[nodiscard]] base::Result<NewBody> store_body(Core& core, RequestBody& body, bool inline_allowed);

/// ETag, encryption and version id of an object that was just written.
void add_written_headers(const Written& written, const ObjectVersion& version,
                         http::Headers& headers);

}  // namespace imgproc::localcloud::s3
