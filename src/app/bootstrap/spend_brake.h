#pragma once
// The handler of the second function that the Terraform module makes of this package: an alarm on
// the estimated spend calls it, and it stops the image function. See
// docs/decisions/0001-spend-brake-is-a-second-function.md.

#include <string>

#include "app/bootstrap/wiring.h"
#include "aws/lambda_client.h"

namespace imgproc::bootstrap {

/// What _HANDLER says then.
inline constexpr std::string_view kSpendBrakeHandler = "spend_brake";

struct BrakeSettings {
  /// BRAKED_FUNCTION_NAME: which function is stopped.
  std::string function_name;
  std::string region;
  protocol::Credentials credentials;
  aws::Endpoint lambda;
  std::string ca_bundle;
};

/// Errors, all permanent: MISSING_SETTING, NO_CREDENTIALS, NO_REGION, INVALID_URL.
[[nodiscard]] base::Result<BrakeSettings> read_brake_settings(const aws::Environment& environment);

class SpendBrake {
 public:
  /// `clock` is borrowed.
  SpendBrake(BrakeSettings settings, base::Clock& clock, const Dial& dial);
  SpendBrake(const SpendBrake&) = delete;
  SpendBrake& operator=(const SpendBrake&) = delete;

  /// Sets the function's reserved concurrency to zero if the alarm rings; other states are only
  /// logged, since a person releases the brake. Errors: INVALID_EVENT for what is no alarm's event,
  /// and those of the Lambda API, so that the platform tries again.
  [[nodiscard]] base::Result<std::string> handle(const runtime::Invocation& invocation);

 private:
  BrakeSettings settings_;
  base::Clock& clock_;
  CurrentInvocation current_;
  aws::LambdaClient lambda_;
};

}  // namespace imgproc::bootstrap
