#pragma once
// What every service of the local cloud is built from, and the shape of one operation.

#include <filesystem>
#include <string>

#include "base/clock.h"
#include "http/message.h"
#include "localcloud/store/database.h"

namespace imgproc::protocol {
class ChunkVerifier;
}

namespace imgproc::localcloud {

/// The account that owns everything here; AWS's documentation uses the same number.
inline constexpr const char* kAccountId = "000000000000";

/// The world as the services see it. Owned by Cloud, borrowed by services, outlives them.
struct Context {
  Database& database;
  base::Clock& clock;
  /// Root of the data directory; each service keeps its files below a folder of its own.
  std::filesystem::path data_dir;
  std::string region = "us-east-1";
};

/// Who called: from the request's signature.
struct Caller {
  std::string access_key_id;
  /// Region of the credential scope; Context::region for unsigned requests.
  std::string region;
  std::string request_id;
  /// Follows the chunk signatures of a signed aws-chunked body; borrowed for the time of the
  /// request. nullptr: they are not checked.
  protocol::ChunkVerifier* chunks = nullptr;
};

}  // namespace imgproc::localcloud
