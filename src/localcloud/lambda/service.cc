#include "localcloud/lambda/service.h"

#include <fmt/format.h>

#include <array>
#include <thread>

#include "base/bytes.h"
#include "base/log.h"
#include "base/random.h"
#include "base/time.h"
#include "protocol/error_response.h"

namespace imgproc::localcloud::lambda {

namespace json = base::json;

const LambdaService::Route LambdaService::kRoutes[] = {
    {"POST", "2015-03-31/functions/{fn}/invocations", &LambdaService::invoke, false},
    {"POST", "2015-03-31/functions", &LambdaService::create_function, true},
    {"GET", "2015-03-31/functions", &LambdaService::list_functions, false},
    {"GET", "2015-03-31/functions/{fn}", &LambdaService::get_function, false},
    {"DELETE", "2015-03-31/functions/{fn}", &LambdaService::delete_function, false},
    {"GET", "2015-03-31/functions/{fn}/configuration", &LambdaService::get_function_configuration,
     false},
    {"PUT", "2015-03-31/functions/{fn}/configuration",
     &LambdaService::update_function_configuration, true},
    {"PUT", "2015-03-31/functions/{fn}/code", &LambdaService::update_function_code, true},
    {"GET", "2015-03-31/functions/{fn}/versions", &LambdaService::list_versions, false},
    {"POST", "2015-03-31/functions/{fn}/versions", &LambdaService::publish_version, true},
    {"GET", "2015-03-31/functions/{fn}/policy", &LambdaService::get_policy, false},
    {"POST", "2015-03-31/functions/{fn}/policy", &LambdaService::add_permission, true},
    {"DELETE", "2015-03-31/functions/{fn}/policy/{}", &LambdaService::remove_permission, false},
    {"PUT", "2017-10-31/functions/{fn}/concurrency", &LambdaService::put_concurrency, true},
    {"DELETE", "2017-10-31/functions/{fn}/concurrency", &LambdaService::delete_concurrency, false},
    {"GET", "2019-09-30/functions/{fn}/concurrency", &LambdaService::get_concurrency, false},
    {"PUT", "2019-09-25/functions/{fn}/event-invoke-config",
     &LambdaService::put_event_invoke_config, true},
    {"POST", "2019-09-25/functions/{fn}/event-invoke-config",
     &LambdaService::put_event_invoke_config, true},
    {"GET", "2019-09-25/functions/{fn}/event-invoke-config",
     &LambdaService::get_event_invoke_config, false},
    {"DELETE", "2019-09-25/functions/{fn}/event-invoke-config",
     &LambdaService::delete_event_invoke_config, false},
    {"GET", "2017-03-31/tags/{}", &LambdaService::list_tags, false},
    {"POST", "2017-03-31/tags/{}", &LambdaService::tag_resource, true},
    {"DELETE", "2017-03-31/tags/{}", &LambdaService::untag_resource, false},
    {"GET", "2020-06-30/functions/{fn}/code-signing-config",
     &LambdaService::get_code_signing_config, false},
    {"POST", "2015-03-31/event-source-mappings", &LambdaService::create_event_source_mapping, true},
    {"GET", "2015-03-31/event-source-mappings", &LambdaService::list_event_source_mappings, false},
    {"GET", "2015-03-31/event-source-mappings/{}", &LambdaService::get_event_source_mapping, false},
    {"PUT", "2015-03-31/event-source-mappings/{}", &LambdaService::update_event_source_mapping,
     true},
    {"DELETE", "2015-03-31/event-source-mappings/{}", &LambdaService::delete_event_source_mapping,
     false},
    {"GET", "2016-08-19/account-settings", &LambdaService::get_account_settings, false},
};

namespace {

/// Splits the raw path first and decodes each segment then: an ARN is one segment, %2F and all.
std::vector<std::string> split_path(std::string_view path) {
  std::vector<std::string> segments;
  while (!path.empty()) {
    if (path.front() == '/') {
      path.remove_prefix(1);
      continue;
    }
    std::size_t slash = path.find('/');
    segments.push_back(base::percent_decode(path.substr(0, slash)));
    path.remove_prefix(slash == std::string_view::npos ? path.size() : slash);
  }
  return segments;
}

/// Index of the {fn} segment if the path fits, -1 if there is none, nullopt if it does not fit.
std::optional<int> match(std::string_view pattern, const std::vector<std::string>& path) {
  int function_at = -1;
  std::size_t index = 0;
  for (;; ++index) {
    std::size_t slash = pattern.find('/');
    std::string_view part = pattern.substr(0, slash);
    if (index >= path.size()) return std::nullopt;
    if (part == "{fn}") {
      function_at = static_cast<int>(index);
    } else if (part != "{}" && part != path[index]) {
      return std::nullopt;
    }
    if (slash == std::string_view::npos) break;
    pattern.remove_prefix(slash + 1);
  }
  if (index + 1 != path.size()) return std::nullopt;
  return function_at;
}

}  // namespace

http::Response json_response(int status, const json::object& body) {
  http::Response response;
  response.status = status;
  response.headers.set("Content-Type", "application/json");
  response.body = json::serialize(body);
  return response;
}

http::Response empty_response(int status) {
  http::Response response;
  response.status = status;
  return response;
}

std::string new_trace_id(base::SystemTime now) {
  auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
  return fmt::format("Root=1-{:08x}-{};Parent={};Sampled=0", seconds, base::random_hex(12),
                     base::random_hex(8));
}

LambdaService::LambdaService(const Context& context, LambdaOptions options)
    : context_(context), options_(std::move(options)) {}

base::Result<std::unique_ptr<LambdaService>> LambdaService::create(const Context& context,
                                                                   LambdaOptions options) {
  if (options.concurrency == 0)
    options.concurrency = std::max(1U, std::thread::hardware_concurrency());
  std::unique_ptr<LambdaService> service(new LambdaService(context, std::move(options)));
  LambdaService& self = *service;
  self.metrics_.publish = self.options_.publish_metric;
  self.code_ = std::make_unique<CodeStore>(context.data_dir / "lambda" / "code");
  IMGPROC_TRY(self.registry_,
              Registry::open(context.database, context.clock, context.region, *self.code_));
  self.code_->remove_unused();
  IMGPROC_TRY(self.queue_, InvocationQueue::open(context.database, context.clock,
                                                 self.options_.retry_base_delay));
  PoolOptions pool{self.options_.concurrency, context.data_dir / "lambda" / "tmp",
                   self.options_.log,
                   [&self](const FunctionVersion& function, std::string_view stream) {
                     return self.may_log(function, stream);
                   },
                   self.options_.issue_credentials};
  self.pool_ = std::make_unique<EnvironmentPool>(std::move(pool), context.clock);
  self.dispatcher_ =
      std::make_unique<Dispatcher>(context.clock, *self.registry_, *self.queue_, *self.pool_,
                                   self.metrics_, self.options_.concurrency);
  self.pool_->on_release([&self] {
    if (self.options_.flush_log) self.options_.flush_log();
    self.code_->remove_unused();
    if (self.options_.queues != nullptr) self.options_.queues->wake();
    self.dispatcher_->wake();
  });
  self.queue_->on_dead_letter([&self](Connection& connection, const DeadLetter& letter) {
    return self.deliver_dead_letter(connection, letter);
  });
  if (self.options_.queues != nullptr) {
    auto invoke = [&self](const std::string& function_arn, std::string payload) {
      return self.invoke_for_queue(function_arn, std::move(payload));
    };
    auto may_read = [&self](const std::string& function_arn, const std::string& queue_arn) {
      return self.check_source(function_arn, queue_arn);
    };
    IMGPROC_TRY(self.mappings_,
                EventSourceMappings::create(context, *self.options_.queues, invoke, may_read));
  }
  return service;
}

LambdaService::~LambdaService() {
  stop();
}

void LambdaService::start(std::string endpoint_url, http::Exchange* objects) {
  objects_ = objects;
  pool_->set_endpoint_url(std::move(endpoint_url));
  dispatcher_->start();
  if (mappings_) {
    auto status = mappings_->start();
    if (!status)
      base::log_error("event source mappings do not run", {{"error", status.error().describe()}});
  }
}

void LambdaService::stop() {
  dispatcher_->request_stop();
  pool_->stop();
  if (mappings_) mappings_->stop();
  dispatcher_->join();
}

http::Response LambdaService::handle(const Caller& caller, http::Request request) {
  auto answer = dispatch(caller, request);
  if (!answer) return protocol::rest_json_error(answer.error(), caller.request_id);
  answer->headers.set("x-amzn-RequestId", caller.request_id);
  return std::move(*answer);
}

LambdaService::Answer LambdaService::dispatch(const Caller& caller, http::Request& request) {
  Call call{caller, request, split_path(request.path()), http::QueryParams(request.query()),
            {},     {}};
  const Route* found = nullptr;
  int function_at = -1;
  for (const Route& route : kRoutes) {
    if (route.method != request.method) continue;
    auto fits = match(route.path, call.path);
    if (!fits) continue;
    found = &route;
    function_at = *fits;
    break;
  }
  if (found == nullptr)
    return lambda_error("NotImplemented",
                        fmt::format("lambda {} {} is not supported by the local cloud",
                                    request.method, request.path()),
                        501);
  if (function_at >= 0) {
    IMGPROC_TRY(call.function,
                FunctionReference::parse(call.path[static_cast<std::size_t>(function_at)]));
    if (auto qualifier = call.query.get("Qualifier"); qualifier && !qualifier->empty()) {
      if (!call.function.qualifier.empty() && call.function.qualifier != *qualifier)
        return invalid_parameter(
            "The derived qualifier from the function name does not match the specified qualifier.");
      call.function.qualifier = *qualifier;
    }
  }
  if (found->has_json_body) {
    auto body = http::read_all(request.body, kControlBodyBytesMax);
    if (!body) {
      if (body.error().code != "BODY_TOO_LARGE") return std::unexpected(std::move(body).error());
      return lambda_error(
          "RequestEntityTooLargeException",
          fmt::format("Request must be smaller than {} bytes", kControlBodyBytesMax), 413);
    }
    auto parsed = base::parse_json(body->empty() ? "{}" : *body);
    if (!parsed || !parsed->is_object())
      return lambda_error("InvalidRequestContentException",
                          parsed ? "the body is not a JSON object" : parsed.error().message, 400);
    call.input = std::move(parsed->get_object());
  }
  return (this->*found->operation)(call);
}

base::Status LambdaService::enqueue(Connection& transaction, std::string_view function_arn,
                                    std::string_view payload) {
  IMGPROC_TRY(auto reference, FunctionReference::parse(function_arn));
  QueuedEvent event;
  event.request_id = base::random_uuid();
  event.function = reference.name;
  event.qualifier = reference.qualifier;
  event.payload = payload;
  event.trace_id = new_trace_id(context_.clock.now());
  // The change that caused the event stands, whether or not its function still does.
  if (!registry_->find(reference.name))
    return queue_->bury_new(
        transaction, std::move(event), "FunctionNotFound",
        {"ResourceNotFoundException", fmt::format("no function {}", function_arn), ""});
  return queue_->enqueue(transaction, event);
}

void LambdaService::wake() {
  dispatcher_->wake();
}

bool LambdaService::has_function(std::string_view function_arn) {
  auto reference = FunctionReference::parse(function_arn);
  return reference && registry_->resolve(*reference).has_value();
}

base::Status LambdaService::deliver_dead_letter(Connection& transaction, const DeadLetter& letter) {
  auto function = registry_->find(letter.event.function);
  if (!function || options_.queues == nullptr) return {};
  const std::string& queue = function->latest->settings.dead_letter_target;
  std::string destination = function->event_invoke ? function->event_invoke->on_failure : "";
  auto send = [&](const std::string& arn, const std::string& body,
                  const json::object& attributes) -> base::Status {
    if (arn.empty()) return {};
    auto status = may(*function->latest, "sqs:SendMessage", arn);
    if (status) status = options_.queues->send(transaction, arn, body, attributes);
    // The letter itself is kept in any case, so a missing queue must not stop the queue.
    if (!status)
      base::log_error("a dead letter's queue cannot take it",
                      {{"queue", arn}, {"error", status.error().describe()}});
    return {};
  };
  auto attribute = [](std::string_view type, std::string_view value) {
    return json::object{{"DataType", type}, {"StringValue", value}};
  };
  constexpr std::size_t kErrorMessageBytesMax = 1024;
  bool throttled = letter.failure.error_type == "TooManyRequestsException";
  IMGPROC_CHECK(send(
      queue, letter.event.payload,
      {{"RequestID", attribute("String", letter.event.request_id)},
       {"ErrorCode", attribute("Number", throttled ? "429" : "200")},
       {"ErrorMessage",
        attribute("String",
                  std::string_view(letter.failure.message).substr(0, kErrorMessageBytesMax))}}));
  auto as_json = [](const std::string& text) -> json::value {
    auto parsed = base::parse_json(text);
    return parsed ? std::move(*parsed) : json::value(text);
  };
  json::object record{
      {"version", "1.0"},
      {"timestamp", base::to_iso8601(letter.failed_at)},
      {"requestContext",
       json::object{{"requestId", letter.event.request_id},
                    {"functionArn", function->latest->arn() + ":" +
                                        (letter.event.qualifier.empty() ? std::string(kLatest)
                                                                        : letter.event.qualifier)},
                    {"condition", letter.condition},
                    {"approximateInvokeCount", letter.event.attempts}}},
      {"requestPayload", as_json(letter.event.payload)},
      {"responseContext",
       json::object{
           {"statusCode", 200}, {"executedVersion", kLatest}, {"functionError", "Unhandled"}}},
      {"responsePayload", as_json(letter.failure.response)}};
  return send(destination, json::serialize(record), {});
}

}  // namespace imgproc::localcloud::lambda
