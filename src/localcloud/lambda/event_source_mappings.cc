#include "localcloud/lambda/event_source_mappings.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "base/random.h"
#include "localcloud/lambda/function.h"

namespace imgproc::localcloud::lambda {

namespace json = base::json;

namespace {

std::unexpected<base::Error> no_such_mapping() {
  return lambda_error("ResourceNotFoundException", "The resource you requested does not exist.",
                      404);
}

int int_member(const json::object& object, std::string_view name, int fallback) {
  return static_cast<int>(base::json_int(object, name).value_or(fallback));
}

/// Members that create and update share; others are refused, not ignored.
base::Status apply(const json::object& input, json::object& mapping) {
  for (const auto& [name, value] : input) {
    if (name == "BatchSize" || name == "MaximumBatchingWindowInSeconds" ||
        name == "FunctionResponseTypes" || name == "ScalingConfig") {
      mapping[name] = value;
    } else if (name == "Enabled") {
      mapping["State"] = value == json::value(false) ? "Disabled" : "Enabled";
    } else if (name != "EventSourceArn" && name != "FunctionName" && name != "Tags" &&
               name != "UUID" && !value.is_null()) {
      return lambda_error(
          "NotImplemented",
          fmt::format("{} of an event source mapping is not supported by the local cloud",
                      std::string_view(name)),
          501);
    }
  }
  int batch = int_member(mapping, "BatchSize", 10);
  int window = int_member(mapping, "MaximumBatchingWindowInSeconds", 0);
  if (batch < 1 || batch > kBatchSizeMax)
    return invalid_parameter(fmt::format("BatchSize must be from 1 to {}.", kBatchSizeMax));
  if (window < 0 || window > kBatchingWindowSecondsMax)
    return invalid_parameter(fmt::format("MaximumBatchingWindowInSeconds must be from 0 to {}.",
                                         kBatchingWindowSecondsMax));
  if (batch > kBatchSizeWithoutWindowMax && window == 0)
    return invalid_parameter(
        "A BatchSize over 10 needs a MaximumBatchingWindowInSeconds of at least 1.");
  if (const json::object* scaling = base::json_object(mapping, "ScalingConfig");
      scaling != nullptr && !scaling->empty() && int_member(*scaling, "MaximumConcurrency", 2) < 2)
    return invalid_parameter("ScalingConfig.MaximumConcurrency must be at least 2.");
  return {};
}

bool reports_item_failures(const json::object& mapping) {
  const json::array* types = base::json_array(mapping, "FunctionResponseTypes");
  return types != nullptr &&
         std::ranges::find(*types, json::value("ReportBatchItemFailures")) != types->end();
}

}  // namespace

std::string build_sqs_event(const std::vector<QueueMessage>& messages, std::string_view queue_arn) {
  json::array records;
  std::string region(queue_arn.substr(0, queue_arn.rfind(':')));
  region = region.substr(0, region.rfind(':'));
  region = region.substr(region.rfind(':') + 1);
  for (const QueueMessage& message : messages) {
    json::object attributes;
    // Lambda writes the members of an attribute in camelCase.
    for (const auto& [name, value] : message.message_attributes) {
      json::object one;
      if (const auto* object = value.if_object()) {
        one["dataType"] = base::json_string(*object, "DataType").value_or("String");
        if (auto text = base::json_string(*object, "StringValue")) one["stringValue"] = *text;
        if (auto binary = base::json_string(*object, "BinaryValue")) one["binaryValue"] = *binary;
        one["stringListValues"] = json::array{};
        one["binaryListValues"] = json::array{};
      }
      attributes[name] = one;
    }
    records.push_back(json::object{{"messageId", message.message_id},
                                   {"receiptHandle", message.receipt_handle},
                                   {"body", message.body},
                                   {"attributes", message.attributes},
                                   {"messageAttributes", attributes},
                                   {"md5OfBody", message.md5_of_body},
                                   {"eventSource", "aws:sqs"},
                                   {"eventSourceARN", queue_arn},
                                   {"awsRegion", region}});
  }
  return json::serialize(json::object{{"Records", records}});
}

std::vector<std::string> failed_items(std::string_view answer,
                                      const std::vector<QueueMessage>& messages) {
  std::vector<std::string> all;
  for (const QueueMessage& message : messages) all.push_back(message.message_id);
  // An empty answer, null and an empty list all mean that everything succeeded.
  auto parsed = base::parse_json(answer.empty() ? "null" : answer);
  if (!parsed) return all;
  if (parsed->is_null()) return {};
  if (!parsed->is_object()) return all;
  const json::value* failures = parsed->get_object().if_contains("batchItemFailures");
  if (failures == nullptr || failures->is_null()) return {};
  if (!failures->is_array()) return all;
  std::vector<std::string> failed;
  for (const json::value& failure : failures->get_array()) {
    auto id = failure.is_object() ? base::json_string(failure.get_object(), "itemIdentifier")
                                  : std::nullopt;
    if (!id || std::ranges::find(all, *id) == all.end()) return all;
    failed.emplace_back(*id);
  }
  return failed;
}

base::Result<std::unique_ptr<EventSourceMappings>> EventSourceMappings::create(
    const Context& context, Queues& queues, Invoke invoke, MayRead may_read) {
  IMGPROC_TRY(Documents documents, Documents::open(context.database, "lambda"));
  return std::unique_ptr<EventSourceMappings>(new EventSourceMappings(
      context, queues, std::move(invoke), std::move(may_read), std::move(documents)));
}

EventSourceMappings::EventSourceMappings(const Context& context, Queues& queues, Invoke invoke,
                                         MayRead may_read, Documents documents)
    : context_(context),
      queues_(queues),
      invoke_(std::move(invoke)),
      may_read_(std::move(may_read)),
      documents_(std::move(documents)) {}

EventSourceMappings::~EventSourceMappings() {
  stop();
}

base::Status EventSourceMappings::start() {
  IMGPROC_TRY(auto mappings, documents_.list("mapping"));
  std::lock_guard guard(mutex_);
  started_ = true;
  for (const auto& [uuid, mapping] : mappings) start_pollers(uuid, mapping);
  return {};
}

void EventSourceMappings::stop() {
  std::vector<std::unique_ptr<Pollers>> ending;
  {
    std::lock_guard guard(mutex_);
    started_ = false;
    for (auto& [uuid, pollers] : pollers_) ending_.push_back(std::move(pollers));
    pollers_.clear();
    ending.swap(ending_);
  }
  for (auto& pollers : ending) pollers->stopping = true;
  {
    std::lock_guard guard(pause_mutex_);
    pause_ended_.notify_all();
  }
  for (auto& pollers : ending)
    for (std::thread& thread : pollers->threads) thread.join();
}

void EventSourceMappings::start_pollers(const std::string& uuid, const json::object& mapping) {
  if (!started_ || base::json_string(mapping, "State") != "Enabled") return;
  const json::object* scaling = base::json_object(mapping, "ScalingConfig");
  int count = scaling ? std::min(int_member(*scaling, "MaximumConcurrency", kPollersPerMapping),
                                 kPollersPerMapping)
                      : kPollersPerMapping;
  auto pollers = std::make_unique<Pollers>();
  for (int i = 0; i < count; ++i)
    pollers->threads.emplace_back(
        [this, mapping, &stopping = pollers->stopping] { poll(mapping, stopping); });
  pollers_[uuid] = std::move(pollers);
}

void EventSourceMappings::stop_pollers(const std::string& uuid) {
  auto found = pollers_.find(uuid);
  if (found == pollers_.end()) return;
  found->second->stopping = true;
  // A batch may take minutes: nobody who changes a mapping waits for it. stop() joins them.
  ending_.push_back(std::move(found->second));
  pollers_.erase(found);
}

void EventSourceMappings::poll(const json::object& mapping, const std::atomic<bool>& stopping) {
  std::string queue(base::json_string(mapping, "EventSourceArn").value_or(""));
  int batch = int_member(mapping, "BatchSize", 10);
  std::string function(base::json_string(mapping, "FunctionArn").value_or(""));
  std::chrono::seconds window{int_member(mapping, "MaximumBatchingWindowInSeconds", 0)};
  std::string told;
  while (!stopping) {
    if (auto allowed = may_read_(function, queue); !allowed) {
      // Told once, not at every look.
      if (std::string why = allowed.error().describe(); why != told) {
        base::log_warn("a queue is not read", {{"queue", queue}, {"error", why}});
        told = std::move(why);
      }
      pause(stopping);
      continue;
    }
    told.clear();
    auto messages = queues_.receive(queue, batch, std::nullopt, kPollWait);
    if (!messages || messages->empty()) {
      // Without a queue there is nothing to wait on.
      if (!messages && !stopping) pause(stopping);
      continue;
    }
    base::SteadyTime until = context_.clock.steady() + window;
    while (!stopping && static_cast<int>(messages->size()) < batch &&
           context_.clock.steady() < until) {
      auto wait = std::min<std::chrono::milliseconds>(
          kPollWait,
          std::chrono::duration_cast<std::chrono::milliseconds>(until - context_.clock.steady()));
      auto more =
          queues_.receive(queue, batch - static_cast<int>(messages->size()), std::nullopt, wait);
      if (!more) break;
      std::ranges::move(*more, std::back_inserter(*messages));
    }
    run_batch(mapping, std::move(*messages));
  }
}

/// The clock paces the next look.
void EventSourceMappings::pause(const std::atomic<bool>& stopping) {
  std::unique_lock lock(pause_mutex_);
  context_.clock.wait_until(lock, pause_ended_, context_.clock.steady() + kPollWait,
                            [&] { return stopping.load(); });
}

void EventSourceMappings::run_batch(const json::object& mapping,
                                    std::vector<QueueMessage> messages) {
  std::string queue(base::json_string(mapping, "EventSourceArn").value_or(""));
  std::string function(base::json_string(mapping, "FunctionArn").value_or(""));
  auto outcome = invoke_(function, build_sqs_event(messages, queue));
  if (!outcome || outcome->failed()) {
    base::log_warn("a batch failed and comes back after its visibility time-out",
                   {{"queue", queue},
                    {"messages", messages.size()},
                    {"error", outcome ? outcome->error_type : outcome.error().describe()}});
    return;
  }
  std::vector<std::string> failed;
  if (reports_item_failures(mapping)) failed = failed_items(outcome->payload, messages);
  for (const QueueMessage& message : messages) {
    if (std::ranges::find(failed, message.message_id) != failed.end()) continue;
    auto removed = queues_.remove(queue, message.receipt_handle);
    if (!removed)
      base::log_error("a message that was handled could not be deleted",
                      {{"queue", queue}, {"error", removed.error().describe()}});
  }
}

base::Result<json::object> EventSourceMappings::create_mapping(const json::object& input,
                                                               const std::string& function_arn,
                                                               std::string_view region) {
  auto queue = base::json_string(input, "EventSourceArn");
  if (!queue) return invalid_parameter("EventSourceArn is required.");
  if (!queue->starts_with("arn:aws:sqs:"))
    return lambda_error("NotImplemented",
                        "Event sources other than SQS queues are not supported by the local cloud",
                        501);
  if (!queues_.has_queue(*queue))
    return invalid_parameter(
        fmt::format("Error occurred while ReceiveMessage. SQS Error Code: "
                    "AWS.SimpleQueueService.NonExistentQueue ({})",
                    *queue));
  std::string uuid = base::random_uuid();
  json::object mapping{
      {"UUID", uuid},
      {"EventSourceArn", *queue},
      {"FunctionArn", function_arn},
      {"EventSourceMappingArn",
       fmt::format("arn:aws:lambda:{}:{}:event-source-mapping:{}", region, kAccountId, uuid)},
      {"BatchSize", 10},
      {"MaximumBatchingWindowInSeconds", 0},
      {"FunctionResponseTypes", json::array{}},
      {"State", "Enabled"},
      {"StateTransitionReason", "USER_INITIATED"},
      {"LastModified",
       static_cast<double>(context_.clock.now().time_since_epoch().count()) / 1000}};
  IMGPROC_CHECK(apply(input, mapping));
  IMGPROC_TRY(auto existing, documents_.list("mapping"));
  if (existing.size() >= kMappingsMax)
    return invalid_parameter(
        fmt::format("At most {} event source mappings are kept here.", kMappingsMax));
  for (const auto& [known, other] : existing)
    if (other.at("EventSourceArn") == mapping["EventSourceArn"] &&
        other.at("FunctionArn") == mapping["FunctionArn"])
      return lambda_error(
          "ResourceConflictException",
          fmt::format(
              "An event source mapping with SQS arn (\" {} \") and function (\" {} \") already "
              "exists. Please update or delete the existing mapping with UUID {}",
              *queue, function_arn, known),
          409);
  IMGPROC_CHECK(documents_.put("mapping", uuid, mapping));
  if (const json::object* tags = base::json_object(input, "Tags"))
    IMGPROC_CHECK(documents_.put("mapping-tags", uuid, *tags));
  std::lock_guard guard(mutex_);
  start_pollers(uuid, mapping);
  return mapping;
}

base::Result<json::object> EventSourceMappings::get_mapping(const std::string& uuid) const {
  IMGPROC_TRY(auto mapping, documents_.get("mapping", uuid));
  if (!mapping) return no_such_mapping();
  return std::move(*mapping);
}

base::Result<json::object> EventSourceMappings::list_mappings(std::string_view function_arn,
                                                              std::string_view queue_arn) const {
  IMGPROC_TRY(auto mappings, documents_.list("mapping"));
  json::array shown;
  for (auto& [uuid, mapping] : mappings) {
    if (!function_arn.empty() && mapping.at("FunctionArn") != json::value(function_arn)) continue;
    if (!queue_arn.empty() && mapping.at("EventSourceArn") != json::value(queue_arn)) continue;
    shown.push_back(std::move(mapping));
  }
  return json::object{{"EventSourceMappings", shown}};
}

base::Result<json::object> EventSourceMappings::update_mapping(const std::string& uuid,
                                                               const json::object& input,
                                                               const std::string& function_arn) {
  json::object changed;
  IMGPROC_CHECK(
      documents_.update("mapping", uuid, [&](std::optional<json::object>& mapping) -> base::Status {
        if (!mapping) return no_such_mapping();
        IMGPROC_CHECK(apply(input, *mapping));
        if (!function_arn.empty()) (*mapping)["FunctionArn"] = function_arn;
        (*mapping)["LastModified"] =
            static_cast<double>(context_.clock.now().time_since_epoch().count()) / 1000;
        changed = *mapping;
        return {};
      }));
  std::lock_guard guard(mutex_);
  stop_pollers(uuid);
  start_pollers(uuid, changed);
  return changed;
}

base::Result<json::object> EventSourceMappings::delete_mapping(const std::string& uuid) {
  IMGPROC_TRY(json::object mapping, get_mapping(uuid));
  IMGPROC_TRY([[maybe_unused]] bool removed, documents_.remove("mapping", uuid));
  IMGPROC_TRY([[maybe_unused]] bool had_tags, documents_.remove("mapping-tags", uuid));
  std::lock_guard guard(mutex_);
  stop_pollers(uuid);
  mapping["State"] = "Deleting";
  return mapping;
}

base::Result<Tags> EventSourceMappings::tags(const std::string& uuid) const {
  IMGPROC_TRY([[maybe_unused]] auto mapping, get_mapping(uuid));
  IMGPROC_TRY(auto document, documents_.get("mapping-tags", uuid));
  Tags tags;
  if (document)
    for (const auto& [key, value] : *document)
      if (value.is_string()) tags[std::string(key)] = std::string(value.get_string());
  return tags;
}

base::Status EventSourceMappings::change_tags(const std::string& uuid,
                                              const std::function<base::Status(Tags&)>& change) {
  std::lock_guard guard(tags_mutex_);
  IMGPROC_TRY(Tags changed, tags(uuid));
  IMGPROC_CHECK(change(changed));
  json::object document;
  for (const auto& [key, value] : changed) document[key] = value;
  return documents_.put("mapping-tags", uuid, document);
}

}  // namespace imgproc::localcloud::lambda
