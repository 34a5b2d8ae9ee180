#include "base/time.h"

#include <fmt/format.h>

#include <array>
#include <cstdio>

#include "base/bytes.h"

namespace imgproc::base {
namespace {

using std::chrono::milliseconds;

constexpr std::array kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                             "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array kWeekdays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

struct Fields {
  std::chrono::year_month_day date;
  std::chrono::hh_mm_ss<milliseconds> time;
};

Fields split(SystemTime t) {
  auto day = std::chrono::floor<std::chrono::days>(t);
  return {std::chrono::year_month_day{day}, std::chrono::hh_mm_ss<milliseconds>{t - day}};
}

/// A fixed-width decimal field, or -1.
int digits(std::string_view text, std::size_t at, std::size_t count) {
  if (at + count > text.size()) return -1;
  auto value = parse_unsigned(text.substr(at, count));
  return value ? static_cast<int>(*value) : -1;
}

std::optional<SystemTime> build(int year, int month, int day, int hour, int minute, int second,
                                int millis) {
  std::chrono::year_month_day date{std::chrono::year{year},
                                   std::chrono::month{static_cast<unsigned>(month)},
                                   std::chrono::day{static_cast<unsigned>(day)}};
  if (year < 0 || month < 1 || day < 1 || !date.ok() || hour < 0 || hour > 23 || minute < 0 ||
      minute > 59 || second < 0 || second > 60)
    return std::nullopt;
  return SystemTime{std::chrono::sys_days{date}} + std::chrono::hours{hour} +
         std::chrono::minutes{minute} + std::chrono::seconds{second} + milliseconds{millis};
}

}  // namespace

std::string to_iso8601(SystemTime t) {
  auto [date, time] = split(t);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     time.hours().count(), time.minutes().count(), time.seconds().count(),
                     time.subseconds().count());
}

std::string to_amz_date(SystemTime t) {
  auto [date, time] = split(t);
  return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     time.hours().count(), time.minutes().count(), time.seconds().count());
}

std::string to_http_date(SystemTime t) {
  auto [date, time] = split(t);
  std::chrono::weekday weekday{std::chrono::floor<std::chrono::days>(t)};
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", kWeekdays[weekday.c_encoding()],
                     static_cast<unsigned>(date.day()),
                     kMonths[static_cast<unsigned>(date.month()) - 1],
                     static_cast<int>(date.year()), time.hours().count(), time.minutes().count(),
                     time.seconds().count());
}

std::optional<SystemTime> from_iso8601(std::string_view text) {
  if (text.size() < 20 || text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':' ||
      text[16] != ':')
    return std::nullopt;
  std::size_t at = 19;
  int millis = 0;
  if (text[at] == '.') {
    int scale = 100;
    for (++at; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, scale /= 10)
      millis += (text[at] - '0') * scale;
  }
  auto time = build(digits(text, 0, 4), digits(text, 5, 2), digits(text, 8, 2), digits(text, 11, 2),
                    digits(text, 14, 2), digits(text, 17, 2), millis);
  if (!time || at >= text.size()) return std::nullopt;
  std::string_view zone = text.substr(at);
  if (zone == "Z") return time;
  if (zone.size() != 6 || (zone[0] != '+' && zone[0] != '-') || zone[3] != ':') return std::nullopt;
  int hours = digits(zone, 1, 2);
  int minutes = digits(zone, 4, 2);
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return std::nullopt;
  auto offset = std::chrono::hours{hours} + std::chrono::minutes{minutes};
  return zone[0] == '+' ? *time - offset : *time + offset;
}

std::optional<SystemTime> from_amz_date(std::string_view text) {
  if (text.size() != 16 || text[8] != 'T' || text[15] != 'Z') return std::nullopt;
  return build(digits(text, 0, 4), digits(text, 4, 2), digits(text, 6, 2), digits(text, 9, 2),
               digits(text, 11, 2), digits(text, 13, 2), 0);
}

std::optional<SystemTime> from_http_date(std::string_view text) {
  // Sun, 06 Nov 1994 08:49:37 GMT; the two obsolete forms of RFC 9110 are not accepted.
  if (text.size() != 29 || text.substr(25) != " GMT") return std::nullopt;
  for (std::size_t month = 0; month < kMonths.size(); ++month)
    if (text.substr(8, 3) == kMonths[month])
      return build(digits(text, 12, 4), static_cast<int>(month) + 1, digits(text, 5, 2),
                   digits(text, 17, 2), digits(text, 20, 2), digits(text, 23, 2), 0);
  return std::nullopt;
}

}  // namespace imgproc::base
