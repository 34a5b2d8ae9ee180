#include "localcloud/cloud/cloud.h"

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/log.h"
#include "base/random.h"
#include "localcloud/cloud/authorization.h"

namespace imgproc::localcloud {
namespace {

/// The operation for log and metrics; S3 and Lambda, which have a path for it, count by method.
std::string operation_of(const Route& route, const http::Request& request) {
  return route.operation.empty() ? request.method : route.operation;
}

/// A bucket's encryption configuration.
constexpr std::size_t kEncryptionBytesMax = 64 * 1024;

bool is_session_key(std::string_view access_key_id) {
  return access_key_id.starts_with("ASIA");
}

}  // namespace

Cloud::Cloud(CloudOptions options, base::Clock& clock)
    : options_(std::move(options)), clock_(clock), started_at_(clock.now()) {}

base::Result<std::unique_ptr<Cloud>> Cloud::create(CloudOptions options, base::Clock& clock) {
  std::unique_ptr<Cloud> cloud(new Cloud(std::move(options), clock));
  IMGPROC_CHECK(cloud->open());
  return cloud;
}

base::Status Cloud::open() {
  std::error_code error;
  std::filesystem::create_directories(options_.data_dir, error);
  if (error)
    return base::system_error("cannot create " + options_.data_dir.string(), error.value());
  // Holds secrets of sessions and whatever users upload.
  std::filesystem::permissions(options_.data_dir, std::filesystem::perms::owner_all, error);
  IMGPROC_TRY(database_, Database::open(options_.data_dir / "cloud.db", options_.durability));
  context_ =
      std::make_unique<Context>(Context{*database_, clock_, options_.data_dir, options_.region});

  IMGPROC_TRY(iam_, iam::IamService::create(*context_));
  auto to_sts = [](iam::Session&& session) {
    return sts::Session{std::move(session.access_key_id), std::move(session.secret_access_key),
                        std::move(session.session_token), std::move(session.role_name),
                        std::move(session.session_name),  session.expires_at};
  };
  sts_ = std::make_unique<sts::StsService>(sts::Sessions{
      .open = [this, to_sts](std::string_view role, std::string_view name,
                             std::chrono::seconds duration) -> base::Result<sts::Session> {
        IMGPROC_CHECK(iam_->sweep_sessions());
        IMGPROC_TRY(auto session, iam_->open_session(role, name, duration));
        return to_sts(std::move(session));
      },
      .find = [this, to_sts](std::string_view key) -> base::Result<std::optional<sts::Session>> {
        IMGPROC_TRY(auto session, iam_->find_session(key));
        if (!session) return std::nullopt;
        return to_sts(std::move(*session));
      }});
  IMGPROC_TRY(logs_, logs::LogsService::create(*context_));
  IMGPROC_TRY(sqs_, sqs::SqsService::create(*context_));

  lambda::LambdaOptions lambda;
  lambda.concurrency = options_.concurrency;
  lambda.retry_base_delay = options_.retry_base_delay;
  lambda.queues = sqs_.get();
  lambda.log = [this](std::string_view group, std::string_view stream, base::SystemTime time,
                      std::string_view line) {
    logs_->store().append(group, stream, time, line);
    if (options_.terminal) options_.terminal(group, line);
  };
  lambda.flush_log = [this] { logs_->store().flush(); };
  lambda.has_role = [this](std::string_view role) {
    std::string form = "Action=GetRole&Version=2010-05-08&RoleName=" +
                       base::percent_encode(role.substr(role.rfind('/') + 1));
    return iam_->handle({"", options_.region, base::random_uuid()},
                        {"POST", "/", {}, std::move(form)})
               .status == 200;
  };
  lambda.issue_credentials =
      [this](const lambda::FunctionVersion& function) -> base::Result<lambda::FunctionCredentials> {
    IMGPROC_CHECK(iam_->sweep_sessions());
    IMGPROC_TRY(auto session, iam_->open_session(function.settings.role, function.name,
                                                 lambda::kCredentialsLife));
    return lambda::FunctionCredentials{session.access_key_id, session.secret_access_key,
                                       session.session_token};
  };
  lambda.authorize = [this](std::string_view role_arn, std::string_view session,
                            std::string_view action, std::string_view resource) {
    return iam_->authorize(
        iam::Session{.role_name = std::string(role_arn.substr(role_arn.rfind('/') + 1)),
                     .session_name = std::string(session)},
        {std::string(action), std::string(resource), {{"aws:securetransport", {"true"}}}});
  };
  // CloudWatch is built later: its alarms call functions.
  lambda.publish_metric = [this](std::string_view metric, const std::string& function,
                                 double value) {
    if (cloudwatch_) cloudwatch_->put("AWS/Lambda", metric, {{"FunctionName", function}}, value);
  };
  IMGPROC_TRY(lambda_, lambda::LambdaService::create(*context_, std::move(lambda)));
  IMGPROC_TRY(sns_, sns::SnsService::create(*context_, *sqs_, *lambda_));
  IMGPROC_TRY(cloudwatch_,
              cloudwatch::CloudWatchService::create(*context_, sns_.get(), lambda_.get()));
  cloudwatch_->before_evaluation([this] { sqs_->measure(*cloudwatch_); });
  IMGPROC_TRY(events_, eventbridge::EventBridgeService::create(*context_, *sqs_, *lambda_));
  IMGPROC_TRY(kms_, kms::KmsService::create(*context_));
  dynamodb_ = std::make_unique<dynamodb::DynamoDbService>(*context_);
  IMGPROC_TRY(s3_, s3::S3Service::create(*context_, {*lambda_, sqs_.get(), events_.get()}));

  add_service("iam", *iam_);
  add_service("sts", *sts_);
  add_service("logs", *logs_);
  add_service("sqs", *sqs_);
  add_service("sns", *sns_);
  add_service("monitoring", *cloudwatch_);
  add_service("events", *events_);
  add_service("kms", *kms_);
  add_service("s3", *s3_);
  add_service("dynamodb", *dynamodb_);
  add_service("lambda", *lambda_);

  authenticator_ = std::make_unique<Authenticator>(
      options_.secrets,
      [this](std::string_view key) -> base::Result<std::optional<protocol::Credentials>> {
        IMGPROC_TRY(auto session, iam_->find_session(key));
        if (!session) return std::nullopt;
        return protocol::Credentials{session->access_key_id, session->secret_access_key,
                                     session->session_token};
      },
      clock_);
  return {};
}

Cloud::~Cloud() {
  stop();
}

void Cloud::start(const std::string& endpoint_url) {
  lambda_->start(endpoint_url, &internal_);
  cloudwatch_->start();
}

void Cloud::stop() {
  if (stopped_) return;
  stopped_ = true;
  if (cloudwatch_) cloudwatch_->stop();
  if (sqs_) sqs_->stop();
  if (lambda_) lambda_->stop();
}

base::Result<http::Response> Cloud::send(http::Request request) {
  return answer(std::move(request), false);
}

http::Response Cloud::answer(http::Request request, bool trusted) {
  if (request.path() == "/_health") return health();
  if (request.path() == "/_metrics") return metrics();
  auto began = clock_.steady();
  Route found = route(request);
  std::string operation = operation_of(found, request);
  std::string target(request.path());
  Caller caller{found.access_key_id, found.region.empty() ? options_.region : found.region,
                base::random_uuid()};
  http::Response response = call_service(found, caller, std::move(request), trusted);
  request_metrics_.count(found.service, operation, response.status);
  auto elapsed_ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(clock_.steady() - began).count();
  base::log(base::LogLevel::debug, "request",
            {{"service", found.service},
             {"operation", operation},
             {"path", target},
             {"status", response.status},
             {"ms", elapsed_ms},
             {"requestId", caller.request_id}});
  return response;
}

http::Response Cloud::call_service(const Route& route, Caller& caller, http::Request request,
                                   bool trusted) {
  // What error_response() needs of a request that is moved on.
  http::Request shape{request.method, request.target, {}, {}};
  auto fail = [&](const base::Error& error) {
    return error_response(route, error, shape, caller.request_id);
  };
  // The one door for exceptions. The answer is 501, which no SDK repeats: a bug must not become a
  // client's minutes of retries (Terraform's SDK repeats every other 5xx up to 25 times).
  std::optional<protocol::ChunkVerifier> chunks;
  try {
    if (options_.strict_auth && !trusted) {
      auto proven = authenticator_->verify(request, route);
      if (!proven) return fail(proven.error());
      chunks = std::move(*proven);
      if (chunks) caller.chunks = &*chunks;
    } else if (!trusted) {
      auto current = check_expiry(request, clock_.now());
      if (!current) return fail(current.error());
    }
    std::optional<iam::Session> session;
    std::optional<iam::AccessRequest> when_missing;
    if (!trusted && is_session_key(route.access_key_id)) {
      auto found = session_of(route);
      if (!found) return fail(found.error());
      session = std::move(*found);
      auto accesses = accesses_of(request, route, caller.region);
      if (!accesses) return fail(accesses.error());
      auto allowed = authorize(route, *session, *accesses);
      if (allowed && route.protocol == Protocol::s3)
        allowed = authorize(route, *session, key_accesses(*accesses, request, key_of_bucket()));
      if (!allowed) return fail(allowed.error());
      when_missing = access_to_know_missing(request, route);
    }
    auto service = services_.find(route.service);
    if (service == services_.end())
      return fail(
          {.code = "NotImplemented",
           .message = fmt::format("service {} is not supported by the local cloud", route.service),
           .http_status = 501});
    http::Response response = service->second(caller, std::move(request));
    if (response.status == 404 && when_missing) {
      auto allowed = authorize(route, *session, {*when_missing});
      if (!allowed) return fail(allowed.error());
    }
    return response;
  } catch (const std::exception& exception) {
    base::log_error("a request broke its handler", {{"service", route.service},
                                                    {"operation", route.operation},
                                                    {"path", shape.target},
                                                    {"requestId", caller.request_id},
                                                    {"exception", exception.what()}});
    return fail({.code = "InternalFailure",
                 .message = "the local cloud failed to handle this request; its log tells more",
                 .http_status = 501});
  }
}

KeyOfBucket Cloud::key_of_bucket() const {
  return [this](const std::string& bucket) -> std::string {
    http::Request request{
        "GET", fmt::format("/{}?encryption", bucket), {{"Host", "127.0.0.1"}}, {}};
    auto answer = s3_->handle({"", options_.region, base::random_uuid()}, std::move(request));
    if (answer.status != 200) return "";
    auto body = http::read_all(answer.body, kEncryptionBytesMax);
    return body ? key_in_encryption(*body) : "";
  };
}

base::Result<iam::Session> Cloud::session_of(const Route& route) const {
  auto session = iam_->find_session(route.access_key_id);
  if (!session && session.error().code == "ExpiredToken") return expired_key(route);
  if (!session) return std::unexpected(std::move(session).error());
  if (*session) return std::move(**session);
  // Any other key is the owner's without --strict-auth; but one that could only be a session's must
  // not gain rights by being wrong.
  auto error = unknown_key(route);
  error.error().message +=
      " Keys that begin with ASIA are temporary ones, and this one was not issued by this local "
      "cloud: use others, such as AWS_ACCESS_KEY_ID=test, without AWS_SESSION_TOKEN.";
  return error;
}

base::Status Cloud::authorize(const Route& route, const iam::Session& session,
                              const std::vector<iam::AccessRequest>& accesses) const {
  for (const iam::AccessRequest& access : accesses) {
    auto status = iam_->authorize(session, access);
    if (status) continue;
    base::Error error = std::move(status).error();
    // JSON and REST-JSON services spell it out; S3 and the query protocol do not.
    if (error.code == "AccessDenied" &&
        (route.protocol == Protocol::json || route.protocol == Protocol::rest_json))
      error.code = "AccessDeniedException";
    if (route.protocol == Protocol::json) error.http_status = 400;
    return std::unexpected(std::move(error));
  }
  return {};
}

}  // namespace imgproc::localcloud
