#include "localcloud/s3/notification.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/bytes.h"
#include "base/random.h"
#include "localcloud/s3/errors.h"
#include "localcloud/s3/request_body.h"
#include "localcloud/s3/xml.h"
#include "protocol/s3_event.h"

namespace imgproc::localcloud::s3 {
namespace {

constexpr const char* kKind = "notification";

struct KindNames {
  TargetKind kind;
  const char* element;
  const char* arn;
};
constexpr std::array<KindNames, 3> kKinds{{
    {TargetKind::topic, "TopicConfiguration", "Topic"},
    {TargetKind::queue, "QueueConfiguration", "Queue"},
    {TargetKind::function, "CloudFunctionConfiguration", "CloudFunction"},
}};

constexpr std::array<std::string_view, 26> kEvents{
    "s3:ObjectCreated:*",
    "s3:ObjectCreated:Put",
    "s3:ObjectCreated:Post",
    "s3:ObjectCreated:Copy",
    "s3:ObjectCreated:CompleteMultipartUpload",
    "s3:ObjectRemoved:*",
    "s3:ObjectRemoved:Delete",
    "s3:ObjectRemoved:DeleteMarkerCreated",
    "s3:ObjectTagging:*",
    "s3:ObjectTagging:Put",
    "s3:ObjectTagging:Delete",
    "s3:ObjectAcl:Put",
    "s3:ObjectRestore:*",
    "s3:ObjectRestore:Post",
    "s3:ObjectRestore:Completed",
    "s3:ObjectRestore:Delete",
    "s3:ReducedRedundancyLostObject",
    "s3:Replication:*",
    "s3:Replication:OperationFailedReplication",
    "s3:Replication:OperationMissedThreshold",
    "s3:Replication:OperationReplicatedAfterThreshold",
    "s3:Replication:OperationNotTracked",
    "s3:LifecycleExpiration:*",
    "s3:LifecycleExpiration:Delete",
    "s3:LifecycleTransition",
    "s3:IntelligentTiering",
};

base::Status parse_filter(pugi::xml_node rule, NotificationTarget& target) {
  bool has_prefix = false;
  bool has_suffix = false;
  for (pugi::xml_node filter : rule.child("Filter").child("S3Key").children("FilterRule")) {
    std::string name = base::to_lower(filter.child_value("Name"));
    bool& seen = name == "prefix" ? has_prefix : has_suffix;
    if (name != "prefix" && name != "suffix")
      return invalid_argument("filter rule name must be either prefix or suffix");
    if (seen)
      return invalid_argument(
          fmt::format("Cannot specify more than one {} rule in a filter.", name));
    seen = true;
    std::string value = filter.child_value("Value");
    if (value.size() > 1024)
      return invalid_argument("Size of filter rule value cannot exceed 1024 bytes in UTF-8");
    (name == "prefix" ? target.prefix : target.suffix) = std::move(value);
  }
  return {};
}

base::Status parse_target(pugi::xml_node rule, const KindNames& names, NotificationConfig& config) {
  NotificationTarget target{.kind = names.kind};
  target.id = rule.child_value("Id");
  if (target.id.empty()) target.id = base::random_uuid();
  target.arn = rule.child_value(names.arn);
  if (!target.arn.starts_with("arn:")) return invalid_argument("The ARN could not be parsed");
  for (pugi::xml_node event : rule.children("Event")) {
    std::string name = event.child_value();
    if (std::ranges::find(kEvents, name) == kEvents.end())
      return invalid_argument("A specified event is not supported for notifications: " + name);
    target.events.push_back(std::move(name));
  }
  if (target.events.empty()) return malformed_xml("a rule needs at least one Event");
  IMGPROC_CHECK(parse_filter(rule, target));
  config.targets.push_back(std::move(target));
  return {};
}

/// Both could match the same key: one prefix continues the other, one suffix ends with the other.
bool filters_overlap(const NotificationTarget& a, const NotificationTarget& b) {
  return (a.prefix.starts_with(b.prefix) || b.prefix.starts_with(a.prefix)) &&
         (a.suffix.ends_with(b.suffix) || b.suffix.ends_with(a.suffix));
}

bool events_overlap(const NotificationTarget& a, const NotificationTarget& b) {
  for (const std::string& x : a.events)
    for (const std::string& y : b.events)
      if (event_matches(x, y) || event_matches(y, x)) return true;
  return false;
}

base::Status check_overlaps(const NotificationConfig& config) {
  for (std::size_t i = 0; i < config.targets.size(); ++i)
    for (std::size_t k = 0; k < i; ++k) {
      const NotificationTarget& a = config.targets[i];
      const NotificationTarget& b = config.targets[k];
      if (a.id == b.id)
        return invalid_argument("Same ID used for multiple configurations. IDs must be unique");
      if (filters_overlap(a, b) && events_overlap(a, b))
        return invalid_argument(
            "Configuration is ambiguously defined. Cannot have overlapping suffixes in two rules "
            "if the prefixes are overlapping for the same event type.");
    }
  return {};
}

}  // namespace

base::Result<NotificationConfig> parse_notification(std::string_view xml) {
  pugi::xml_document document;
  IMGPROC_CHECK(parse_xml(xml, "NotificationConfiguration", document));
  NotificationConfig config;
  for (pugi::xml_node rule : document.document_element().children()) {
    if (rule.type() != pugi::node_element) continue;
    std::string_view name = rule.name();
    if (name == "EventBridgeConfiguration") {
      config.event_bridge = true;
      continue;
    }
    auto names = std::ranges::find(kKinds, name, &KindNames::element);
    if (names == kKinds.end()) return malformed_xml("unknown element " + std::string(name));
    if (config.targets.size() == kNotificationsMax)
      return invalid_argument(fmt::format("more than {} notification rules", kNotificationsMax));
    IMGPROC_CHECK(parse_target(rule, *names, config));
  }
  IMGPROC_CHECK(check_overlaps(config));
  return config;
}

std::string notification_xml(const NotificationConfig& config) {
  XmlWriter xml("NotificationConfiguration");
  for (const KindNames& names : kKinds)
    for (const NotificationTarget& target : config.targets) {
      if (target.kind != names.kind) continue;
      xml.open(names.element).element("Id", target.id).element(names.arn, target.arn);
      for (const std::string& event : target.events) xml.element("Event", event);
      if (!target.prefix.empty() || !target.suffix.empty()) {
        xml.open("Filter").open("S3Key");
        auto rule = [&](std::string_view name, const std::string& value) {
          if (value.empty()) return;
          xml.open("FilterRule").element("Name", name).element("Value", value).close("FilterRule");
        };
        rule("prefix", target.prefix);
        rule("suffix", target.suffix);
        xml.close("S3Key").close("Filter");
      }
      xml.close(names.element);
    }
  if (config.event_bridge) xml.raw("<EventBridgeConfiguration/>");
  return xml.finish();
}

bool event_matches(std::string_view pattern, std::string_view event) {
  if (!pattern.ends_with('*')) return pattern == event;
  return event.starts_with(pattern.substr(0, pattern.size() - 1));
}

bool target_matches(const NotificationTarget& target, std::string_view event,
                    std::string_view key) {
  return key.starts_with(target.prefix) && key.ends_with(target.suffix) &&
         std::ranges::any_of(target.events, [&](const std::string& pattern) {
           return event_matches(pattern, event);
         });
}

base::Result<bool> notify(Core& core, Connection& connection, const Caller& caller,
                          const Bucket& bucket, const ObjectEvent& event) {
  IMGPROC_TRY(auto text, load_config(connection, bucket.name, kKind));
  if (!text) return false;
  IMGPROC_TRY(NotificationConfig config, parse_notification(*text));
  bool any = false;
  for (const NotificationTarget& target : config.targets) {
    if (!target_matches(target, event.name, event.key)) continue;
    std::string payload =
        notification_event(bucket, event, target.id, caller, core.context.clock.now());
    if (target.kind == TargetKind::function) {
      IMGPROC_CHECK(core.events.functions.enqueue(connection, target.arn, payload));
    } else if (target.kind == TargetKind::queue && core.events.queues != nullptr) {
      // A queue that is gone loses its events, as on AWS; the upload itself must not fail for it.
      auto sent = core.events.queues->send(connection, target.arn, payload, {});
      if (!sent && sent.error().code != "QueueDoesNotExist") return std::unexpected(sent.error());
    }
    any = true;
  }
  if (config.event_bridge && core.events.bus != nullptr) {
    if (auto bridged = bridge_event(bucket, event, caller)) {
      IMGPROC_CHECK(core.events.bus->put_event(connection, std::move(*bridged)));
      any = true;
    }
  }
  return any;
}

Answer get_bucket_notification(Core& core, Operation& operation) {
  std::optional<std::string> text;
  IMGPROC_CHECK(core.context.database.read([&](Connection& connection) -> base::Status {
    IMGPROC_TRY([[maybe_unused]] Bucket bucket, require_bucket(connection, operation.bucket));
    IMGPROC_TRY(text, load_config(connection, operation.bucket, kKind));
    return {};
  }));
  return xml_response(text ? std::move(*text) : notification_xml({}));
}

Answer put_bucket_notification(Core& core, Operation& operation) {
  IMGPROC_TRY(std::string text, read_text_body(operation));
  IMGPROC_TRY(NotificationConfig config, parse_notification(text));
  bool check = !base::equals_ignoring_case(
      operation.header_or_empty("x-amz-skip-destination-validation"), "true");
  // Outside of the transaction: the sink looks into the same store.
  for (const NotificationTarget& target : config.targets) {
    if (target.kind == TargetKind::topic)
      return not_implemented("Bucket notifications to SNS topics");
    bool exists = target.kind == TargetKind::function
                      ? core.events.functions.has_function(target.arn)
                      : core.events.queues != nullptr && core.events.queues->has_queue(target.arn);
    std::string_view why;
    if (!exists) {
      why = "it does not exist";
    } else if (target.kind == TargetKind::function &&
               !core.events.functions.lets_invoke(target.arn, "s3.amazonaws.com",
                                                  "arn:aws:s3:::" + operation.bucket)) {
      why = "its policy does not let s3.amazonaws.com invoke it for this bucket";
    }
    if (check && !why.empty())
      return invalid_argument(
          fmt::format("Unable to validate the following destination configurations: {}, {}: {}",
                      target.id, target.arn, why));
  }
  bool tried_queues = false;
  IMGPROC_CHECK(core.context.database.write([&](Connection& connection) -> base::Status {
    IMGPROC_TRY([[maybe_unused]] Bucket bucket, require_bucket(connection, operation.bucket));
    if (config.targets.empty() && !config.event_bridge)
      return erase_config(connection, operation.bucket, kKind);
    IMGPROC_CHECK(save_config(connection, operation.bucket, kKind, notification_xml(config)));
    // S3 tries every queue with a test event, which consumers skip.
    for (const NotificationTarget& target : config.targets) {
      if (target.kind != TargetKind::queue || core.events.queues == nullptr || !check) continue;
      IMGPROC_CHECK(core.events.queues->send(
          connection, target.arn,
          protocol::build_s3_test_event(operation.bucket, core.context.clock.now(),
                                        operation.caller.request_id, operation.caller.request_id),
          {}));
      tried_queues = true;
    }
    return {};
  }));
  if (tried_queues) core.events.wake();
  return http::Response{};
}

}  // namespace imgproc::localcloud::s3
