#include "destinations/duckdb/library.h"

#include <cstring>
#include <string>

namespace sd::destinations::duckdb {

Result<> check_library() {
  const char* found = duckdb_library_version();
  if (std::strcmp(found, kPinnedVersion) == 0) return {};
  return fail(ErrorCode::kInternal, std::string("this program needs DuckDB ") + kPinnedVersion +
                                        ", the library beside it is " + found);
}

}  // namespace sd::destinations::duckdb
