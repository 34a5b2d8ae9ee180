#pragma once
// One HTTP request and one HTTP response, as values. Bodies are in memory or streamed.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace imgproc::http {

/// Header fields in the order they came. Names compare without case, values are kept as they are.
class Headers {
 public:
  using Field = std::pair<std::string, std::string>;
  Headers() = default;
  Headers(std::initializer_list<Field> fields) : fields_(fields) {}

  void add(std::string name, std::string value);
  /// Replaces every field of that name by one.
  void set(std::string name, std::string value);
  void erase(std::string_view name);
  /// The first field of that name; borrowed.
  [[nodiscard]] std::optional<std::string_view> get(std::string_view name) const;
  [[nodiscard]] bool has(std::string_view name) const { return get(name).has_value(); }
  [[nodiscard]] const std::vector<Field>& fields() const { return fields_; }

 private:
  std::vector<Field> fields_;
};

/// A source of body bytes, read once, front to back, by one thread.
class BodyReader {
 public:
  virtual ~BodyReader() = default;
  /// Fills up to into.size() bytes and returns how many; 0 is the end. An error ends the stream.
  [[nodiscard]] virtual base::Result<std::size_t> read(std::span<char> into) = 0;
};

/// A body: the text, or the stream if there is one.
struct Body {
  std::string text;
  std::unique_ptr<BodyReader> stream;
  /// Length of `stream` where known; an unknown length is sent chunked.
  std::optional<std::uint64_t> stream_bytes;

  Body() = default;
  Body(std::string content) : text(std::move(content)) {}  // NOLINT(google-explicit-constructor)
  Body(const char* content) : text(content) {}             // NOLINT(google-explicit-constructor)
  Body(std::unique_ptr<BodyReader> reader, std::optional<std::uint64_t> bytes)
      : stream(std::move(reader)), stream_bytes(bytes) {}

  /// Length in bytes where known.
  [[nodiscard]] std::optional<std::uint64_t> size() const {
    return stream ? stream_bytes : std::optional<std::uint64_t>(text.size());
  }
};

/// The whole body as text; consumes a stream. Error BODY_TOO_LARGE beyond `bytes_max`.
[[nodiscard]] base::Result<std::string> read_all(Body& body, std::size_t bytes_max);
/// The body as a reader, whichever form it has; consumes it.
[[nodiscard]] std::unique_ptr<BodyReader> to_reader(Body body);

struct Request {
  std::string method = "GET";
  /// As on the request line: percent-encoded path and query, "/bucket/key?x=y".
  std::string target = "/";
  Headers headers;
  Body body;

  /// The raw (still encoded) path and query of `target`.
  [[nodiscard]] std::string_view path() const;
  [[nodiscard]] std::string_view query() const;
};

struct Response {
  int status = 200;
  Headers headers;
  Body body;
  /// For answers to HEAD: the Content-Length to announce although no body is sent.
  std::optional<std::uint64_t> head_content_length;
};

/// Query parameters, decoded (+ is a space), in order.
class QueryParams {
 public:
  explicit QueryParams(std::string_view raw_query);
  [[nodiscard]] std::optional<std::string_view> get(std::string_view name) const;
  [[nodiscard]] bool has(std::string_view name) const { return get(name).has_value(); }
  [[nodiscard]] const std::vector<std::pair<std::string, std::string>>& all() const {
    return params_;
  }

 private:
  std::vector<std::pair<std::string, std::string>> params_;
};

/// The usual phrase, "OK" for 200; empty for unknown codes.
[[nodiscard]] std::string_view reason_phrase(int status);

}  // namespace imgproc::http
