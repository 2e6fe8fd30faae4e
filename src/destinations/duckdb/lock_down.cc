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

Result<> DuckdbDestination::lock_down() {
  if (options_.target != DuckdbOptions::Target::kMotherDuck) {
    std::string paths;
    for (const std::string& path : options_.open_paths) {
      paths += (paths.empty() ? "" : ", ") + quote_literal(path);
    }
    TRY(execute(writer_.get(), "SET GLOBAL allowed_paths=[" + paths + "]"));
    TRY(execute(writer_.get(), "SET GLOBAL enable_external_access=false"));
  }
  return execute(writer_.get(), "SET GLOBAL lock_configuration=true");
}

}  // namespace sd::destinations::duckdb
