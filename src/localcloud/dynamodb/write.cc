#include "localcloud/dynamodb/write.h"

#include <fmt/format.h>

#include "localcloud/dynamodb/capacity.h"
#include "localcloud/dynamodb/condition_eval.h"
#include "localcloud/dynamodb/expression_parser.h"
#include "localcloud/dynamodb/legacy.h"
#include "localcloud/dynamodb/projection.h"
#include "localcloud/dynamodb/update_eval.h"

namespace imgproc::localcloud::dynamodb {
namespace {

base::Result<ReturnValues> parse_return_values(const json::object& request, Write::Kind kind) {
  Input input(request);
  auto chosen =
      input.choice("ReturnValues", {"ALL_NEW", "UPDATED_OLD", "ALL_OLD", "NONE", "UPDATED_NEW"});
  IMGPROC_CHECK(input.status());
  if (!chosen || *chosen == "NONE") return ReturnValues::none;
  if (*chosen == "ALL_OLD") return ReturnValues::all_old;
  if (kind != Write::Kind::update) return invalid("ReturnValues can only be ALL_OLD or NONE");
  if (*chosen == "UPDATED_OLD") return ReturnValues::updated_old;
  return *chosen == "ALL_NEW" ? ReturnValues::all_new : ReturnValues::updated_new;
}

/// The attributes to return, or nothing.
std::optional<AttributeMap> returned(const Write& write, const Written& written) {
  auto updated = [&](const std::optional<AttributeMap>& item) -> std::optional<AttributeMap> {
    if (!item) return std::nullopt;
    std::vector<Path> paths;
    for (const auto& action : write.actions) paths.push_back(action.path);
    return Projection(paths).apply(*item);
  };
  switch (write.return_values) {
    case ReturnValues::none:
      return std::nullopt;
    case ReturnValues::all_old:
      return written.old_item;
    case ReturnValues::all_new:
      return written.new_item;
    case ReturnValues::updated_old:
      return updated(written.old_item);
    case ReturnValues::updated_new:
      return updated(written.new_item);
  }
  return std::nullopt;
}

}  // namespace

base::Result<Write> parse_write_options(Call& call, const json::object& request, Write::Kind kind) {
  Write write{.kind = kind};
  IMGPROC_TRY(write.return_values, parse_return_values(request, kind));
  Input input(request);
  write.return_item_on_failure =
      input.choice("ReturnValuesOnConditionCheckFailure", {"ALL_OLD", "NONE"}) == "ALL_OLD";
  IMGPROC_CHECK(input.status());
  IMGPROC_TRY(CapacityDetail detail, capacity_detail(request));
  write.needs_old_item =
      write.return_values != ReturnValues::none || detail != CapacityDetail::none;
  IMGPROC_TRY(write.table, table_for_items(call, request));
  return write;
}

base::Status parse_write_condition(const json::object& request, Placeholders& placeholders,
                                   Write& write) {
  Input input(request);
  auto text = input.text("ConditionExpression");
  IMGPROC_CHECK(input.status());
  if (text) {
    IMGPROC_TRY(write.condition, parse_condition("ConditionExpression", *text, placeholders));
    IMGPROC_CHECK(check_key_paths(*write.table, *write.condition));
  } else {
    IMGPROC_TRY(write.condition, parse_expected(request));
  }
  return placeholders.check_all_used();
}

base::Result<Written> apply(Connection& connection, const Write& write,
                            std::optional<AttributeMap>& failed_item) {
  const Table& table = *write.table;
  Written written;
  bool reads = write.kind != Write::Kind::put || write.condition || write.needs_old_item ||
               !table.indexes.empty();
  if (reads) {
    IMGPROC_TRY(auto stored, read_item(connection, table, write.key));
    if (stored) {
      IMGPROC_TRY(written.old_item, parse_stored(stored->json));
      written.old_bytes = static_cast<std::size_t>(stored->bytes);
    }
  }
  static const AttributeMap kNothing;
  const AttributeMap& before = written.old_item ? *written.old_item : kNothing;
  if (write.condition && !evaluate(*write.condition, before)) {
    if (write.return_item_on_failure) failed_item = written.old_item;
    return conditional_check_failed();
  }
  switch (write.kind) {
    case Write::Kind::check:
      return written;
    case Write::Kind::erase:
      if (written.old_item)
        IMGPROC_CHECK(erase_item(connection, table, write.key, *written.old_item));
      return written;
    case Write::Kind::put:
      written.new_item = write.item;
      break;
    case Write::Kind::update: {
      // An update of an item that does not exist starts from its key.
      AttributeMap start = written.old_item ? *written.old_item : write.item;
      IMGPROC_TRY(written.new_item, apply_update(start, write.actions));
      IMGPROC_CHECK(check_index_keys(table, *written.new_item, true));
      break;
    }
  }
  written.new_bytes = protocol::size_of(*written.new_item);
  if (written.new_bytes > kItemBytesMax)
    return invalid(write.kind == Write::Kind::update
                       ? "Item size to update has exceeded the maximum allowed size"
                       : "Item size has exceeded the maximum allowed size");
  IMGPROC_CHECK(write_item(connection, table, write.key,
                           written.old_item ? &*written.old_item : nullptr, *written.new_item));
  return written;
}

base::Result<std::string> run_single_write(Call& call, const Write& write) {
  IMGPROC_TRY(CapacityDetail detail, capacity_detail(call.request));
  IMGPROC_TRY(bool metrics, wants_collection_metrics(call.request));
  Written written;
  std::optional<AttributeMap> failed_item;
  auto status = call.store.database().write([&](Connection& connection) -> base::Status {
    IMGPROC_TRY(written, apply(connection, write, failed_item));
    return {};
  });
  if (!status) {
    if (failed_item) call.error_members["Item"] = to_json_value(*failed_item);
    return std::unexpected(std::move(status).error());
  }
  std::string body = "{";
  auto add_member = [&](std::string_view name) {
    if (body.size() > 1) body += ',';
    body += '"';
    body += name;
    body += "\":";
  };
  if (auto attributes = returned(write, written); attributes && !attributes->empty()) {
    add_member("Attributes");
    protocol::append_json(body, *attributes);
  }
  if (detail != CapacityDetail::none) {
    add_member("ConsumedCapacity");
    body += json::serialize(to_json(*write.table, capacity_of(*write.table, written), detail));
  }
  if (metrics && write.table->has_local_indexes) {
    add_member("ItemCollectionMetrics");
    body += json::serialize(item_collection_metrics(*write.table, write.item));
  }
  return body + "}";
}

}  // namespace imgproc::localcloud::dynamodb
