// Expressions of all kinds, parsed and run over one item.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/json.h"
#include "localcloud/dynamodb/condition_eval.h"
#include "localcloud/dynamodb/expression_parser.h"
#include "localcloud/dynamodb/key_condition.h"
#include "localcloud/dynamodb/projection.h"
#include "localcloud/dynamodb/update_eval.h"

using namespace imgproc;
using namespace imgproc::localcloud::dynamodb;

namespace {

const json::object& request() {
  static const json::value document = *base::parse_json(R"({
    "ExpressionAttributeNames":{"#a":"a","#b":"b"},
    "ExpressionAttributeValues":{":s":{"S":"x"},":n":{"N":"7"},":l":{"L":[{"N":"1"}]},":m":{"M":{"a":{"S":"x"}}},
      ":t":{"S":"S"},":ss":{"SS":["x","y"]},":ns":{"NS":["1"]},":b":{"B":"AAEC"}}})");
  return document.get_object();
}

const AttributeMap& item() {
  static const AttributeMap map = *protocol::parse_attribute_map(base::parse_json(R"({
    "a":{"S":"xyz"},"b":{"N":"5"},"c":{"L":[{"N":"1"},{"L":[{"S":"x"},{"M":{"a":{"N":"2"}}}]}]},
    "d":{"M":{"a":{"L":[{"S":"x"}]},"b":{"N":"1"}}},"e":{"SS":["x","z"]}})")
                                                                     ->as_object());
  return map;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  auto placeholders = *Placeholders::read(request());
  if (auto condition = parse_condition("ConditionExpression", text, placeholders)) {
    [[maybe_unused]] bool held = evaluate(*condition, item());
    KeySchema keys{.hash = {"a", AttributeType::string},
                   .range = KeyAttribute{"b", AttributeType::number}};
    if (auto range = key_range(*condition, keys); range && range->high && range->hash.empty())
      std::abort();
  }
  if (auto actions = parse_update(text, placeholders)) {
    if (auto after = apply_update(item(), *actions)) {
      // What an update makes is an item that could be stored.
      auto document = base::parse_json(protocol::to_json(*after));
      if (!document) std::abort();
    }
  }
  if (auto paths = parse_projection(text, placeholders)) {
    AttributeMap reduced = Projection(*paths).apply(item());
    if (protocol::size_of(reduced) > protocol::size_of(item())) std::abort();
  }
  return 0;
}
