// What Lambda does in the name of a function's role: it writes the log, reads the queue that feeds
// the function and fills the one for its dead letters. AWS checks some of it when the function is
// configured; the rest fails when it is done.
// Source: "Lambda execution role" and the pages of each feature in the Lambda developer guide.

#include <fmt/format.h>

#include "base/log.h"
#include "localcloud/lambda/service.h"

namespace imgproc::localcloud::lambda {
namespace {

/// AWS's sentence, with what IAM says behind it.
std::unexpected<base::Error> refused(std::string_view sentence, const base::Error& why) {
  return invalid_parameter(fmt::format("{} ({})", sentence, why.message));
}

}  // namespace

base::Status LambdaService::may(const FunctionVersion& function, std::string_view action,
                                std::string_view resource) const {
  if (!options_.authorize) return {};
  return options_.authorize(function.settings.role, function.name, action, resource);
}

bool LambdaService::may_log(const FunctionVersion& function, std::string_view stream) const {
  std::string arn = fmt::format("arn:aws:logs:{}:{}:log-group:{}:log-stream:{}", function.region,
                                kAccountId, function.log_group(), stream);
  for (std::string_view action : {"logs:CreateLogStream", "logs:PutLogEvents"}) {
    auto allowed = may(function, action, arn);
    if (allowed) continue;
    base::log_warn("a function's log is lost, as it would be on AWS",
                   {{"function", function.name}, {"error", allowed.error().describe()}});
    return false;
  }
  return true;
}

base::Status LambdaService::check_settings(const FunctionVersion& function) const {
  const FunctionSettings& settings = function.settings;
  if (const std::string& target = settings.dead_letter_target; !target.empty()) {
    if (!target.starts_with("arn:aws:sqs:"))
      return lambda_error("NotImplemented",
                          "only SQS queues are supported as dead-letter target by the local cloud",
                          501);
    if (auto allowed = may(function, "sqs:SendMessage", target); !allowed)
      return refused(
          "The provided execution role does not have permissions to call SendMessage on SQS",
          allowed.error());
  }
  if (settings.tracing_mode == "Active")
    for (std::string_view name : {"PutTraceSegments", "PutTelemetryRecords"})
      if (auto allowed = may(function, fmt::format("xray:{}", name), "*"); !allowed)
        return refused(
            fmt::format("The provided execution role does not have permissions to call {} on XRAY",
                        name),
            allowed.error());
  return {};
}

base::Status LambdaService::check_destination(const FunctionVersion& function,
                                              const std::string& arn) const {
  if (auto allowed = may(function, "sqs:SendMessage", arn); !allowed)
    return refused(
        fmt::format("The function's execution role does not have permissions to call SendMessage "
                    "on {}",
                    arn),
        allowed.error());
  return {};
}

base::Status LambdaService::check_source(const std::string& function_arn,
                                         const std::string& queue_arn) const {
  IMGPROC_TRY(auto reference, FunctionReference::parse(function_arn));
  IMGPROC_TRY(auto version, registry_->resolve(reference));
  for (std::string_view name : {"ReceiveMessage", "DeleteMessage", "GetQueueAttributes"})
    if (auto allowed = may(*version, fmt::format("sqs:{}", name), queue_arn); !allowed)
      return refused(
          fmt::format("The function execution role does not have permissions to call {} on SQS",
                      name),
          allowed.error());
  return {};
}

}  // namespace imgproc::localcloud::lambda
