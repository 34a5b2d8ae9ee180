#include "http/message.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/bytes.h"

namespace imgproc::http {

void Headers::add(std::string name, std::string value) {
  fields_.emplace_back(std::move(name), std::move(value));
}

void Headers::set(std::string name, std::string value) {
  erase(name);
  add(std::move(name), std::move(value));
}

void Headers::erase(std::string_view name) {
  std::erase_if(fields_,
                [&](const Field& field) { return base::equals_ignoring_case(field.first, name); });
}

std::optional<std::string_view> Headers::get(std::string_view name) const {
  for (const auto& [key, value] : fields_)
    if (base::equals_ignoring_case(key, name)) return value;
  return std::nullopt;
}

namespace {

class TextReader final : public BodyReader {
 public:
  explicit TextReader(std::string text) : text_(std::move(text)) {}
  base::Result<std::size_t> read(std::span<char> into) override {
    std::size_t count = std::min(into.size(), text_.size() - at_);
    std::memcpy(into.data(), text_.data() + at_, count);
    at_ += count;
    return count;
  }

 private:
  std::string text_;
  std::size_t at_ = 0;
};

}  // namespace

base::Result<std::string> read_all(Body& body, std::size_t bytes_max) {
  auto too_large = [&] {
    return base::permanent("BODY_TOO_LARGE",
                           fmt::format("the body has more than {} bytes", bytes_max));
  };
  if (!body.stream) {
    if (body.text.size() > bytes_max) return too_large();
    return std::move(body.text);
  }
  if (body.stream_bytes && *body.stream_bytes > bytes_max) return too_large();
  constexpr std::size_t kStep = 64 * 1024;
  std::string content;
  if (body.stream_bytes) content.reserve(*body.stream_bytes);
  for (;;) {
    std::size_t used = content.size();
    // One byte more than is left shows an overlong body without reading it whole.
    std::size_t room = std::min(kStep, bytes_max + 1 - used);
    content.resize(used + room);
    IMGPROC_TRY(std::size_t got, body.stream->read({content.data() + used, room}));
    content.resize(used + got);
    if (got == 0) return content;
    if (content.size() > bytes_max) return too_large();
  }
}

std::unique_ptr<BodyReader> to_reader(Body body) {
  if (body.stream) return std::move(body.stream);
  return std::make_unique<TextReader>(std::move(body.text));
}

std::string_view Request::path() const {
  return std::string_view(target).substr(0, target.find('?'));
}

std::string_view Request::query() const {
  auto at = target.find('?');
  return at == std::string::npos ? std::string_view{} : std::string_view(target).substr(at + 1);
}

QueryParams::QueryParams(std::string_view raw) {
  while (!raw.empty()) {
    std::string_view pair = raw.substr(0, raw.find('&'));
    raw.remove_prefix(std::min(raw.size(), pair.size() + 1));
    if (pair.empty()) continue;
    auto equals = pair.find('=');
    std::string_view name = pair.substr(0, equals);
    std::string_view value = equals == std::string_view::npos ? "" : pair.substr(equals + 1);
    params_.emplace_back(base::percent_decode(name, true), base::percent_decode(value, true));
  }
}

std::optional<std::string_view> QueryParams::get(std::string_view name) const {
  for (const auto& [key, value] : params_)
    if (key == name) return value;
  return std::nullopt;
}

std::string_view reason_phrase(int status) {
  switch (status) {
    case 100:
      return "Continue";
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 301:
      return "Moved Permanently";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 400:
      return "Bad Request";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 411:
      return "Length Required";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 416:
      return "Range Not Satisfiable";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 507:
      return "Insufficient Storage";
    default:
      return "";
  }
}

}  // namespace imgproc::http
