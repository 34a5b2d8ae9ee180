#pragma once
// DynamoDB as imgproc local answers it: POST /, the operation in X-Amz-Target, JSON 1.0.

#include <boost/json.hpp>
#include <memory>
#include <string>

#include "http/message.h"
#include "localcloud/context.h"

namespace imgproc::localcloud::dynamodb {

/// DynamoDB's own limit for a request.
inline constexpr std::size_t kRequestBytesMax = std::size_t{16} * 1024 * 1024;

class Store;

/// Thread-safe. Tables and items live in Context::database and survive `kill -9` as it does.
/// Not here, and refused as UnknownOperationException: PartiQL, streams, global tables, backups to
/// restore, export and import.
class DynamoDbService {
 public:
  explicit DynamoDbService(Context& context);
  ~DynamoDbService();

  /// Answers any request; errors in DynamoDB's form.
  [[nodiscard]] http::Response handle(const Caller& caller, http::Request request);

 private:
  base::Result<std::string> run(const Caller& caller, http::Request& request,
                                boost::json::object& error_members);

  Context& context_;
  std::unique_ptr<Store> store_;
  /// Why the tables could not be opened, if so; every request is then answered with it.
  base::Status opened_;
};

}  // namespace imgproc::localcloud::dynamodb
