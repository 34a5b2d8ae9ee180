#pragma once
#include <memory>
#include <string>

#include "aws/endpoint.h"
#include "http/exchange.h"
#include "ports/record_store.h"
#include "protocol/attribute_value.h"

namespace imgproc::aws {

/// A DynamoDB table as RecordStore. Thread-safe.
class DynamoDbClient final : public ports::RecordStore {
 public:
  /// `exchange` retries and signs as "dynamodb". What a retry after a lost answer comes to is told
  /// at RecordStore::replace_if_not_older().
  DynamoDbClient(Endpoint endpoint, std::string table, std::unique_ptr<http::Exchange> exchange);

  [[nodiscard]] base::Result<std::optional<ports::Record>> get(std::string_view path) override;
  [[nodiscard]] base::Result<ports::PutOutcome> put_if_not_older(
      const ports::Record& record) override;
  [[nodiscard]] base::Result<ports::Replacement> replace_if_not_older(
      const ports::Record& record) override;

 private:
  /// One answer that is no throttling: the status, and the body as JSON.
  struct Answer {
    int status = 200;
    boost::json::object body;
    base::Error error;
  };
  base::Result<Answer> call(std::string_view operation, std::string body);
  base::Result<Answer> put(const ports::Record& record, bool return_old);

  std::string host_;
  std::string table_;
  std::unique_ptr<http::Exchange> exchange_;
};

}  // namespace imgproc::aws
