#pragma once
// Small configuration objects of the control plane (queues, roles, topics, alarms …) as JSON
// documents in the database, addressed by service, kind and name.

#include <boost/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "localcloud/store/database.h"

namespace imgproc::localcloud {

/// The documents of one service. Cheap to copy; borrows the database. Thread-safe.
class Documents {
 public:
  /// Creates the table if it is missing.
  [[nodiscard]] static base::Result<Documents> open(Database& database, std::string service);

  [[nodiscard]] base::Result<std::optional<boost::json::object>> get(std::string_view kind,
                                                                     std::string_view name) const;
  [[nodiscard]] base::Status put(std::string_view kind, std::string_view name,
                                 const boost::json::object& document) const;
  /// False if there was none.
  [[nodiscard]] base::Result<bool> remove(std::string_view kind, std::string_view name) const;
  /// In order of names, those that begin with `prefix`.
  [[nodiscard]] base::Result<std::vector<std::pair<std::string, boost::json::object>>> list(
      std::string_view kind, std::string_view prefix = {}) const;
  /// Reads, changes and writes in one transaction. `change` gets nullopt if there is none, and
  /// leaves nullopt behind to remove it; its error undoes everything.
  [[nodiscard]] base::Status update(
      std::string_view kind, std::string_view name,
      const std::function<base::Status(std::optional<boost::json::object>&)>& change) const;

 private:
  Documents(Database& database, std::string service)
      : database_(&database), service_(std::move(service)) {}
  Database* database_;
  std::string service_;
};

}  // namespace imgproc::localcloud
