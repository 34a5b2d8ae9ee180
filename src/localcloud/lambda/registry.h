#pragma once
// Which functions exist: in SQLite, with all of it in memory, since functions are few and every
// invocation asks.

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "localcloud/lambda/code_store.h"
#include "localcloud/lambda/function.h"
#include "localcloud/store/database.h"

namespace imgproc::localcloud::lambda {

/// What is returned is an immutable snapshot. Thread-safe.
class Registry {
 public:
  /// `code` is told of the folders that the stored functions run from. `region` is that of what is
  /// asked for in vain.
  [[nodiscard]] static base::Result<std::unique_ptr<Registry>> open(Database& database,
                                                                    base::Clock& clock,
                                                                    std::string region,
                                                                    CodeStore& code);

  /// nullptr if there is none.
  [[nodiscard]] std::shared_ptr<const Function> find(std::string_view name) const;
  [[nodiscard]] std::vector<std::shared_ptr<const Function>> all() const;
  /// The function or ResourceNotFoundException.
  [[nodiscard]] base::Result<std::shared_ptr<const Function>> get(std::string_view name) const;
  /// The version that the reference means or ResourceNotFoundException.
  [[nodiscard]] base::Result<std::shared_ptr<const FunctionVersion>> resolve(
      const FunctionReference& reference) const;
  /// Published versions, oldest first.
  [[nodiscard]] std::vector<std::shared_ptr<const FunctionVersion>> versions(
      std::string_view name) const;

  /// Error ResourceConflictException if the name is taken. Sets revision id and time.
  [[nodiscard]] base::Result<std::shared_ptr<const Function>> create(
      FunctionVersion latest, std::map<std::string, std::string> tags);
  /// Changes $LATEST; `change` may refuse. Sets a new revision id and time.
  [[nodiscard]] base::Result<std::shared_ptr<const Function>> update_latest(
      std::string_view name, const std::function<base::Status(FunctionVersion&)>& change);
  /// Changes what hangs on the name.
  [[nodiscard]] base::Result<std::shared_ptr<const Function>> update_attributes(
      std::string_view name, const std::function<base::Status(Function&)>& change);
  /// A new version of $LATEST, or the last one if nothing changed since.
  [[nodiscard]] base::Result<std::shared_ptr<const FunctionVersion>> publish(
      std::string_view name, std::string_view description);
  /// Removes the function with all its versions; `also` runs in the same transaction.
  [[nodiscard]] base::Status remove(std::string_view name,
                                    const std::function<base::Status(Connection&)>& also);

 private:
  Registry(Database& database, base::Clock& clock, std::string region)
      : database_(database), clock_(clock), region_(std::move(region)) {}
  [[nodiscard]] std::unexpected<base::Error> not_found(const FunctionReference& reference) const;
  base::Status load(CodeStore& code);
  base::Status store(const Function& function);

  struct Entry {
    std::shared_ptr<const Function> function;
    std::map<int, std::shared_ptr<const FunctionVersion>> versions;
    /// Revision of $LATEST that the newest version was made of.
    std::string published_revision;
  };
  Database& database_;
  base::Clock& clock_;
  std::string region_;
  /// One change at a time; readers take mutex_ only.
  std::mutex change_mutex_;
  mutable std::mutex mutex_;
  std::map<std::string, Entry, std::less<>> entries_;
};

}  // namespace imgproc::localcloud::lambda
