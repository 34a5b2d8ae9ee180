#include "aws/s3_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "aws/s3_headers.h"
#include "aws/s3_integrity.h"
#include "aws/service_error.h"
#include "base/bytes.h"
#include "base/hash.h"

namespace imgproc::aws {
namespace {

/// How often one download is taken up again after the connection broke.
constexpr int kResumesMax = 3;
/// Hosts that are kept connected; more buckets than this in one process are not expected.
constexpr std::size_t kHostsMax = 64;
constexpr std::size_t kReadStep = 64 * 1024;
constexpr std::size_t kKeyBytesMax = 1024;

/// A name that can be part of a host or a path without changing where the request goes.
bool is_bucket_name(std::string_view bucket) {
  return bucket.size() >= 3 && bucket.size() <= 255 && std::ranges::all_of(bucket, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-' || c == '.' || c == '_';
         });
}

/// What one GET left behind: how far it came, and why it ended early.
struct Progress {
  std::uint64_t received = 0;
  std::optional<base::Error> broken;
};

/// Passes the body on; an error of the sink is the result, an error of the connection is in
/// `progress`.
base::Status pass_on(http::Body body, const ports::BlobSink& sink, DownloadCheck& check,
                     std::uint64_t size, Progress& progress) {
  auto reader = http::to_reader(std::move(body));
  std::array<char, kReadStep> buffer;
  for (;;) {
    auto got = reader->read(buffer);
    if (!got) {
      // A connection that breaks behind the last byte has cost nothing.
      if (progress.received < size) progress.broken = got.error();
      return {};
    }
    if (*got == 0) break;
    std::string_view piece(buffer.data(), *got);
    progress.received += piece.size();
    if (progress.received > size)
      return base::transient("BAD_RESPONSE",
                             fmt::format("more than the announced {} bytes came", size));
    check.update(piece);
    if (sink.write) IMGPROC_CHECK(sink.write(base::as_bytes(piece)));
  }
  if (progress.received < size)
    progress.broken = base::transient("CONNECTION_CLOSED",
                                      fmt::format("{} of {} bytes came", progress.received, size))
                          .error();
  return {};
}

}  // namespace

S3Client::S3Client(Endpoint endpoint, Connect connect)
    : endpoint_(std::move(endpoint)), connect_(std::move(connect)) {}

http::Origin S3Client::origin_of(std::string_view bucket, bool& in_path) const {
  in_path = endpoint_.custom || bucket.find_first_of("._") != std::string_view::npos;
  http::Origin origin = endpoint_.origin;
  if (!in_path) origin.host = fmt::format("{}.{}", bucket, origin.host);
  return origin;
}

std::shared_ptr<http::Exchange> S3Client::exchange_to(const http::Origin& origin) {
  std::lock_guard lock(mutex_);
  auto found = exchanges_.find(origin.host);
  if (found != exchanges_.end()) return found->second;
  if (exchanges_.size() >= kHostsMax) exchanges_.clear();
  return exchanges_[origin.host] = connect_(origin);
}

void S3Client::prepare(std::string_view bucket) {
  bool in_path = false;
  if (is_bucket_name(bucket)) exchange_to(origin_of(bucket, in_path));
}

base::Result<S3Client::Target> S3Client::target_of(std::string_view method, std::string_view bucket,
                                                   std::string_view key) {
  if (!is_bucket_name(bucket))
    return base::permanent("InvalidBucketName", fmt::format("`{}` is no bucket name", bucket));
  // Without a key the request would speak of the bucket as a whole.
  if (key.empty() || key.size() > kKeyBytesMax)
    return base::permanent("InvalidKey", fmt::format("a key has 1 to {} bytes, this one {}",
                                                     kKeyBytesMax, key.size()));
  bool in_path = false;
  http::Origin origin = origin_of(bucket, in_path);
  Target target;
  target.exchange = exchange_to(origin);
  target.request.method = method;
  target.request.target = in_path ? fmt::format("/{}/", bucket) : "/";
  target.request.target += base::percent_encode(key, true);
  target.request.headers.set("Host", origin.host_header());
  return target;
}

