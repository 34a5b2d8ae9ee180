#include "localcloud/s3/address.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"
#include "localcloud/s3/errors.h"

namespace imgproc::localcloud::s3 {
namespace {

/// The bucket in front of `.s3.localhost`, `.localhost` or `.s3[.-]REGION.amazonaws.com`; else "".
std::string virtual_bucket(std::string_view host) {
  if (host.starts_with('[')) return {};
  host = host.substr(0, host.find(':'));
  std::string name = base::to_lower(host);
  if (name == "localhost" || name == "s3.localhost") return {};
  for (std::string_view suffix : {".s3.localhost", ".localhost"})
    if (name.ends_with(suffix)) return name.substr(0, name.size() - suffix.size());
  if (name.ends_with(".amazonaws.com") && !name.starts_with("s3.") && !name.starts_with("s3-")) {
    auto at = name.rfind(".s3.");
    if (at == std::string::npos) at = name.rfind(".s3-");
    if (at != std::string::npos) return name.substr(0, at);
  }
  return {};
}

}  // namespace

base::Status check_key(std::string_view key) {
  if (key.size() > kKeyBytesMax)
    return fail(400, "KeyTooLongError",
                fmt::format("Your key is too long: {} bytes, at most {} are allowed", key.size(),
                            kKeyBytesMax));
  if (!base::is_utf8(key))
    return fail(400, "InvalidURI", "Couldn't parse the specified URI: the key is not UTF-8");
  return {};
}

base::Result<Address> parse_address(std::string_view host, std::string_view raw_path) {
  if (raw_path.starts_with('/')) raw_path.remove_prefix(1);
  Address address{.bucket = virtual_bucket(host), .key = {}};
  if (address.bucket.empty()) {
    auto slash = raw_path.find('/');
    address.bucket = base::percent_decode(raw_path.substr(0, slash));
    raw_path = slash == std::string_view::npos ? std::string_view{} : raw_path.substr(slash + 1);
  }
  address.key = base::percent_decode(raw_path);
  IMGPROC_CHECK(check_key(address.key));
  return address;
}

base::Status check_bucket_name(std::string_view name) {
  auto refuse = [&](std::string_view why) -> base::Status {
    return fail(400, "InvalidBucketName",
                fmt::format("The specified bucket is not valid: `{}` {}", name, why));
  };
  if (name.size() < 3 || name.size() > 63) return refuse("must have 3 to 63 characters");
  auto is_letter_or_digit = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  for (char c : name)
    if (!is_letter_or_digit(c) && c != '-' && c != '.')
      return refuse("may contain only lower-case letters, digits, dots and hyphens");
  if (!is_letter_or_digit(name.front()) || !is_letter_or_digit(name.back()))
    return refuse("must begin and end with a letter or digit");
  if (name.find("..") != std::string_view::npos)
    return refuse("must not contain two dots in a row");
  if (std::ranges::count(name, '.') == 3 &&
      std::ranges::all_of(name, [](char c) { return (c >= '0' && c <= '9') || c == '.'; }))
    return refuse("must not be an IP address");
  if (name.starts_with("xn--") || name.starts_with("sthree-") ||
      name.starts_with("amzn-s3-demo-") || name.ends_with("-s3alias") ||
      name.ends_with("--ol-s3") || name.ends_with(".mrap") || name.ends_with("--x-s3") ||
      name.ends_with("--table-s3"))
    return refuse("uses a reserved prefix or suffix");
  return {};
}

}  // namespace imgproc::localcloud::s3
