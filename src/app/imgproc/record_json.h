#pragma once
#include <boost/json/object.hpp>

#include "ports/record.h"

namespace imgproc::app {

/// The facts about an image under the names of the table's attributes.
[[nodiscard]] boost::json::object metadata_to_json(const ports::ImageMetadata& metadata);
/// A record as plain JSON under the names of the table's attributes; what is empty is left out.
[[nodiscard]] boost::json::object record_to_json(const ports::Record& record);

}  // namespace imgproc::app
