#include <charconv>

#include "destinations/duckdb/duckdb_destination.h"

namespace sd::destinations::duckdb {

Result<DuckdbOptions> options_from_settings(
    const std::vector<std::pair<std::string, std::string>>& settings,
    const std::string& default_path) {
  DuckdbOptions options;
  options.path = default_path;
  const auto get = [&](std::string_view name) -> std::string {
    for (const auto& [key, value] : settings) {
      if (key == name) return value;
    }
    return "";
  };
  options.extension_repository = get("extension_repository");
  // The original's precedence: in_memory, then file, then token.
  if (get("in_memory") == "true" || get("file") == ":memory:") {
    options.target = DuckdbOptions::Target::kMemory;
    options.path.clear();
    return options;
  }
  if (const std::string file = get("file"); !file.empty()) {
    options.path = file;
    return options;
  }
  if (const std::string token = get("token"); !token.empty()) {
    options.target = DuckdbOptions::Target::kMotherDuck;
    options.token = token;
    options.database = get("database").empty() ? "my_db" : get("database");
    return options;
  }
  if (options.path.empty()) return fail(invalid("a DuckDB destination needs a file"));
  return options;
}

}  // namespace sd::destinations::duckdb
