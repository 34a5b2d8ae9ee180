#include "app/bootstrap/environment.h"

#include <nss.h>
#include <sys/prctl.h>

#include <array>
#include <cstring>
#include <string_view>

namespace imgproc::bootstrap {
namespace {

constexpr std::array<std::string_view, 4> kSecrets = {"AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
                                                      "AWS_SECURITY_TOKEN",
                                                      "AWS_CONTAINER_AUTHORIZATION_TOKEN"};

}  // namespace

aws::Environment read_environment(char* const* block) {
  aws::Environment environment;
  for (; *block != nullptr; ++block) {
    std::string_view entry(*block);
    auto equals = entry.find('=');
    // Of two entries with one name the first counts, as in getenv().
    if (equals != std::string_view::npos)
      environment.try_emplace(std::string(entry.substr(0, equals)), entry.substr(equals + 1));
  }
  return environment;
}

void wipe_secrets(char* const* block) {
  for (; *block != nullptr; ++block) {
    std::string_view entry(*block);
    for (std::string_view name : kSecrets)
      if (entry.size() > name.size() && entry[name.size()] == '=' && entry.starts_with(name))
        ::explicit_bzero(*block + name.size() + 1, entry.size() - name.size() - 1);
  }
}

void forbid_inspection() {
  // Lambda may refuse this call; the decoder has an empty environment either way.
  (void)::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

void resolve_names_plainly() {
  ::__nss_configure_lookup("hosts", "files dns");
}

}  // namespace imgproc::bootstrap
