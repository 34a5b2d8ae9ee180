#pragma once
// Bucket notifications: the configuration, and the events that follow from it.
// Source: AWS, "Configuring event notifications" and "Event message structure" (version 2.1).

#include <boost/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "localcloud/s3/index.h"
#include "localcloud/s3/operation.h"

namespace imgproc::localcloud::s3 {

inline constexpr std::size_t kNotificationsMax = 100;

enum class TargetKind { function, queue, topic };

/// One rule: which events of which keys go where.
struct NotificationTarget {
  TargetKind kind = TargetKind::function;
  std::string id;
  std::string arn;
  /// "s3:ObjectCreated:*" …
  std::vector<std::string> events;
  std::string prefix;
  std::string suffix;
};

struct NotificationConfig {
  std::vector<NotificationTarget> targets;
  bool event_bridge = false;
};

/// Parses and checks <NotificationConfiguration> (ids are given to rules without one). Errors
/// MalformedXML, InvalidArgument with AWS's texts, also for rules that overlap.
[[nodiscard]] base::Result<NotificationConfig> parse_notification(std::string_view xml);
[[nodiscard]] std::string notification_xml(const NotificationConfig& config);

/// "s3:ObjectCreated:*" matches "s3:ObjectCreated:Put".
[[nodiscard]] bool event_matches(std::string_view pattern, std::string_view event);
[[nodiscard]] bool target_matches(const NotificationTarget& target, std::string_view event,
                                  std::string_view key);

/// What happened to an object.
struct ObjectEvent {
  /// With its prefix: "s3:ObjectCreated:Put".
  std::string_view name;
  std::string_view key;
  std::uint64_t bytes = 0;
  std::string_view etag;
  /// Empty in buckets without versioning.
  std::string_view version_id;
  std::int64_t sequence = 0;
};

/// The event in EventBridge's form ("Object Created", "Object Deleted"); nullopt for kinds that S3
/// does not send there. Source: AWS, "EventBridge event message structure".
[[nodiscard]] std::optional<boost::json::object> bridge_event(const Bucket& bucket,
                                                              const ObjectEvent& event,
                                                              const Caller& caller);

/// One event as the JSON that a function or a queue receives.
[[nodiscard]] std::string notification_event(const Bucket& bucket, const ObjectEvent& event,
                                             std::string_view configuration_id,
                                             const Caller& caller, base::SystemTime now);

/// Enqueues the event for every rule that wants it, in the caller's transaction. Returns whether
/// there was one: then EventSink::wake() is due after the commit.
[[nodiscard]] base::Result<bool> notify(Core& core, Connection& connection, const Caller& caller,
                                        const Bucket& bucket, const ObjectEvent& event);

}  // namespace imgproc::localcloud::s3
