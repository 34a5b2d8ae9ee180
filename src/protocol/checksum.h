#pragma once
// The checksums of S3's x-amz-checksum-* headers.
// Source: AWS, "Checking object integrity in Amazon S3".

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/hash.h"

namespace imgproc::protocol {

/// One algorithm under its three spellings.
struct ChecksumName {
  base::HashAlgorithm algorithm;
  /// "CRC32", as in x-amz-checksum-algorithm.
  std::string_view name;
  /// "x-amz-checksum-crc32".
  std::string_view header;
  /// "ChecksumCRC32", the XML element.
  std::string_view element;
  std::size_t digest_bytes;
};

/// All five algorithms.
[[nodiscard]] std::span<const ChecksumName> checksum_names();
/// By name, without case ("crc32c"); nullptr if there is none.
[[nodiscard]] const ChecksumName* find_checksum(std::string_view name);
[[nodiscard]] const ChecksumName& checksum_name(base::HashAlgorithm algorithm);

/// True for the CRCs, whose value over a whole can be computed from the values of its parts.
[[nodiscard]] bool is_crc(base::HashAlgorithm algorithm);

/// The CRC of A followed by B, from the raw (big-endian) CRCs of both and B's length in bytes.
/// `algorithm` must be a CRC and both values of its length.
[[nodiscard]] std::string combine_crc(base::HashAlgorithm algorithm, std::string_view crc_a,
                                      std::string_view crc_b, std::uint64_t bytes_b);

}  // namespace imgproc::protocol
