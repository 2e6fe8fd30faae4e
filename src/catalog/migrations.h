// The catalog's schema, as numbered steps. Each is applied once, in one transaction together with
// its row in schema_migrations. A step that has been released is never edited: what changes is a
// new step.
#pragma once

#include <span>
#include <string_view>

#include "base/result.h"
#include "catalog/seal.h"
#include "catalog/sql.h"

namespace sd::catalog {

struct Migration {
  int version;
  std::string_view statements;  // separated by ";\n"
  // Then, in the same transaction, what SQL alone cannot do.
  Result<> (*convert)(soci::session& sql, const Sealer& sealer) = nullptr;
};

std::span<const Migration> migrations();
int newest_schema_version();

// Brings the file to the newest version. kInvalidArgument if a newer program wrote it or if it is
// some other program's database.
Result<> migrate(Connection& connection, std::int64_t now_us, const Sealer& sealer);

}  // namespace sd::catalog
