#pragma once
// The XML bodies of S3: bounded reading of requests, and plain writing of answers.

#include <cstdint>
#include <pugixml.hpp>
#include <string>
#include <string_view>

#include "base/error.h"
#include "http/message.h"

namespace imgproc::localcloud::s3 {

inline constexpr const char* kXmlNamespace = "http://s3.amazonaws.com/doc/2006-03-01/";
/// Largest XML body accepted: 1,000 keys of 1,024 bytes with their escapes fit.
inline constexpr std::size_t kXmlBytesMax = std::size_t{2} << 20;

/// Parses `text` into `document` and checks the root element's name. Entities other than XML's own
/// five are not expanded and document types are skipped. Error MalformedXML (400).
[[nodiscard]] base::Status parse_xml(std::string_view text, std::string_view root,
                                     pugi::xml_document& document);

/// Builds a document from front to back; texts are escaped.
class XmlWriter {
 public:
  /// Starts the document with its declaration and root element in S3's namespace.
  explicit XmlWriter(std::string_view root);
  XmlWriter& open(std::string_view name);
  XmlWriter& close(std::string_view name);
  XmlWriter& element(std::string_view name, std::string_view text);
  XmlWriter& number(std::string_view name, std::uint64_t value);
  /// Text that is XML already.
  XmlWriter& raw(std::string_view xml);
  /// Closes the root and returns the document; the writer is used up.
  [[nodiscard]] std::string finish();
  /// A 200 answer with the document as its body; the writer is used up.
  [[nodiscard]] http::Response respond();

 private:
  std::string root_;
  std::string text_;
};

/// The whole of a pre-built document as a 200 answer.
[[nodiscard]] http::Response xml_response(std::string document);

}  // namespace imgproc::localcloud::s3
