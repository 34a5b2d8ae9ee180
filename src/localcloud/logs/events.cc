// Log streams and events: put, get, filter.

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "base/bytes.h"
#include "localcloud/logs/service.h"

namespace imgproc::localcloud::logs {

namespace json = boost::json;

namespace {

constexpr std::size_t kStreamNameLengthMax = 512;
constexpr double kStreamsPageMax = 50;
constexpr double kEventsPageMax = 10'000;
constexpr std::size_t kPutEventsMax = 10'000;
constexpr std::size_t kPutBytesMax = 1'048'576;
constexpr std::size_t kMessageBytesMax = 1'048'576;
/// Events this far in the future are refused.
constexpr std::chrono::hours kFutureMax{2};
constexpr std::chrono::days kPastMax{14};

std::int64_t to_ms(base::SystemTime time) {
  return time.time_since_epoch().count();
}

std::optional<std::int64_t> time_of(const rpc::Call& call, std::string_view name) {
  auto value = call.number(name);
  if (!value) return std::nullopt;
  return static_cast<std::int64_t>(std::clamp(*value, -9e15, 9e15));
}

/// AWS's event ids are 56 digits; the row's number makes them stable and unique.
std::string event_id(std::int64_t id) {
  return fmt::format("{:056}", id);
}

std::string to_token(const Position& position) {
  return fmt::format("{}/{}", position.time_ms, position.id);
}

std::optional<Position> from_token(std::string_view token) {
  std::size_t slash = token.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  bool negative = token.starts_with("-");
  auto time = base::parse_unsigned(token.substr(negative ? 1 : 0, slash - (negative ? 1 : 0)));
  auto id = base::parse_unsigned(token.substr(slash + 1));
  if (!time || !id || *time > 9'000'000'000'000'000 || *id > 9'000'000'000'000'000'000)
    return std::nullopt;
  auto ms = static_cast<std::int64_t>(*time);
  return Position{negative ? -ms : ms, static_cast<std::int64_t>(*id)};
}

base::Result<std::string> stream_of(const rpc::Call& call) {
  std::string name = call.text("logStreamName");
  if (name.empty() || name.size() > kStreamNameLengthMax ||
      name.find_first_of(":*") != std::string::npos)
    return invalid_parameter("logStreamName must be 1 to 512 characters without : and *");
  return name;
}

}  // namespace

LogsService::Output LogsService::create_log_stream(const rpc::Call& call) {
  IMGPROC_TRY(auto group, group_of(call));
  IMGPROC_TRY(auto stream, stream_of(call));
  IMGPROC_CHECK(store_->create_stream(group, stream));
  return json::object{};
}

LogsService::Output LogsService::delete_log_stream(const rpc::Call& call) {
  IMGPROC_TRY(auto group, group_of(call));
  IMGPROC_TRY(auto stream, stream_of(call));
  IMGPROC_CHECK(store_->delete_stream(group, stream));
  return json::object{};
}

LogsService::Output LogsService::describe_log_streams(const rpc::Call& call) {
  IMGPROC_TRY(auto group, group_of(call));
  bool by_time = call.text("orderBy", "LogStreamName") == "LastEventTime";
  std::string prefix = call.text("logStreamNamePrefix");
  if (by_time && !prefix.empty())
    return invalid_parameter("Cannot order by LastEventTime with a logStreamNamePrefix.");
  IMGPROC_TRY(auto streams, store_->streams(group, prefix));
  if (by_time)
    std::ranges::sort(streams, [](const LogStream& a, const LogStream& b) {
      return std::tie(a.last_event_at, a.name) < std::tie(b.last_event_at, b.name);
    });
  if (call.flag("descending")) std::ranges::reverse(streams);
  std::size_t from = 0;
  if (std::string token = call.text("nextToken"); !token.empty()) {
    auto index = base::parse_unsigned(token);
    if (!index || *index > streams.size())
      return invalid_parameter("The specified nextToken is invalid.");
    from = *index;
  }
  auto count_max = static_cast<std::size_t>(
      std::clamp(call.number("limit").value_or(kStreamsPageMax), 1.0, kStreamsPageMax));
  std::size_t to = std::min(streams.size(), from + count_max);
  json::array list;
  for (std::size_t i = from; i < to; ++i) {
    const LogStream& stream = streams[i];
    json::object item{
        {"logStreamName", stream.name},
        {"arn", fmt::format("{}:log-stream:{}", group_arn(call.caller, group), stream.name)},
        {"creationTime", to_ms(stream.created_at)},
        {"storedBytes", 0}};
    if (stream.first_event_at) item["firstEventTimestamp"] = to_ms(*stream.first_event_at);
    if (stream.last_event_at) item["lastEventTimestamp"] = to_ms(*stream.last_event_at);
    if (stream.last_ingestion_at) item["lastIngestionTime"] = to_ms(*stream.last_ingestion_at);
    list.push_back(std::move(item));
  }
  json::object out{{"logStreams", std::move(list)}};
  if (to < streams.size()) out["nextToken"] = std::to_string(to);
  return out;
}

LogsService::Output LogsService::put_log_events(const rpc::Call& call) {
  IMGPROC_TRY(auto group, group_of(call));
  IMGPROC_TRY(auto stream, stream_of(call));
  json::array given = call.list("logEvents");
  if (given.empty() || given.size() > kPutEventsMax)
    return invalid_parameter(fmt::format("logEvents must hold 1 to {} events", kPutEventsMax));
  auto now = context_.clock.now();
  std::vector<LogEvent> events;
  std::size_t bytes = 0;
  std::size_t too_old = 0;
  std::optional<std::size_t> too_new;
  std::int64_t last_ms = std::numeric_limits<std::int64_t>::min();
  for (std::size_t i = 0; i < given.size(); ++i) {
    const auto* item = given[i].if_object();
    auto time_ms = item == nullptr ? std::nullopt : base::json_int(*item, "timestamp");
    auto message = item == nullptr ? std::nullopt : base::json_string(*item, "message");
    if (!time_ms || *time_ms < 0 || !message || message->empty() ||
        message->size() > kMessageBytesMax)
      return invalid_parameter(
          "each of logEvents needs a timestamp and a message of 1 to 1048576 bytes");
    if (*time_ms < last_ms)
      return invalid_parameter(
          "Log events in a single PutLogEvents request must be in chronological order.");
    last_ms = *time_ms;
    bytes += message->size() + static_cast<std::size_t>(kEventOverheadBytes);
    if (bytes > kPutBytesMax)
      return invalid_parameter(
          fmt::format("Upload too large: {} bytes exceeds limit of {}", bytes, kPutBytesMax));
    LogEvent event;
    event.time = base::SystemTime{std::chrono::milliseconds{*time_ms}};
    event.message = *message;
    if (event.time > now + kFutureMax) {
      if (!too_new) too_new = i;
    } else if (event.time < now - kPastMax) {
      too_old = i + 1;
    } else {
      events.push_back(std::move(event));
    }
  }
  IMGPROC_CHECK(store_->put_events(group, stream, events));
  json::object out{{"nextSequenceToken", event_id(to_ms(now))}};
  json::object rejected;
  if (too_new) rejected["tooNewLogEventStartIndex"] = *too_new;
  if (too_old != 0) rejected["tooOldLogEventEndIndex"] = too_old;
  if (!rejected.empty()) out["rejectedLogEventsInfo"] = std::move(rejected);
  return out;
}

LogsService::Output LogsService::get_log_events(const rpc::Call& call) {
  EventQuery query;
  IMGPROC_TRY(query.group, group_of(call));
  IMGPROC_TRY(auto stream, stream_of(call));
  query.streams = {stream};
  query.start_ms = time_of(call, "startTime");
  query.end_ms = time_of(call, "endTime");
  query.count_max = static_cast<std::size_t>(
      std::clamp(call.number("limit").value_or(kEventsPageMax), 1.0, kEventsPageMax));
  query.backward = !call.flag("startFromHead");
  std::string token = call.text("nextToken");
  if (!token.empty()) {
    // f/… goes on to newer events, b/… to older ones.
    bool forward = token.starts_with("f/");
    query.from = forward || token.starts_with("b/") ? from_token(std::string_view(token).substr(2))
                                                    : std::nullopt;
    if (!query.from) return invalid_parameter("The specified nextToken is invalid.");
    query.backward = !forward;
  }
  IMGPROC_TRY(auto page, store_->events(query));
  if (query.backward) std::ranges::reverse(page.events);
  json::array events;
  for (const LogEvent& event : page.events)
    events.push_back(json::object{{"timestamp", to_ms(event.time)},
                                  {"message", event.message},
                                  {"ingestionTime", to_ms(event.ingested_at)}});
  // The same token comes back when there is nothing more: that is how clients see the end.
  Position here =
      query.from.value_or(Position{query.backward ? to_ms(context_.clock.now()) : 0, 0});
  Position newest =
      page.events.empty() ? here : Position{to_ms(page.events.back().time), page.events.back().id};
  Position oldest = page.events.empty()
                        ? here
                        : Position{to_ms(page.events.front().time), page.events.front().id};
  return json::object{{"events", std::move(events)},
                      {"nextForwardToken", "f/" + to_token(newest)},
                      {"nextBackwardToken", "b/" + to_token(oldest)}};
}

LogsService::Output LogsService::filter_log_events(const rpc::Call& call) {
  EventQuery query;
  IMGPROC_TRY(query.group, group_of(call));
  IMGPROC_TRY(auto pattern, FilterPattern::parse(call.text("filterPattern")));
  query.filter = &pattern;
  for (const json::value& name : call.list("logStreamNames"))
    if (name.is_string()) query.streams.emplace_back(name.get_string());
  query.stream_prefix = call.text("logStreamNamePrefix");
  if (!query.streams.empty() && !query.stream_prefix.empty())
    return invalid_parameter("logStreamNames and logStreamNamePrefix must not both be given");
  query.start_ms = time_of(call, "startTime");
  query.end_ms = time_of(call, "endTime");
  // Here, unlike in GetLogEvents, an event at endTime itself counts.
  if (query.end_ms) ++*query.end_ms;
  query.count_max = static_cast<std::size_t>(
      std::clamp(call.number("limit").value_or(kEventsPageMax), 1.0, kEventsPageMax));
  if (std::string token = call.text("nextToken"); !token.empty()) {
    query.from = from_token(token);
    if (!query.from) return invalid_parameter("The specified nextToken is invalid.");
  }
  IMGPROC_TRY(auto page, store_->events(query));
  json::array events;
  for (const LogEvent& event : page.events)
    events.push_back(json::object{{"logStreamName", event.stream},
                                  {"timestamp", to_ms(event.time)},
                                  {"message", event.message},
                                  {"ingestionTime", to_ms(event.ingested_at)},
                                  {"eventId", event_id(event.id)}});
  // searchedLogStreams is deprecated and empty on AWS too.
  json::object out{{"events", std::move(events)}, {"searchedLogStreams", json::array{}}};
  if (page.more) out["nextToken"] = to_token(*page.more);
  return out;
}

}  // namespace imgproc::localcloud::logs
