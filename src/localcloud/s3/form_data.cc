#include "localcloud/s3/form_data.h"

#include <algorithm>
#include <cstring>

#include "base/bytes.h"
#include "localcloud/s3/errors.h"

namespace imgproc::localcloud::s3 {
namespace {

constexpr std::size_t kReadBytes = 64 * 1024;

Failure malformed(std::string why) {
  return fail(400, "MalformedPOSTRequest",
              "The body of your POST request is not well-formed multipart/form-data: " + why);
}

/// The value of `name` in `form-data; name="x"; filename="y"`.
std::string parameter(std::string_view header, std::string_view name) {
  std::string mark = std::string(name) + "=";
  for (std::size_t at = 0; (at = header.find(mark, at)) != std::string_view::npos; ++at) {
    if (at > 0 && header[at - 1] != ' ' && header[at - 1] != ';') continue;
    std::string_view value = header.substr(at + mark.size());
    if (value.starts_with('"')) return std::string(value.substr(1, value.find('"', 1) - 1));
    return std::string(base::trim(value.substr(0, value.find(';'))));
  }
  return {};
}

}  // namespace

std::string form_boundary(std::string_view content_type) {
  if (!base::to_lower(content_type).starts_with("multipart/form-data")) return {};
  std::string boundary = parameter(content_type, "boundary");
  return boundary.size() > kBoundaryBytesMax ? std::string{} : boundary;
}

FormReader::FormReader(std::unique_ptr<http::BodyReader> source, std::string_view boundary)
    : source_(std::move(source)), delimiter_("\r\n--" + std::string(boundary)), buffer_("\r\n") {}

base::Status FormReader::fill() {
  std::size_t used = buffer_.size();
  buffer_.resize(used + kReadBytes);
  IMGPROC_TRY(std::size_t got, source_->read({buffer_.data() + used, kReadBytes}));
  buffer_.resize(used + got);
  source_ended_ = got == 0;
  return {};
}

base::Result<std::string> FormReader::take_until(std::string_view mark) {
  for (;;) {
    if (auto at = buffer_.find(mark); at != std::string::npos) {
      std::string taken = buffer_.substr(0, at);
      buffer_.erase(0, at + mark.size());
      form_bytes_ += taken.size() + mark.size();
      if (form_bytes_ > kFormBytesMax) break;
      return taken;
    }
    if (source_ended_) return malformed("it ends too early");
    if (form_bytes_ + buffer_.size() > kFormBytesMax + kReadBytes) break;
    IMGPROC_CHECK(fill());
  }
  return fail(400, "MaxPostPreDataLengthExceeded",
              "Your POST request fields preceding the upload file were too large.");
}

base::Status FormReader::read_fields(http::Headers& fields) {
  IMGPROC_TRY(std::string preamble, take_until(delimiter_));
  for (std::size_t count = 0; count < kFormFieldsMax; ++count) {
    IMGPROC_TRY(std::string rest_of_line, take_until("\r\n"));
    if (rest_of_line.starts_with("--")) return malformed("there is no field named file");
    std::string name;
    std::string type;
    std::string file_name;
    for (;;) {
      IMGPROC_TRY(std::string line, take_until("\r\n"));
      if (line.empty()) break;
      auto colon = line.find(':');
      if (colon == std::string::npos) return malformed("a header line has no colon");
      std::string_view value = base::trim(std::string_view(line).substr(colon + 1));
      if (base::equals_ignoring_case(line.substr(0, colon), "Content-Disposition")) {
        name = parameter(value, "name");
        file_name = parameter(value, "filename");
      } else if (base::equals_ignoring_case(line.substr(0, colon), "Content-Type")) {
        type = value;
      }
    }
    if (name == "file") {
      // Browsers of old sent whole paths.
      file_name_ = file_name.substr(file_name.find_last_of("/\\") + 1);
      file_type_ = std::move(type);
      return {};
    }
    IMGPROC_TRY(std::string content, take_until(delimiter_));
    if (name.empty()) return malformed("a field has no name");
    fields.add(std::move(name), std::move(content));
  }
  return malformed("there are too many fields");
}

base::Result<std::size_t> FormReader::read(std::span<char> into) {
  if (file_ended_ || into.empty()) return 0;
  for (;;) {
    auto at = buffer_.find(delimiter_);
    // What could be the beginning of the delimiter stays until more has come.
    std::size_t safe = at != std::string::npos ? at
                       : buffer_.size() >= delimiter_.size()
                           ? buffer_.size() - delimiter_.size() + 1
                           : 0;
    if (safe > 0) {
      std::size_t count = std::min(safe, into.size());
      std::memcpy(into.data(), buffer_.data(), count);
      buffer_.erase(0, count);
      return count;
    }
    if (at == 0) {
      file_ended_ = true;
      // The rest is read, so that the connection can go on.
      while (!source_ended_) {
        buffer_.clear();
        IMGPROC_CHECK(fill());
      }
      return 0;
    }
    if (source_ended_) return malformed("the file is not ended by the boundary");
    IMGPROC_CHECK(fill());
  }
}

}  // namespace imgproc::localcloud::s3
