#pragma once
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "aws/endpoint.h"
#include "http/exchange.h"
#include "ports/blob_store.h"

namespace imgproc::aws {

/// S3 as BlobStore. Objects are checked on the way: uploads carry a CRC32 that S3 compares,
/// downloads are compared with the checksum S3 sends, else with the ETag where it is an MD5, and a
/// download that breaks off is resumed where it stopped, on the same version of the object. Buckets
/// are addressed virtual-hosted on AWS, and in the path at a custom endpoint or where TLS cannot
/// name the bucket (a dot in it).
class S3Client final : public ports::BlobStore {
 public:
  /// Makes the Exchange (retrying, signing as "s3", connecting) to one origin; called once per
  /// host.
  using Connect = std::function<std::unique_ptr<http::Exchange>(const http::Origin&)>;

  S3Client(Endpoint endpoint, Connect connect);

  /// Calls Connect for the bucket's host ahead of its first use.
  void prepare(std::string_view bucket);

  [[nodiscard]] base::Result<ports::BlobInfo> get(std::string_view bucket, std::string_view key,
                                                  const ports::GetOptions& options,
                                                  const ports::BlobSink& sink) override;
  [[nodiscard]] base::Result<ports::BlobInfo> head(std::string_view bucket,
                                                   std::string_view key) override;
  [[nodiscard]] base::Result<ports::BlobInfo> put(std::string_view bucket, std::string_view key,
                                                  std::span<const std::byte> bytes,
                                                  const ports::PutOptions& options) override;
  [[nodiscard]] base::Status remove(std::string_view bucket, std::string_view key,
                                    const std::string& if_match = {}) override;

 private:
  struct Target {
    std::shared_ptr<http::Exchange> exchange;
    http::Request request;
  };
  base::Result<Target> target_of(std::string_view method, std::string_view bucket,
                                 std::string_view key);
  http::Origin origin_of(std::string_view bucket, bool& in_path) const;
  std::shared_ptr<http::Exchange> exchange_to(const http::Origin& origin);

  Endpoint endpoint_;
  Connect connect_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<http::Exchange>> exchanges_;
};

}  // namespace imgproc::aws
