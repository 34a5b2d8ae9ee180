#include "localcloud/s3/xml.h"

#include <fmt/format.h>

#include "localcloud/s3/errors.h"
#include "protocol/error_response.h"

namespace imgproc::localcloud::s3 {

base::Status parse_xml(std::string_view text, std::string_view root, pugi::xml_document& document) {
  if (text.size() > kXmlBytesMax) return malformed_xml("the document is too long");
  // A key may consist of spaces alone: such a text counts where it is all that an element holds.
  pugi::xml_parse_result result =
      document.load_buffer(text.data(), text.size(),
                           pugi::parse_default | pugi::parse_ws_pcdata_single, pugi::encoding_utf8);
  if (!result)
    return malformed_xml(fmt::format("{} at byte {}", result.description(), result.offset));
  std::string_view name = document.document_element().name();
  if (auto colon = name.find(':'); colon != std::string_view::npos) name.remove_prefix(colon + 1);
  if (name != root) return malformed_xml(fmt::format("the root element must be {}", root));
  return {};
}

XmlWriter::XmlWriter(std::string_view root) : root_(root) {
  text_ = fmt::format("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{} xmlns=\"{}\">", root,
                      kXmlNamespace);
}

XmlWriter& XmlWriter::open(std::string_view name) {
  text_.append("<").append(name).append(">");
  return *this;
}
XmlWriter& XmlWriter::close(std::string_view name) {
  text_.append("</").append(name).append(">");
  return *this;
}
XmlWriter& XmlWriter::element(std::string_view name, std::string_view text) {
  if (text.empty()) {
    text_.append("<").append(name).append("/>");
    return *this;
  }
  open(name);
  text_ += protocol::xml_escape(text);
  return close(name);
}
XmlWriter& XmlWriter::number(std::string_view name, std::uint64_t value) {
  open(name);
  text_ += std::to_string(value);
  return close(name);
}
XmlWriter& XmlWriter::raw(std::string_view xml) {
  text_ += xml;
  return *this;
}
std::string XmlWriter::finish() {
  close(root_);
  return std::move(text_);
}
http::Response XmlWriter::respond() {
  return xml_response(finish());
}

http::Response xml_response(std::string document) {
  http::Response response;
  response.headers.add("Content-Type", "application/xml");
  response.body = std::move(document);
  return response;
}

}  // namespace imgproc::localcloud::s3
