// DuckDB's own walls: what is set when an instance is made, and what is closed once the database is
// attached. In a file of its own because a test build leaves them out, to see that the sandbox of
// the engine holds without them (tests/e2e/tools/ungated.cc).
#include "destinations/duckdb/duckdb_destination.h"

namespace sd::destinations::duckdb {

std::vector<std::pair<std::string, std::string>> DuckdbDestination::protective_settings() {
  return {{"autoinstall_known_extensions", "false"},
          {"autoload_known_extensions", "false"},
          {"allow_community_extensions", "false"},
          {"allow_persistent_secrets", "false"}};
}

namespace {

std::string list_of(const std::vector<std::string>& texts) {
  std::string list;
  for (const std::string& text : texts) list += (list.empty() ? "" : ", ") + quote_literal(text);
  return "[" + list + "]";
}

}  // namespace

Result<> DuckdbDestination::lock_down() {
  if (options_.target != DuckdbOptions::Target::kMotherDuck) {
    TRY(execute(writer_.get(), "SET GLOBAL allowed_paths=" + list_of(options_.open_paths)));
    TRY(execute(writer_.get(), "SET GLOBAL allowed_directories=" + list_of(options_.open_folders)));
    TRY(execute(writer_.get(), "SET GLOBAL enable_external_access=false"));
  }
  return execute(writer_.get(), "SET GLOBAL lock_configuration=true");
}

}  // namespace sd::destinations::duckdb
