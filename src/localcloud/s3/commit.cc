#include "localcloud/s3/commit.h"

#include <fmt/format.h>

#include "base/hash.h"
#include "base/random.h"
#include "localcloud/s3/conditions.h"
#include "localcloud/s3/errors.h"

namespace imgproc::localcloud::s3 {
namespace {

/// 32 characters, never repeated: the sequence and 64 random bits.
std::string new_version_id(std::int64_t sequence) {
  return fmt::format("{:016x}{}", sequence, base::random_hex(8));
}

/// The version that a write without (or with suspended) versioning replaces.
base::Result<std::optional<ObjectVersion>> find_null_version(
    Connection& connection, const Bucket& bucket, std::string_view key,
    const std::optional<ObjectVersion>& latest) {
  if (latest && latest->version_id == kNullVersion) return latest;
  if (!latest || bucket.versioning == Versioning::never) return std::nullopt;
  return find_version(connection, bucket.name, key, kNullVersion);
}

/// Puts the null version in place of the one before it, if there is one.
base::Status write_null_version(Connection& connection, const Bucket& bucket,
                                const std::optional<ObjectVersion>& latest, ObjectVersion& version,
                                std::string_view text, Removed& removed) {
  IMGPROC_TRY(auto old, find_null_version(connection, bucket, version.key, latest));
  if (!old) return insert_version(connection, bucket, version, text);
  return replace_version(connection, bucket, *old, version, text, removed);
}

base::Result<Deleted> delete_one_version(Core& core, Connection& connection,
                                         const Operation& operation, const Bucket& bucket,
                                         const Deletion& deletion, AfterCommit& after) {
  IMGPROC_TRY(auto version,
              find_version(connection, bucket.name, deletion.key, *deletion.version_id));
  Deleted deleted{.version_id = *deletion.version_id};
  if (!version) return deleted;
  if (!deletion.if_match.empty() && !etag_matches(deletion.if_match, version->etag))
    return precondition_failed("If-Match");
  deleted.delete_marker = version->delete_marker;
  IMGPROC_CHECK(delete_version(connection, *version, after.removed));
  IMGPROC_TRY(std::int64_t sequence, core.sequence.next(connection, core.context.clock.now()));
  ObjectEvent event{.name = "s3:ObjectRemoved:Delete",
                    .key = deletion.key,
                    .version_id = bucket.versioning == Versioning::never
                                      ? std::string_view{}
                                      : std::string_view(deleted.version_id),
                    .sequence = sequence};
  IMGPROC_TRY(bool woken, notify(core, connection, operation.caller, bucket, event));
  after.wake = after.wake || woken;
  return deleted;
}

}  // namespace

void AfterCommit::apply(Core& core) const {
  removed.apply(core.bodies);
  if (wake) core.events.wake();
}

base::Result<Written> commit_object(Core& core, Connection& connection, const Operation& operation,
                                    const Bucket& bucket, ObjectVersion& version,
                                    std::string_view text, std::string_view event_name,
                                    AfterCommit& after) {
  IMGPROC_TRY(auto latest, find_latest(connection, bucket.name, version.key));
  const ObjectVersion* current = latest && !latest->delete_marker ? &*latest : nullptr;
  IMGPROC_CHECK(check_write(operation.request.headers, version.key, current));
  version.modified = core.context.clock.now();
  IMGPROC_TRY(version.sequence, core.sequence.next(connection, version.modified));
  if (bucket.versioning == Versioning::enabled) {
    version.version_id = new_version_id(version.sequence);
    IMGPROC_CHECK(insert_version(connection, bucket, version, text));
  } else {
    version.version_id = kNullVersion;
    IMGPROC_CHECK(write_null_version(connection, bucket, latest, version, text, after.removed));
  }
  bool versioned = bucket.versioning != Versioning::never;
  ObjectEvent event{
      .name = event_name,
      .key = version.key,
      .bytes = version.bytes,
      .etag = version.etag,
      .version_id = versioned ? std::string_view(version.version_id) : std::string_view{},
      .sequence = version.sequence};
  IMGPROC_TRY(bool woken, notify(core, connection, operation.caller, bucket, event));
  after.wake = after.wake || woken;
  return Written{.versioned = versioned, .version_id = version.version_id};
}

base::Result<Deleted> commit_deletion(Core& core, Connection& connection,
                                      const Operation& operation, const Bucket& bucket,
                                      const Deletion& deletion, AfterCommit& after) {
  if (deletion.version_id)
    return delete_one_version(core, connection, operation, bucket, deletion, after);
  IMGPROC_TRY(auto latest, find_latest(connection, bucket.name, deletion.key));
  bool exists = latest && !latest->delete_marker;
  if (!deletion.if_match.empty()) {
    if (!exists) return no_such_key(deletion.key);
    if (!etag_matches(deletion.if_match, latest->etag)) return precondition_failed("If-Match");
  }
  if (bucket.versioning == Versioning::never && !latest) return Deleted{};

  base::SystemTime now = core.context.clock.now();
  IMGPROC_TRY(std::int64_t sequence, core.sequence.next(connection, now));
  Deleted deleted;
  ObjectEvent event{.name = "s3:ObjectRemoved:Delete", .key = deletion.key, .sequence = sequence};
  std::string marker_etag;
  if (bucket.versioning == Versioning::never) {
    IMGPROC_CHECK(delete_version(connection, *latest, after.removed));
  } else {
    ObjectVersion marker{
        .key = deletion.key, .sequence = sequence, .delete_marker = true, .modified = now};
    if (bucket.versioning == Versioning::enabled) {
      marker.version_id = new_version_id(sequence);
      IMGPROC_CHECK(insert_version(connection, bucket, marker, {}));
    } else {
      IMGPROC_CHECK(write_null_version(connection, bucket, latest, marker, {}, after.removed));
    }
    deleted = Deleted{.version_id = marker.version_id, .delete_marker = true};
    marker_etag = base::md5_hex("");
    event.name = "s3:ObjectRemoved:DeleteMarkerCreated";
    event.etag = marker_etag;
    event.version_id = deleted.version_id;
  }
  IMGPROC_TRY(bool woken, notify(core, connection, operation.caller, bucket, event));
  after.wake = after.wake || woken;
  return deleted;
}

}  // namespace imgproc::localcloud::s3
