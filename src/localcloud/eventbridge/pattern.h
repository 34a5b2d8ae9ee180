#pragma once
#include <boost/json.hpp>

#include "base/error.h"

namespace imgproc::localcloud::eventbridge {

/// True if `event` has everything that the event pattern asks for. Filters: exact values, prefix,
/// suffix, wildcard, equals-ignore-case, anything-but (values, prefix, suffix), exists, numeric.
/// Source: "Amazon EventBridge event patterns", AWS documentation.
[[nodiscard]] bool matches_pattern(const boost::json::object& pattern,
                                   const boost::json::object& event);

/// Error InvalidEventPatternException if the pattern has a filter that is unknown here.
[[nodiscard]] base::Status check_pattern(const boost::json::object& pattern);

}  // namespace imgproc::localcloud::eventbridge