base::Result<ports::BlobInfo> S3Client::get(std::string_view bucket, std::string_view key,
                                            const ports::GetOptions& options,
                                            const ports::BlobSink& sink) {
  std::optional<ports::BlobInfo> info;
  std::optional<DownloadCheck> check;
  Progress progress;
  for (int resumes = 0;; ++resumes) {
    IMGPROC_TRY(Target target, target_of("GET", bucket, key));
    if (!options.version_id.empty())
      target.request.target += "?versionId=" + base::percent_encode(options.version_id);
    // What began with one version of the object must not go on with another.
    std::string if_match = info ? info->etag : options.if_match;
    if (!if_match.empty()) target.request.headers.set("If-Match", etag_in_quotes(if_match));
    if (progress.received > 0)
      target.request.headers.set("Range", fmt::format("bytes={}-", progress.received));
    target.request.headers.set("x-amz-checksum-mode", "ENABLED");
    IMGPROC_TRY(http::Response response, target.exchange->send(std::move(target.request)));
    if (response.status != (progress.received > 0 ? 206 : 200)) {
      base::Error error = s3_error_of(response);
      // Half an object was passed on and the rest is gone: only a new beginning can help.
      if (info) error.retryable = true;
      return std::unexpected(std::move(error));
    }
    if (!info) {
      if (!response.headers.has("Content-Length"))
        return base::transient("BAD_RESPONSE", "S3 announced an object without Content-Length");
      info = blob_info_of(response.headers);
      check.emplace(response.headers);
      if (sink.begin) IMGPROC_CHECK(sink.begin(*info));
    } else if (auto range = response.headers.get("Content-Range");
               !range || !range->starts_with(fmt::format("bytes {}-", progress.received))) {
      return base::transient("BAD_RESPONSE", "S3 resumed at another place than asked for");
    }
    progress.broken.reset();
    IMGPROC_CHECK(pass_on(std::move(response.body), sink, *check, info->size, progress));
    if (!progress.broken) break;
    if (!progress.broken->retryable || resumes >= kResumesMax || info->etag.empty())
      return std::unexpected(*std::move(progress.broken));
  }
  IMGPROC_CHECK(check->finish());
  return *std::move(info);
}

base::Result<ports::BlobInfo> S3Client::head(std::string_view bucket, std::string_view key) {
  IMGPROC_TRY(Target target, target_of("HEAD", bucket, key));
  IMGPROC_TRY(http::Response response, target.exchange->send(std::move(target.request)));
  if (response.status == 403) {
    base::Error error = s3_error_of(response);
    // S3's refusal of a HEAD has no body, and so no words.
    error.message += fmt::format(
        "; the role needs s3:GetObject on resource: arn:aws:s3:::{0}/{1}, and s3:ListBucket on "
        "resource: arn:aws:s3:::{0} to be told that there is no such object",
        bucket, key);
    return std::unexpected(std::move(error));
  }
  if (response.status != 200) return std::unexpected(s3_error_of(response));
  return blob_info_of(response.headers);
}

base::Result<ports::BlobInfo> S3Client::put(std::string_view bucket, std::string_view key,
                                            std::span<const std::byte> bytes,
                                            const ports::PutOptions& options) {
  IMGPROC_TRY(Target target, target_of("PUT", bucket, key));
  http::Headers& headers = target.request.headers;
  add_put_headers(headers, options);
  std::string crc32 = base::to_base64(base::hash(base::HashAlgorithm::crc32, base::as_text(bytes)));
  headers.set("x-amz-sdk-checksum-algorithm", "CRC32");
  headers.set("x-amz-checksum-crc32", crc32);
  target.request.body = std::string(base::as_text(bytes));
  IMGPROC_TRY(http::Response response, target.exchange->send(std::move(target.request)));
  if (response.status != 200) return std::unexpected(s3_error_of(response));
  if (auto stored = response.headers.get("x-amz-checksum-crc32"); stored && *stored != crc32)
    return base::transient("CHECKSUM_MISMATCH",
                           fmt::format("S3 stored CRC32 {}, sent was {}", *stored, crc32));
  ports::BlobInfo info = blob_info_of(response.headers);
  info.size = bytes.size();
  info.content_type = options.content_type;
  info.metadata = options.metadata;
  if (info.etag.empty())
    return base::transient("BAD_RESPONSE", "S3 stored the object but named no ETag");
  return info;
}

base::Status S3Client::remove(std::string_view bucket, std::string_view key,
                              const std::string& if_match) {
  IMGPROC_TRY(Target target, target_of("DELETE", bucket, key));
  if (!if_match.empty()) target.request.headers.set("If-Match", etag_in_quotes(if_match));
  IMGPROC_TRY(http::Response response, target.exchange->send(std::move(target.request)));
  if (response.status == 204 || response.status == 200) return {};
  base::Error error = s3_error_of(response);
  if (error.code == ports::kNoSuchKey) return {};
  return std::unexpected(std::move(error));
}

}  // namespace imgproc::aws
