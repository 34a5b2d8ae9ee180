#pragma once
#include "base/error.h"
#include "ports/record.h"
#include "protocol/attribute_value.h"

namespace imgproc::aws {

/// The record as an item of the table. What is empty or unknown is absent, never "" (keys of
/// indexes may not be empty). Numbers that DynamoDB cannot hold (infinite, not a number) are left
/// out, text that is not UTF-8 has its foreign bytes replaced.
[[nodiscard]] protocol::AttributeMap item_of(const ports::Record& record);

/// The inverse. Attributes of others are ignored; one of ours with the wrong type is an error:
/// INVALID_RECORD, permanent.
[[nodiscard]] base::Result<ports::Record> record_of(const protocol::AttributeMap& item);

}  // namespace imgproc::aws
