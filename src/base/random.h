#pragma once
#include <cstdint>
#include <string>

namespace imgproc::base {

/// `count` random bytes as lower-case hexadecimal, from the kernel. For identifiers and tokens.
[[nodiscard]] std::string random_hex(std::size_t count);
/// A version 4 UUID (RFC 9562), as AWS request ids are.
[[nodiscard]] std::string random_uuid();
[[nodiscard]] std::uint64_t random_u64();

}  // namespace imgproc::base
