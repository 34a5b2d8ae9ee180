#pragma once
// Making a written body an object: versions, conditions, events, in one transaction.

#include "localcloud/s3/index.h"
#include "localcloud/s3/notification.h"
#include "localcloud/s3/operation.h"

namespace imgproc::localcloud::s3 {

/// What a change leaves to do after its commit.
struct AfterCommit {
  Removed removed;
  bool wake = false;
  void apply(Core& core) const;
};

/// The outcome of one write to a key.
struct Written {
  /// The bucket's version id header is due.
  bool versioned = false;
  std::string version_id;
};

/// Puts `version` (key, body, ETag and attributes set; with `text` if the body is small) in place
/// as the newest of its key: replaces what versioning does not keep, gives it its sequence, version
/// id and time, and enqueues `event_name` ("s3:ObjectCreated:Put"). Checks If-Match and
/// If-None-Match of `operation`.
[[nodiscard]] base::Result<Written> commit_object(Core& core, Connection& connection,
                                                  const Operation& operation, const Bucket& bucket,
                                                  ObjectVersion& version, std::string_view text,
                                                  std::string_view event_name, AfterCommit& after);

/// One deletion as DeleteObject and DeleteObjects do it.
struct Deletion {
  std::string key;
  std::optional<std::string> version_id;
  /// If-Match; empty: unconditional.
  std::string if_match;
};
struct Deleted {
  /// The version id that was deleted, or that of the marker that was made; empty if none.
  std::string version_id;
  /// A delete marker was made, or deleted by its version id.
  bool delete_marker = false;
};
[[nodiscard]] base::Result<Deleted> commit_deletion(Core& core, Connection& connection,
                                                    const Operation& operation,
                                                    const Bucket& bucket, const Deletion& deletion,
                                                    AfterCommit& after);

}  // namespace imgproc::localcloud::s3
