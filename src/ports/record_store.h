#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "ports/record.h"

namespace imgproc::ports {

/// What became of a conditional write.
enum class PutOutcome {
  written,
  /// A record with a newer sequencer stands there: ours is late, and nothing was changed.
  superseded,
};

/// A conditional write, and the record that stood there before it: the one that was replaced, or
/// the newer one that stays.
struct Replacement {
  PutOutcome outcome = PutOutcome::written;
  std::optional<Record> before;
};

/// One record per source object, written only forwards in event order. Thread-safe.
/// Errors are transient (throttling, connection: retried already) or permanent (AccessDenied, no
/// such table).
class RecordStore {
 public:
  virtual ~RecordStore() = default;
  /// Strongly consistent. Nullopt if there is none.
  [[nodiscard]] virtual base::Result<std::optional<Record>> get(std::string_view path) = 0;
  /// Writes the whole record if there is none, or one whose sequencer is not greater (plain text
  /// comparison of padded sequencers), in one atomic step.
  [[nodiscard]] virtual base::Result<PutOutcome> put_if_not_older(const Record& record) = 0;
  /// put_if_not_older() that also tells, in the same atomic step, what stood there (DynamoDB:
  /// ReturnValues ALL_OLD). The pipeline needs it to know every rendition that it must take away.
  /// A client that sends a write again because the answer got lost tells of the first writing:
  /// `before` is then the written record itself, and what it replaced is not known any more.
  /// The default reads first and then writes, so a write in between goes unseen: override it.
  [[nodiscard]] virtual base::Result<Replacement> replace_if_not_older(const Record& record);
};

}  // namespace imgproc::ports
