#pragma once
// The quotas of SQS that are kept here. Source: "Amazon SQS message quotas", AWS documentation.

#include <cstddef>

namespace imgproc::localcloud::sqs {

inline constexpr std::size_t kQueueNameBytesMax = 80;
inline constexpr int kBatchEntriesMax = 10;
inline constexpr int kReceiveMessagesMax = 10;
inline constexpr int kWaitSecondsMax = 20;
inline constexpr int kDelaySecondsMax = 900;
inline constexpr int kVisibilitySecondsMax = 43200;
inline constexpr std::size_t kMessageBytesMax = 1048576;
inline constexpr int kMessageAttributesMax = 10;

}  // namespace imgproc::localcloud::sqs
