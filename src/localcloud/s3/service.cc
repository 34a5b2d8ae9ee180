#include "localcloud/s3/service.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>

#include "base/bytes.h"
#include "base/log.h"
#include "localcloud/s3/address.h"
#include "localcloud/s3/dispatch.h"
#include "localcloud/s3/errors.h"
#include "localcloud/s3/index.h"
#include "localcloud/s3/object_headers.h"
#include "localcloud/s3/operation.h"
#include "protocol/checksum.h"
#include "protocol/error_response.h"

namespace imgproc::localcloud::s3 {
namespace {

/// Headers that change what an operation does are refused where that is not supported: whoever
/// sends them must not believe that they took effect.
base::Status check_headers(const Operation& operation) {
  constexpr std::string_view kChecksum = "x-amz-checksum-";
  for (const auto& [raw_name, value] : operation.request.headers.fields()) {
    const std::string name = base::to_lower(raw_name);
    if ((name == "x-amz-expected-bucket-owner" || name == "x-amz-source-expected-bucket-owner") &&
        value != kAccountId)
      return fail(403, "AccessDenied",
                  fmt::format("Access Denied: the bucket's owner is {}, not {} ({})", kAccountId,
                              value, name));
    IMGPROC_CHECK(refuse_customer_keys(name));
    if (name == "x-amz-write-offset-bytes") return not_implemented("appending to objects: " + name);
    if (name.starts_with(kChecksum) && name != "x-amz-checksum-algorithm" &&
        name != "x-amz-checksum-mode" && name != "x-amz-checksum-type" &&
        std::ranges::find(protocol::checksum_names(), name, &protocol::ChecksumName::header) ==
            protocol::checksum_names().end())
      return not_implemented(name);
  }
  return {};
}

Answer answer(Core& core, Operation& operation) {
  IMGPROC_TRY(Address address,
              parse_address(operation.header("Host").value_or(""), operation.request.path()));
  operation.bucket = std::move(address.bucket);
  operation.key = std::move(address.key);
  if (operation.bucket.empty() && !operation.key.empty())
    return fail(400, "InvalidBucketName", "The specified bucket is not valid: its name is empty");
  IMGPROC_CHECK(check_headers(operation));
  const Route* route = find_route(operation);
  if (route == nullptr)
    return not_implemented(operation.request.method + " " + operation.request.target);
  return route->handler(core, operation);
}

}  // namespace

std::optional<std::string> Operation::param(std::string_view name) const {
  auto value = query.get(name);
  if (!value) return std::nullopt;
  return std::string(*value);
}

std::optional<std::string> Operation::version_id() const {
  auto id = param("versionId");
  return id && !id->empty() ? id : std::nullopt;
}

http::Response error_answer(const Operation& operation, base::Error error,
                            protocol::S3ErrorDetails details) {
  error = as_s3_error(std::move(error));
  if (error.code == "NoSuchBucket") details.emplace_back("BucketName", operation.bucket);
  if (error.code == "NoSuchKey" || error.code == "NoSuchVersion")
    details.emplace_back("Key", operation.key);
  if (error.http_status >= 500 && error.http_status != 501)
    base::log_error("S3 request failed", {{"request_id", operation.caller.request_id},
                                          {"method", operation.request.method},
                                          {"target", operation.request.target},
                                          {"error", error.describe()}});
  return protocol::s3_error(error, operation.request.path(), operation.caller.request_id,
                            operation.request.method == "HEAD", details);
}

base::Result<std::unique_ptr<S3Service>> S3Service::create(Context& context, EventTargets events) {
  IMGPROC_CHECK(create_index(context.database));
  IMGPROC_TRY(auto bodies, BodyStore::open(context.data_dir / "s3", context.database.durability()));
  std::unordered_set<std::string> known;
  IMGPROC_CHECK(context.database.read(
      [&](Connection& connection) { return collect_files(connection, known); }));
  IMGPROC_CHECK(bodies->sweep(known));
  return std::unique_ptr<S3Service>(new S3Service(context, events, std::move(bodies)));
}

S3Service::S3Service(Context& context, EventTargets events, std::unique_ptr<BodyStore> bodies)
    : context_(context),
      events_(events),
      bodies_(std::move(bodies)),
      sequence_(std::make_unique<Sequence>()) {}
S3Service::~S3Service() = default;

http::Response S3Service::handle(const Caller& caller, http::Request request) {
  Core core{.context = context_, .events = events_, .bodies = *bodies_, .sequence = *sequence_};
  http::QueryParams query(request.query());
  Operation operation{.caller = caller,
                      .request = std::move(request),
                      .query = std::move(query),
                      .bucket = {},
                      .key = {}};
  http::Response response;
  try {
    Answer result = answer(core, operation);
    response = result ? std::move(*result) : error_answer(operation, std::move(result).error());
  } catch (const std::exception& exception) {
    response = error_answer(operation, base::permanent("EXCEPTION", exception.what()).error());
  }
  response.headers.set("x-amz-request-id", caller.request_id);
  response.headers.set("x-amz-id-2", caller.request_id);
  response.headers.set("Server", "AmazonS3");
  return response;
}

}  // namespace imgproc::localcloud::s3
