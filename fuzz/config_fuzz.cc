// The configuration: every document is either understood or refused with at least one fault, and
// what is understood has a plan for its own keys.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "pipeline/config.h"
#include "pipeline/plan.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace pipeline = imgproc::pipeline;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto config = pipeline::parse_config(text);
  if (!config) {
    if (config.error().empty()) std::abort();
    for (const auto& problem : config.error())
      if (problem.describe().empty()) std::abort();
    return 0;
  }
  for (const auto& recipe : config->recipes) {
    const auto key = recipe.match.prefix + "photo" + recipe.match.suffix;
    if (!pipeline::may_match(recipe.match, key)) std::abort();
    const auto plan = pipeline::make_plan(*config, key, "image/jpeg");
    if (plan && (plan->renditions.empty() || plan->fingerprint.size() != 64)) std::abort();
    (void)pipeline::possible_keys(*config, "bucket", key);
  }
  return 0;
}
