#pragma once
// The whole local cloud: every service behind one Exchange.

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/clock.h"
#include "http/exchange.h"
#include "localcloud/cloud/authentication.h"
#include "localcloud/cloud/authorization.h"
#include "localcloud/cloud/request_metrics.h"
#include "localcloud/cloud/routing.h"
#include "localcloud/cloudwatch/service.h"
#include "localcloud/context.h"
#include "localcloud/dynamodb/service.h"
#include "localcloud/eventbridge/service.h"
#include "localcloud/iam/service.h"
#include "localcloud/kms/service.h"
#include "localcloud/lambda/service.h"
#include "localcloud/logs/service.h"
#include "localcloud/s3/service.h"
#include "localcloud/sns/service.h"
#include "localcloud/sqs/service.h"
#include "localcloud/store/database.h"
#include "localcloud/sts/sts_service.h"

namespace imgproc::localcloud {

struct CloudOptions {
  std::filesystem::path data_dir;
  std::string region = "us-east-1";
  /// Invocations at once; 0 = one for each core.
  std::size_t concurrency = 0;
  std::chrono::milliseconds retry_base_delay = lambda::kRetryBaseDelay;
  /// Requests must be signed with one of `secrets` (access key id to secret) or a session's key;
  /// otherwise any signature is taken, and none.
  bool strict_auth = false;
  std::map<std::string, std::string> secrets;
  Durability durability = Durability::process;
  /// Takes each line that a function prints, for the terminal; may be empty.
  std::function<void(std::string_view function_log_group, std::string_view line)> terminal;
};

/// Owns the database and the services, in the order in which they need each other. Thread-safe.
class Cloud final : public http::Exchange {
 public:
  /// Errors: DATA_DIR_IN_USE, SYSTEM_ERROR, those of the store.
  [[nodiscard]] static base::Result<std::unique_ptr<Cloud>> create(CloudOptions options,
                                                                   base::Clock& clock);
  ~Cloud() override;

  /// The address that functions reach this cloud at; events run from now on.
  void start(const std::string& endpoint_url);
  /// Ends long polls and invocations. Events under way run again with the next start.
  void stop();

  /// A request from outside.
  [[nodiscard]] base::Result<http::Response> send(http::Request request) override;
  /// The same for requests of our own, which need no signature (the standard stack, packages in
  /// S3).
  [[nodiscard]] http::Exchange& internal() { return internal_; }

 private:
  using Handler = std::function<http::Response(const Caller&, http::Request)>;
  struct Internal final : http::Exchange {
    explicit Internal(Cloud& owner) : cloud(owner) {}
    base::Result<http::Response> send(http::Request request) override {
      return cloud.answer(std::move(request), true);
    }
    Cloud& cloud;
  };

  Cloud(CloudOptions options, base::Clock& clock);
  base::Status open();
  template <class Service>
  void add_service(const char* name, Service& service) {
    services_[name] = [&service](const Caller& caller, http::Request request) {
      return service.handle(caller, std::move(request));
    };
  }
  http::Response answer(http::Request request, bool trusted);
  http::Response call_service(const Route& route, Caller& caller, http::Request request,
                              bool trusted);
  /// The session whose key signed the request. Errors: those of unknown_key() and expired_key().
  base::Result<iam::Session> session_of(const Route& route) const;
  /// Asks the policies of the session's role.
  base::Status authorize(const Route& route, const iam::Session& session,
                         const std::vector<iam::AccessRequest>& accesses) const;
  [[nodiscard]] KeyOfBucket key_of_bucket() const;
  // status_pages.cc
  http::Response health();
  http::Response metrics();

  CloudOptions options_;
  base::Clock& clock_;
  base::SystemTime started_at_;
  std::unique_ptr<Database> database_;
  std::unique_ptr<Context> context_;
  std::unique_ptr<iam::IamService> iam_;
  std::unique_ptr<sts::StsService> sts_;
  std::unique_ptr<logs::LogsService> logs_;
  std::unique_ptr<sqs::SqsService> sqs_;
  std::unique_ptr<lambda::LambdaService> lambda_;
  std::unique_ptr<sns::SnsService> sns_;
  std::unique_ptr<cloudwatch::CloudWatchService> cloudwatch_;
  std::unique_ptr<eventbridge::EventBridgeService> events_;
  std::unique_ptr<kms::KmsService> kms_;
  std::unique_ptr<dynamodb::DynamoDbService> dynamodb_;
  std::unique_ptr<s3::S3Service> s3_;
  std::unique_ptr<Authenticator> authenticator_;
  std::map<std::string, Handler, std::less<>> services_;
  RequestMetrics request_metrics_;
  Internal internal_{*this};
  bool stopped_ = false;
};

}  // namespace imgproc::localcloud
