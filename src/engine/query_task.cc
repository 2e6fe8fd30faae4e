#include "engine/query_task.h"

namespace sd::engine {

QueryTask QueryTask::from_message(const json::Value& message, UniqueFd out) {
  const auto number = [&](const char* key) {
    const json::Value* value = message.find(key);
    return value == nullptr ? std::uint64_t{0} : value->as_uint().value_or(0);
  };
  QueryTask task;
  task.id = number("id");
  task.sql = message.string_or("sql", "");
  task.parameters = message.string_or("parameters", "");
  task.types = message.string_or("types", "");
  if (const json::Value* tables = message.find("tables")) {
    task.tables.emplace();
    for (const json::Value& table : tables->elements()) task.tables->push_back(table.text());
  }
  task.snapshot = message.bool_or("snapshot", false);
  task.source = message.string_or("source", "");
  task.format =
      query::parse_format(message.string_or("format", "json")).value_or(query::Format::kJson);
  task.encode.quote_int64 = message.bool_or("quote_int64", false);
  task.encode.quote_nan = message.bool_or("quote_nan", false);
  task.encode.spreadsheet = message.bool_or("spreadsheet", false);
  task.coding = query::parse_coding(message.string_or("coding", ""));
  task.position = number("position");
  task.fresh_us = static_cast<Micros>(number("fresh_ms")) * 1000;
  task.must_be_fresh = message.bool_or("must_be_fresh", false);
  task.timeout_us = static_cast<Micros>(number("timeout_ms")) * 1000;
  task.max_rows = number("max_rows");
  task.variant = message.string_or("variant", "");
  task.if_none_match = message.string_or("if_none_match", "");
  task.out = std::move(out);
  return task;
}

}  // namespace sd::engine
