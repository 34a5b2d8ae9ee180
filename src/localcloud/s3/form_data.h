#pragma once
// multipart/form-data as browsers and SDKs post it to S3. Source: RFC 7578.

#include <memory>
#include <string>
#include <string_view>

#include "http/message.h"

namespace imgproc::localcloud::s3 {

/// All fields before the file together, with their headers.
inline constexpr std::size_t kFormBytesMax = 20 * 1024;
inline constexpr std::size_t kFormFieldsMax = 100;
/// Longest boundary (RFC 2046).
inline constexpr std::size_t kBoundaryBytesMax = 70;

/// The boundary in a Content-Type header; empty if it is no multipart/form-data.
[[nodiscard]] std::string form_boundary(std::string_view content_type);

/// Reads the fields of a form up to the one named "file", whose content then is this reader's.
/// Errors: MalformedPOSTRequest, MaxPostPreDataLengthExceededError (400).
class FormReader final : public http::BodyReader {
 public:
  FormReader(std::unique_ptr<http::BodyReader> source, std::string_view boundary);
  /// To be called once, before read(). Names as they came; what follows the file is ignored.
  [[nodiscard]] base::Status read_fields(http::Headers& fields);
  [[nodiscard]] base::Result<std::size_t> read(std::span<char> into) override;
  /// The file name that the browser gave, and the content type of the file's own part.
  [[nodiscard]] const std::string& file_name() const { return file_name_; }
  [[nodiscard]] const std::string& file_type() const { return file_type_; }

 private:
  [[nodiscard]] base::Status fill();
  [[nodiscard]] base::Result<std::string> take_until(std::string_view mark);

  std::unique_ptr<http::BodyReader> source_;
  /// CR LF and two hyphens in front of the boundary: what ends every part.
  std::string delimiter_;
  std::string buffer_;
  bool source_ended_ = false;
  bool file_ended_ = false;
  std::size_t form_bytes_ = 0;
  std::string file_name_;
  std::string file_type_;
};

}  // namespace imgproc::localcloud::s3
