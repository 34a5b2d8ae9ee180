#include "localcloud/eventbridge/pattern.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/bytes.h"
#include "base/json.h"
#include "base/wildcard.h"

namespace imgproc::localcloud::eventbridge {
namespace json = boost::json;
namespace {

constexpr std::array<std::string_view, 7> kFilters{
    "prefix", "suffix", "wildcard", "equals-ignore-case", "anything-but", "exists", "numeric"};

std::string_view text_of(const json::value& value) {
  const auto* text = value.if_string();
  return text == nullptr ? std::string_view{} : std::string_view(text->data(), text->size());
}

bool matches_numeric(const json::array& tests, const json::value& actual) {
  if (!actual.is_number()) return false;
  auto number = actual.to_number<double>();
  for (std::size_t i = 0; i + 1 < tests.size(); i += 2) {
    if (!tests[i + 1].is_number()) return false;
    auto bound = tests[i + 1].to_number<double>();
    std::string_view op = text_of(tests[i]);
    bool holds = (op == "=" && number == bound) || (op == "<" && number < bound) ||
                 (op == "<=" && number <= bound) || (op == ">" && number > bound) ||
                 (op == ">=" && number >= bound);
    if (!holds) return false;
  }
  return true;
}

bool matches_filter(const json::value& filter, const json::value& actual) {
  const auto* object = filter.if_object();
  if (object == nullptr)
    return filter == actual || (filter.is_number() && actual.is_number() &&
                                filter.to_number<double>() == actual.to_number<double>());
  if (object->empty()) return false;
  const auto& [name, wanted] = *object->begin();
  std::string_view text = text_of(actual);
  if (name == "prefix") return actual.is_string() && text.starts_with(text_of(wanted));
  if (name == "suffix") return actual.is_string() && text.ends_with(text_of(wanted));
  if (name == "wildcard")
    return actual.is_string() && base::matches_wildcard(text_of(wanted), text, {.backslash = true});
  if (name == "equals-ignore-case")
    return actual.is_string() && base::equals_ignoring_case(text, text_of(wanted));
  if (name == "numeric") return wanted.is_array() && matches_numeric(wanted.get_array(), actual);
  if (name == "exists") return wanted == json::value(true);
  if (name == "anything-but") {
    if (const auto* list = wanted.if_array())
      return std::ranges::none_of(
          *list, [&](const json::value& one) { return matches_filter(one, actual); });
    return !matches_filter(wanted, actual);
  }
  return false;
}

bool matches_absent(const json::array& filters) {
  return std::ranges::any_of(filters, [](const json::value& filter) {
    const auto* object = filter.if_object();
    return object != nullptr && base::json_bool(*object, "exists") == false;
  });
}

bool matches_value(const json::array& filters, const json::value& actual) {
  if (const auto* list = actual.if_array())
    return std::ranges::any_of(*list,
                               [&](const json::value& one) { return matches_value(filters, one); });
  return std::ranges::any_of(
      filters, [&](const json::value& filter) { return matches_filter(filter, actual); });
}

}  // namespace

bool matches_pattern(const json::object& pattern, const json::object& event) {
  return std::ranges::all_of(pattern, [&](const auto& member) {
    const json::value* actual = event.if_contains(member.key());
    if (const auto* filters = member.value().if_array())
      return actual == nullptr ? matches_absent(*filters) : matches_value(*filters, *actual);
    const auto* inner = member.value().if_object();
    return inner != nullptr && actual != nullptr && actual->is_object() &&
           matches_pattern(*inner, actual->get_object());
  });
}

base::Status check_pattern(const json::object& pattern) {
  auto invalid = [](std::string_view why) {
    return base::permanent("InvalidEventPatternException",
                           fmt::format("Event pattern is not valid. Reason: {}", why));
  };
  for (const auto& [name, value] : pattern) {
    if (const auto* inner = value.if_object()) {
      IMGPROC_CHECK(check_pattern(*inner));
      continue;
    }
    const auto* filters = value.if_array();
    if (filters == nullptr)
      return invalid(fmt::format("\"{}\" must be an object or an array", std::string_view(name)));
    for (const json::value& filter : *filters) {
      const auto* object = filter.if_object();
      if (object == nullptr) continue;
      if (object->size() != 1 ||
          std::ranges::find(kFilters, std::string_view(object->begin()->key())) == kFilters.end())
        return invalid(fmt::format("Unrecognized match type in \"{}\"", std::string_view(name)));
    }
  }
  return {};
}

}  // namespace imgproc::localcloud::eventbridge
