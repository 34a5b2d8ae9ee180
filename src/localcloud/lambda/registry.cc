#include "localcloud/lambda/registry.h"

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/random.h"
#include "localcloud/context.h"

namespace imgproc::localcloud::lambda {
namespace {

constexpr const char* kSchema = R"(
CREATE TABLE IF NOT EXISTS lambda_functions (
  name TEXT PRIMARY KEY,
  latest TEXT NOT NULL,
  attributes TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS lambda_versions (
  name TEXT NOT NULL,
  version INTEGER NOT NULL,
  document TEXT NOT NULL,
  source_revision TEXT NOT NULL,
  PRIMARY KEY (name, version)) WITHOUT ROWID;
)";

}  // namespace

std::unexpected<base::Error> Registry::not_found(const FunctionReference& reference) const {
  std::string resource =
      fmt::format("arn:aws:lambda:{}:{}:function:{}", region_, kAccountId, reference.name);
  if (!reference.qualifier.empty()) resource += fmt::format(":{}", reference.qualifier);
  return lambda_error("ResourceNotFoundException", "Function not found: " + resource, 404);
}

base::Result<std::unique_ptr<Registry>> Registry::open(Database& database, base::Clock& clock,
                                                       std::string region, CodeStore& code) {
  IMGPROC_CHECK(database.create_schema(kSchema));
  std::unique_ptr<Registry> registry(new Registry(database, clock, std::move(region)));
  IMGPROC_CHECK(registry->load(code));
  return registry;
}

base::Status Registry::load(CodeStore& code) {
  return database_.read([&](Connection& connection) -> base::Status {
    {
      IMGPROC_TRY(auto select,
                  connection.prepare("SELECT latest, attributes FROM lambda_functions"));
      for (;;) {
        IMGPROC_TRY(bool row, select.step());
        if (!row) break;
        auto function = std::make_shared<Function>();
        IMGPROC_TRY(auto latest, parse_version(select.column_text(0)));
        code.hold(latest->code);
        function->latest = latest;
        IMGPROC_CHECK(parse_attributes(select.column_text(1), *function));
        entries_[function->latest->name].function = function;
      }
    }
    IMGPROC_TRY(auto select,
                connection.prepare("SELECT version, document, source_revision FROM lambda_versions "
                                   "ORDER BY name, version"));
    for (;;) {
      IMGPROC_TRY(bool row, select.step());
      if (!row) return {};
      IMGPROC_TRY(auto version, parse_version(select.column_text(1)));
      code.hold(version->code);
      Entry& entry = entries_[version->name];
      entry.versions[static_cast<int>(select.column_int(0))] = version;
      entry.published_revision = select.column_text(2);
    }
  });
}

std::shared_ptr<const Function> Registry::find(std::string_view name) const {
  std::lock_guard guard(mutex_);
  auto found = entries_.find(name);
  return found == entries_.end() ? nullptr : found->second.function;
}

std::vector<std::shared_ptr<const Function>> Registry::all() const {
  std::lock_guard guard(mutex_);
  std::vector<std::shared_ptr<const Function>> functions;
  for (const auto& [name, entry] : entries_) functions.push_back(entry.function);
  return functions;
}

base::Result<std::shared_ptr<const Function>> Registry::get(std::string_view name) const {
  auto function = find(name);
  if (!function) return not_found({.name = std::string(name), .qualifier = {}});
  return function;
}

base::Result<std::shared_ptr<const FunctionVersion>> Registry::resolve(
    const FunctionReference& reference) const {
  std::lock_guard guard(mutex_);
  auto found = entries_.find(reference.name);
  if (found == entries_.end()) return not_found(reference);
  if (reference.qualifier.empty() || reference.qualifier == kLatest)
    return found->second.function->latest;
  auto number = base::parse_unsigned(reference.qualifier);
  auto version = number && *number <= 1'000'000'000
                     ? found->second.versions.find(static_cast<int>(*number))
                     : found->second.versions.end();
  if (version == found->second.versions.end()) return not_found(reference);
  return version->second;
}

std::vector<std::shared_ptr<const FunctionVersion>> Registry::versions(
    std::string_view name) const {
  std::lock_guard guard(mutex_);
  std::vector<std::shared_ptr<const FunctionVersion>> out;
  if (auto found = entries_.find(name); found != entries_.end())
    for (const auto& [number, version] : found->second.versions) out.push_back(version);
  return out;
}

base::Status Registry::store(const Function& function) {
  IMGPROC_CHECK(database_.write([&](Connection& connection) -> base::Status {
    IMGPROC_TRY(auto insert,
                connection.prepare("INSERT OR REPLACE INTO lambda_functions VALUES (?,?,?)"));
    return insert.bind(1, function.latest->name)
        .bind(2, serialize(*function.latest))
        .bind(3, serialize_attributes(function))
        .run();
  }));
  auto stored = std::make_shared<const Function>(function);
  std::lock_guard guard(mutex_);
  entries_[stored->latest->name].function = stored;
  return {};
}

base::Result<std::shared_ptr<const Function>> Registry::create(
    FunctionVersion latest, std::map<std::string, std::string> tags) {
  std::lock_guard change(change_mutex_);
  if (find(latest.name))
    return lambda_error("ResourceConflictException",
                        fmt::format("Function already exist: {}", latest.name), 409);
  latest.revision_id = base::random_uuid();
  latest.modified_at = clock_.now();
  Function function;
  function.latest = std::make_shared<const FunctionVersion>(std::move(latest));
  function.tags = std::move(tags);
  IMGPROC_CHECK(store(function));
  return find(function.latest->name);
}

base::Result<std::shared_ptr<const Function>> Registry::update_latest(
    std::string_view name, const std::function<base::Status(FunctionVersion&)>& change) {
  std::lock_guard one_change(change_mutex_);
  IMGPROC_TRY(auto current, get(name));
  FunctionVersion next = *current->latest;
  IMGPROC_CHECK(change(next));
  next.revision_id = base::random_uuid();
  next.modified_at = clock_.now();
  Function function = *current;
  function.latest = std::make_shared<const FunctionVersion>(std::move(next));
  IMGPROC_CHECK(store(function));
  return find(name);
}

base::Result<std::shared_ptr<const Function>> Registry::update_attributes(
    std::string_view name, const std::function<base::Status(Function&)>& change) {
  std::lock_guard one_change(change_mutex_);
  IMGPROC_TRY(auto current, get(name));
  Function function = *current;
  IMGPROC_CHECK(change(function));
  IMGPROC_CHECK(store(function));
  return find(name);
}

base::Result<std::shared_ptr<const FunctionVersion>> Registry::publish(
    std::string_view name, std::string_view description) {
  std::lock_guard one_change(change_mutex_);
  IMGPROC_TRY(auto current, get(name));
  int number = 1;
  {
    std::lock_guard guard(mutex_);
    const Entry& entry = entries_.find(name)->second;
    if (!entry.versions.empty()) {
      if (entry.published_revision == current->latest->revision_id)
        return entry.versions.rbegin()->second;
      number = entry.versions.rbegin()->first + 1;
    }
  }
  auto version = std::make_shared<FunctionVersion>(*current->latest);
  version->version = std::to_string(number);
  version->revision_id = base::random_uuid();
  version->modified_at = clock_.now();
  if (!description.empty()) version->settings.description = description;
  IMGPROC_CHECK(database_.write([&](Connection& connection) -> base::Status {
    IMGPROC_TRY(auto insert, connection.prepare("INSERT INTO lambda_versions VALUES (?,?,?,?)"));
    return insert.bind(1, name)
        .bind(2, std::int64_t{number})
        .bind(3, serialize(*version))
        .bind(4, current->latest->revision_id)
        .run();
  }));
  std::lock_guard guard(mutex_);
  Entry& entry = entries_.find(name)->second;
  entry.versions[number] = version;
  entry.published_revision = current->latest->revision_id;
  return version;
}

base::Status Registry::remove(std::string_view name,
                              const std::function<base::Status(Connection&)>& also) {
  std::lock_guard one_change(change_mutex_);
  IMGPROC_TRY([[maybe_unused]] auto current, get(name));
  IMGPROC_CHECK(database_.write([&](Connection& connection) -> base::Status {
    for (std::string_view sql : {"DELETE FROM lambda_functions WHERE name = ?",
                                 "DELETE FROM lambda_versions WHERE name = ?"}) {
      IMGPROC_TRY(auto statement, connection.prepare(sql));
      IMGPROC_CHECK(statement.bind(1, name).run());
    }
    return also(connection);
  }));
  std::lock_guard guard(mutex_);
  entries_.erase(entries_.find(name));
  return {};
}

}  // namespace imgproc::localcloud::lambda
