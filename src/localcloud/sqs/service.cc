#include "localcloud/sqs/service.h"

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/json.h"
#include "localcloud/sqs/limits.h"

namespace imgproc::localcloud::sqs {
namespace json = boost::json;
namespace {

/// What the RedrivePolicy says, a JSON text in the attributes; nullopt without one that counts.
std::optional<Redrive> redrive_of(const json::object& attributes) {
  auto text = base::json_string(attributes, "RedrivePolicy");
  if (!text) return std::nullopt;
  auto policy = base::parse_json(*text);
  if (!policy || !policy->is_object()) return std::nullopt;
  const json::object& members = policy->get_object();
  auto target = base::json_string(members, "deadLetterTargetArn");
  std::optional<std::int64_t> limit = base::json_int(members, "maxReceiveCount");
  // Terraform and the console send a number, some clients a text.
  if (auto digits = base::json_string(members, "maxReceiveCount"))
    limit = static_cast<std::int64_t>(base::parse_unsigned(*digits).value_or(0));
  if (!target || !limit || *limit <= 0) return std::nullopt;
  return Redrive{std::string(queue_name_of_arn(*target)), static_cast<int>(*limit)};
}

}  // namespace

std::string_view queue_name_of_arn(std::string_view arn) {
  if (!arn.starts_with("arn:aws:sqs:")) return {};
  return arn.substr(arn.rfind(':') + 1);
}

int int_attribute(const json::object& attributes, std::string_view name, int fallback) {
  auto text = base::json_string(attributes, name);
  auto number = text ? base::parse_unsigned(*text) : std::nullopt;
  return number && *number <= 1U << 30 ? static_cast<int>(*number) : fallback;
}

base::Result<std::unique_ptr<SqsService>> SqsService::create(Context& context) {
  IMGPROC_CHECK(MessageStore::create_schema(context.database));
  IMGPROC_TRY(Documents documents, Documents::open(context.database, "sqs"));
  return std::unique_ptr<SqsService>(new SqsService(context, std::move(documents)));
}

SqsService::SqsService(Context& context, Documents documents)
    : context_(context), documents_(std::move(documents)) {
  description_.target_prefix = "AmazonSQS";
  // Old clients look for the query protocol's code: AWS sends it in a header beside the JSON one.
  description_.decorate_error = [](const base::Error& error, http::Response& response) {
    std::string code =
        error.code == "QueueDoesNotExist" ? "AWS.SimpleQueueService.NonExistentQueue" : error.code;
    response.headers.set("x-amzn-query-error",
                         code + (response.status >= 500 ? ";Receiver" : ";Sender"));
  };
  register_queue_operations();
  register_message_operations();
}

http::Response SqsService::handle(const Caller& caller, http::Request request) {
  return rpc::dispatch(description_, caller, std::move(request));
}

void SqsService::stop() {
  std::lock_guard guard(mutex_);
  stopping_ = true;
  arrived_.notify_all();
}

base::Result<SqsService::Queue> SqsService::load_queue(std::string_view name) {
  IMGPROC_TRY(auto document, documents_.get("queue", name));
  if (!document)
    return base::permanent("QueueDoesNotExist",
                           fmt::format("The specified queue does not exist: {}", name));
  const json::object* attributes = base::json_object(*document, "attributes");
  const json::object* tags = base::json_object(*document, "tags");
  return Queue{std::string(name), attributes ? *attributes : json::object{},
               tags ? *tags : json::object{}};
}

base::Result<SqsService::Queue> SqsService::find_queue(const rpc::Call& call) {
  IMGPROC_TRY(std::string url, call.require("QueueUrl"));
  return load_queue(std::string_view(url).substr(url.rfind('/') + 1));
}

bool SqsService::has_queue(std::string_view queue_arn) {
  std::string_view name = queue_name_of_arn(queue_arn);
  return !name.empty() && load_queue(name).has_value();
}

base::Status SqsService::send(Connection& transaction, std::string_view queue_arn,
                              std::string_view body, const json::object& message_attributes) {
  std::string_view name = queue_name_of_arn(queue_arn);
  IMGPROC_TRY(auto exists,
              transaction.prepare(
                  "SELECT 1 FROM documents WHERE service='sqs' AND kind='queue' AND name=?1"));
  exists.bind(1, name);
  IMGPROC_TRY(bool found, exists.step());
  if (!found)
    return base::permanent("QueueDoesNotExist",
                           fmt::format("The specified queue does not exist: {}", queue_arn));
  IMGPROC_TRY(std::string id, MessageStore::send(transaction, name, body, message_attributes,
                                                 context_.clock.now(), std::chrono::seconds{0}));
  return {};
}

void SqsService::measure(MetricSink& sink) {
  auto queues = documents_.list("queue");
  if (!queues) return;
  base::SystemTime now = context_.clock.now();
  for (const auto& [name, document] : *queues) {
    MessageCounts counts;
    auto status = context_.database.read([&](Connection& connection) -> base::Status {
      IMGPROC_TRY(counts, MessageStore::count(connection, name, now));
      return {};
    });
    if (!status) continue;
    Dimensions dimensions{{"QueueName", name}};
    auto put = [&](std::string_view metric, std::int64_t value) {
      sink.put("AWS/SQS", metric, dimensions, static_cast<double>(value));
    };
    put("ApproximateNumberOfMessagesVisible", counts.visible);
    put("ApproximateNumberOfMessagesNotVisible", counts.in_flight);
    put("ApproximateNumberOfMessagesDelayed", counts.delayed);
    put("ApproximateAgeOfOldestMessage",
        std::chrono::duration_cast<std::chrono::seconds>(counts.oldest_age).count());
  }
}

void SqsService::wake() {
  std::lock_guard guard(mutex_);
  ++arrivals_;
  arrived_.notify_all();
}

base::Result<std::vector<QueueMessage>> SqsService::receive(
    std::string_view queue_arn, int count, std::optional<std::chrono::seconds> visibility,
    std::chrono::milliseconds wait) {
  IMGPROC_TRY(Queue queue, load_queue(queue_name_of_arn(queue_arn)));
  return receive_from(queue, count,
                      visibility.value_or(std::chrono::seconds{
                          int_attribute(queue.attributes, "VisibilityTimeout", 30)}),
                      wait);
}

base::Result<std::vector<QueueMessage>> SqsService::receive_from(const Queue& queue, int count,
                                                                 std::chrono::seconds visibility,
                                                                 std::chrono::milliseconds wait) {
  // A message that becomes visible again announces itself to nobody, so waiters look this often.
  constexpr std::chrono::milliseconds kLookAgain{500};
  const std::optional<Redrive> redrive = redrive_of(queue.attributes);
  std::chrono::seconds retention{int_attribute(queue.attributes, "MessageRetentionPeriod", 345600)};
  base::SteadyTime deadline = context_.clock.steady() + wait;
  for (;;) {
    std::uint64_t seen;
    {
      std::lock_guard guard(mutex_);
      seen = arrivals_;
      if (stopping_) return std::vector<QueueMessage>{};
    }
    std::vector<QueueMessage> messages;
    IMGPROC_CHECK(context_.database.write([&](Connection& connection) -> base::Status {
      IMGPROC_TRY(messages, MessageStore::receive(connection, queue.name, count, visibility,
                                                  retention, redrive, context_.clock.now()));
      return {};
    }));
    if (!messages.empty() || context_.clock.steady() >= deadline) return messages;
    std::unique_lock lock(mutex_);
    context_.clock.wait_until(lock, arrived_,
                              std::min(deadline, context_.clock.steady() + kLookAgain),
                              [&] { return arrivals_ != seen || stopping_; });
  }
}

base::Status SqsService::remove(std::string_view queue_arn, std::string_view receipt_handle) {
  return context_.database.write([&](Connection& connection) -> base::Status {
    IMGPROC_TRY(bool removed,
                MessageStore::remove(connection, queue_name_of_arn(queue_arn), receipt_handle));
    static_cast<void>(removed);
    return {};
  });
}

}  // namespace imgproc::localcloud::sqs
