#pragma once
// The cyclic redundancy checks that S3 knows, with the processor's carry-less multiplication where
// it has one. (No library that Debian 12 packages has CRC-64/NVME.)

#include <cstdint>
#include <string_view>

namespace imgproc::base {

/// Each takes the register as it stands and returns it after `bytes`. A checksum begins with all
/// bits set, and is the complement of the register at its end.
/// CRC-32 of ISO 3309, as in zip and PNG.
[[nodiscard]] std::uint32_t crc32_update(std::uint32_t crc, std::string_view bytes);
/// CRC-32C (Castagnoli) of RFC 3720.
[[nodiscard]] std::uint32_t crc32c_update(std::uint32_t crc, std::string_view bytes);
/// CRC-64/NVME of the NVM Express specification.
[[nodiscard]] std::uint64_t crc64nvme_update(std::uint64_t crc, std::string_view bytes);

}  // namespace imgproc::base
