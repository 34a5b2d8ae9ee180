#include "base/random.h"

#include <openssl/rand.h>

#include "base/bytes.h"

namespace imgproc::base {
namespace {

std::string random_bytes(std::size_t count) {
  std::string bytes(count, '\0');
  RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(count));
  return bytes;
}

}  // namespace

std::string random_hex(std::size_t count) {
  return to_hex(random_bytes(count));
}

std::string random_uuid() {
  // Every request has one, and a call of RAND_bytes costs more than a hundred of its bytes. What
  // stays in memory here are identifiers, which are no secret.
  constexpr std::size_t kUuidBytes = 16, kReserveBytes = 32 * kUuidBytes;
  thread_local std::string reserve;
  thread_local std::size_t used = 0;
  if (used == reserve.size()) {
    reserve = random_bytes(kReserveBytes);
    used = 0;
  }
  std::string bytes = reserve.substr(used, kUuidBytes);
  used += kUuidBytes;
  bytes[6] = static_cast<char>((bytes[6] & 0x0F) | 0x40);
  bytes[8] = static_cast<char>((bytes[8] & 0x3F) | 0x80);
  std::string hex = to_hex(bytes);
  for (std::size_t at : {8U, 13U, 18U, 23U}) hex.insert(at, 1, '-');
  return hex;
}

std::uint64_t random_u64() {
  std::uint64_t value = 0;
  RAND_bytes(reinterpret_cast<unsigned char*>(&value), sizeof value);
  return value;
}

}  // namespace imgproc::base
