// Key templates: two sources and two renditions of one recipe never meet under a template that was
// proven free of collisions. The input is the template, and behind newlines two keys and two names.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/key_template.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using imgproc::pipeline::KeyTemplate;
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  std::vector<std::string> parts(5);
  for (auto& part : parts) {
    const auto end = std::min(rest.find('\n'), rest.size());
    part = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  const auto made = KeyTemplate::parse(parts[0]);
  if (!made || parts[1].empty() || parts[2].empty()) return 0;
  // No name of a rendition has a slash, and none is empty.
  for (auto& name : {&parts[3], &parts[4]})
    if (name->empty() || name->find('/') != std::string::npos) return 0;
  const std::vector<KeyTemplate::Use> uses{{0, parts[3], "jpg"}, {0, parts[4], "webp"}};
  if (!made->check_distinct(uses)) return 0;
  const auto a = made->expand("bucket", parts[1], uses[0].rendition, uses[0].extension);
  const auto b = made->expand("bucket", parts[2], uses[1].rendition, uses[1].extension);
  const bool same = parts[1] == parts[2] && parts[3] == parts[4];
  if (a && b && !same && *a == *b) std::abort();
  return 0;
}
