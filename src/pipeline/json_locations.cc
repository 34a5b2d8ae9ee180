#include "pipeline/json_locations.h"

#include <boost/json.hpp>
#include <set>

namespace imgproc::pipeline {
namespace {

/// Walks valid JSON once; all checks are the parser's, which ran before.
class Walker {
 public:
  Walker(std::string_view text, JsonLocations& found) : text_(text), found_(found) {}

  void value(const std::string& pointer) {
    skip_space();
    note(pointer);
    if (at_end()) return;
    if (peek() == '{')
      object(pointer);
    else if (peek() == '[')
      array(pointer);
    else if (peek() == '"')
      (void)raw_string();
    else
      while (!at_end() && std::string_view(",]} \t\r\n").find(peek()) == std::string_view::npos)
        next();
  }

 private:
  void object(const std::string& pointer) {
    std::set<std::string> seen;
    next();
    for (skip_space(); !at_end() && peek() != '}'; skip_space()) {
      if (peek() == ',') {
        next();
        continue;
      }
      const TextPosition name_at = position_;
      const std::string name = decoded(raw_string());
      const std::string member = pointer + "/" + pointer_token(name);
      if (!seen.insert(name).second) found_.duplicates.push_back(member);
      found_.positions.insert_or_assign(member, name_at);
      skip_space();
      if (!at_end()) next();  // the colon
      value(member);
    }
    if (!at_end()) next();
  }

  void array(const std::string& pointer) {
    next();
    std::size_t index = 0;
    for (skip_space(); !at_end() && peek() != ']'; skip_space()) {
      if (peek() == ',') {
        next();
        continue;
      }
      value(pointer + "/" + std::to_string(index++));
    }
    if (!at_end()) next();
  }

  std::string_view raw_string() {
    const std::size_t begin = offset_;
    next();
    while (!at_end() && peek() != '"') {
      if (peek() == '\\') next();
      if (!at_end()) next();
    }
    if (!at_end()) next();
    return text_.substr(begin, offset_ - begin);
  }

  static std::string decoded(std::string_view raw) {
    boost::system::error_code error;
    const auto value = boost::json::parse({raw.data(), raw.size()}, error);
    if (error || !value.is_string()) return std::string(raw);
    return {value.get_string().data(), value.get_string().size()};
  }

  void note(const std::string& pointer) { found_.positions.try_emplace(pointer, position_); }
  [[nodiscard]] bool at_end() const { return offset_ >= text_.size(); }
  [[nodiscard]] char peek() const { return text_[offset_]; }
  void next() {
    if (text_[offset_++] == '\n') {
      ++position_.line;
      position_.column = 1;
    } else {
      ++position_.column;
    }
  }
  void skip_space() {
    while (!at_end() && (peek() == ' ' || peek() == '\t' || peek() == '\r' || peek() == '\n'))
      next();
  }

  std::string_view text_;
  JsonLocations& found_;
  std::size_t offset_ = 0;
  TextPosition position_;
};

}  // namespace

TextPosition position_at(std::string_view text, std::size_t offset) {
  TextPosition position;
  for (const char c : text.substr(0, offset)) {
    if (c == '\n') {
      ++position.line;
      position.column = 1;
    } else {
      ++position.column;
    }
  }
  return position;
}

JsonLocations locate_json(std::string_view text) {
  JsonLocations found;
  Walker(text, found).value("");
  return found;
}

std::string pointer_token(std::string_view name) {
  std::string token;
  for (const char c : name) {
    if (c == '~')
      token += "~0";
    else if (c == '/')
      token += "~1";
    else
      token += c;
  }
  return token;
}

}  // namespace imgproc::pipeline
