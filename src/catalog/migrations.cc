#include "catalog/migrations.h"

#include <soci/soci.h>

#include <array>
#include <string>
#include <vector>

#include "catalog/sealed_rows.h"
#include "catalog/share_token.h"

namespace sd::catalog {
namespace {

// SQL that SQLite and Postgres both take. Ids are UUID text, times wall microseconds, flags 0 or 1,
// scopes the sum of Scope's numbers, origin and state the numbers of their enums.
constexpr std::string_view kVersion1 = R"sql(
CREATE TABLE catalog_epoch (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  epoch BIGINT NOT NULL
);
INSERT INTO catalog_epoch (id, epoch) VALUES (1, 1);
CREATE TABLE meta (
  name VARCHAR(255) PRIMARY KEY,
  text TEXT NOT NULL
);
CREATE TABLE destinations (
  id CHAR(36) PRIMARY KEY,
  name VARCHAR(255) NOT NULL,
  type VARCHAR(64) NOT NULL,
  origin INTEGER NOT NULL,
  state INTEGER NOT NULL,
  target_file TEXT,
  log_generation BIGINT NOT NULL,
  generation BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  deleted_at BIGINT
);
CREATE UNIQUE INDEX destinations_name ON destinations (name) WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX destinations_file ON destinations (target_file)
  WHERE deleted_at IS NULL AND target_file IS NOT NULL;
CREATE TABLE destination_settings (
  destination_id CHAR(36) NOT NULL REFERENCES destinations (id),
  name VARCHAR(255) NOT NULL,
  text TEXT NOT NULL,
  secret INTEGER NOT NULL,
  PRIMARY KEY (destination_id, name)
);
CREATE TABLE api_keys (
  id CHAR(36) PRIMARY KEY,
  destination_id CHAR(36) REFERENCES destinations (id),
  name VARCHAR(255) NOT NULL,
  hash CHAR(64) NOT NULL,
  prefix VARCHAR(32) NOT NULL,
  scopes INTEGER NOT NULL,
  limits_tables INTEGER NOT NULL,
  limits_endpoints INTEGER NOT NULL,
  origin INTEGER NOT NULL,
  created_at BIGINT NOT NULL,
  last_used_at BIGINT,
  revoked_at BIGINT
);
CREATE UNIQUE INDEX api_keys_hash ON api_keys (hash);
CREATE INDEX api_keys_destination ON api_keys (destination_id, created_at, id);
CREATE INDEX api_keys_created ON api_keys (created_at, id);
CREATE TABLE api_key_limits (
  key_id CHAR(36) NOT NULL REFERENCES api_keys (id),
  kind INTEGER NOT NULL,
  place INTEGER NOT NULL,
  name VARCHAR(255) NOT NULL,
  PRIMARY KEY (key_id, kind, place)
);
CREATE TABLE shares (
  id CHAR(36) PRIMARY KEY,
  destination_id CHAR(36) NOT NULL REFERENCES destinations (id),
  key_id CHAR(36) REFERENCES api_keys (id),
  name VARCHAR(255) NOT NULL,
  query TEXT NOT NULL,
  formats TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  revoked_at BIGINT,
  max_downloads BIGINT,
  downloads BIGINT NOT NULL
);
CREATE INDEX shares_destination ON shares (destination_id, created_at, id);
)sql";

// How rows sent with a key are flattened where the request does not say: a mode's name, or nothing.
constexpr const char* kVersion2 = R"sql(
ALTER TABLE api_keys ADD COLUMN flatten TEXT NOT NULL DEFAULT '';
)sql";

// The most that a query may answer with, in rows and in bytes; 0: any number.
constexpr const char* kVersion3 = R"sql(
ALTER TABLE api_keys ADD COLUMN max_rows BIGINT NOT NULL DEFAULT 0;
ALTER TABLE api_keys ADD COLUMN max_bytes BIGINT NOT NULL DEFAULT 0;
)sql";

// Shares by the hash of their token, with what else they may have; and their downloads. formats, embed: parted by commas.
constexpr const char* kVersion4 = R"sql(
DROP INDEX shares_destination;
ALTER TABLE shares RENAME TO shares_before;
CREATE TABLE shares (
  id CHAR(36) PRIMARY KEY,
  token_hash CHAR(64) NOT NULL,
  token_sealed TEXT NOT NULL,
  destination_id CHAR(36) NOT NULL REFERENCES destinations (id),
  key_id CHAR(36) REFERENCES api_keys (id),
  name VARCHAR(255) NOT NULL,
  query TEXT NOT NULL,
  formats TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  revoked_at BIGINT,
  max_downloads BIGINT,
  downloads BIGINT NOT NULL,
  password_hash TEXT NOT NULL,
  frozen_rows BIGINT,
  frozen_bytes BIGINT,
  max_rows BIGINT NOT NULL,
  timeout_ms BIGINT NOT NULL,
  max_running BIGINT NOT NULL,
  embed TEXT NOT NULL
);
CREATE UNIQUE INDEX shares_token ON shares (token_hash);
CREATE INDEX shares_destination ON shares (destination_id, created_at, id);
CREATE TABLE share_downloads (
  id CHAR(36) PRIMARY KEY,
  share_id CHAR(36) NOT NULL REFERENCES shares (id),
  at BIGINT NOT NULL,
  format VARCHAR(32) NOT NULL,
  bytes BIGINT NOT NULL,
  whole INTEGER NOT NULL,
  address TEXT NOT NULL
);
CREATE INDEX share_downloads_share ON share_downloads (share_id, at, id);
)sql";

// Saved endpoints; definitions are JSON of the API's. What a key has fixed of their parameters is a JSON object, or
// nothing. key_id of usage is nothing where there was no key.
constexpr const char* kVersion5 = R"sql(
CREATE TABLE endpoints (
  id CHAR(36) PRIMARY KEY,
  destination_id CHAR(36) NOT NULL REFERENCES destinations (id),
  name VARCHAR(255) NOT NULL,
  public INTEGER NOT NULL,
  newest BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  deleted_at BIGINT
);
CREATE UNIQUE INDEX endpoints_name ON endpoints (destination_id, name) WHERE deleted_at IS NULL;
CREATE INDEX endpoints_public ON endpoints (name, created_at) WHERE deleted_at IS NULL AND public = 1;
CREATE TABLE endpoint_versions (
  endpoint_id CHAR(36) NOT NULL REFERENCES endpoints (id),
  number BIGINT NOT NULL,
  definition TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  retired_at BIGINT,
  PRIMARY KEY (endpoint_id, number)
);
CREATE TABLE endpoint_usage (
  endpoint_id CHAR(36) NOT NULL REFERENCES endpoints (id),
  day BIGINT NOT NULL,
  key_id VARCHAR(36) NOT NULL,
  calls BIGINT NOT NULL,
  errors BIGINT NOT NULL,
  bytes BIGINT NOT NULL,
  PRIMARY KEY (endpoint_id, day, key_id)
);
ALTER TABLE api_keys ADD COLUMN parameters TEXT NOT NULL DEFAULT '';
ALTER TABLE api_keys ADD COLUMN requests_per_minute BIGINT NOT NULL DEFAULT 0;
)sql";

constexpr std::string_view kVersion6 = R"sql(
CREATE TABLE sessions (
  id CHAR(36) PRIMARY KEY,
  kind INTEGER NOT NULL,
  hash CHAR(64) NOT NULL UNIQUE,
  key_id CHAR(36) NOT NULL REFERENCES api_keys (id),
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  ended_at BIGINT
);
ALTER TABLE endpoint_versions ADD COLUMN columns TEXT NOT NULL DEFAULT '';
ALTER TABLE endpoint_versions ADD COLUMN public INTEGER NOT NULL DEFAULT 0;
UPDATE endpoint_versions SET public = 1 WHERE endpoint_id IN (SELECT id FROM endpoints WHERE public = 1);
)sql";

// The id was the token, as it is.
Result<> hide_tokens(soci::session& sql, const Sealer& sealer) {
  std::vector<std::string> tokens;
  const soci::rowset<std::string> rows = (sql.prepare << "SELECT id FROM shares_before");
  for (const std::string& token : rows) tokens.push_back(token);
  for (const std::string& token : tokens) {
    const std::string id = Id128::make().to_string();
    const auto parsed = Id128::parse(token);
    if (!parsed) return fail(ErrorCode::kCorruption, "a share's id is none");
    const auto [hash, sealed] = hide_token(*parsed, id, sealer);
    sql << "INSERT INTO shares SELECT :id, :hash, :sealed, destination_id, key_id, name, query, "
           "formats, "
           "created_at, expires_at, revoked_at, max_downloads, downloads, '', NULL, NULL, 0, 0, 0, "
           "'' "
           "FROM shares_before WHERE id = :token",
        soci::use(id), soci::use(hash), soci::use(sealed), soci::use(token);
  }
  sql << "DROP TABLE shares_before";
  return {};
}

// Secrets of destinations stood there as they are.
Result<> seal_settings(soci::session& sql, const Sealer& sealer) {
  seal_plain_settings(sql, sealer);
  return {};
}

constexpr std::array kMigrations = {
    Migration{1, kVersion1},        Migration{2, kVersion2},
    Migration{3, kVersion3},        Migration{4, kVersion4, hide_tokens},
    Migration{5, kVersion5},        Migration{6, kVersion6},
    Migration{7, "", seal_settings}};

void run_statements(soci::session& sql, std::string_view statements) {
  while (true) {
    const std::size_t end = statements.find(";\n");
    if (end == std::string_view::npos) return;
    sql << std::string(statements.substr(0, end));
    statements.remove_prefix(end + 2);
  }
}

long long count_tables(soci::session& sql, const std::string& condition) {
  long long count = 0;
  sql << "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND " + condition,
      soci::into(count);
  return count;
}

}  // namespace

std::span<const Migration> migrations() {
  return kMigrations;
}
int newest_schema_version() {
  return kMigrations.back().version;
}

Result<> migrate(Connection& connection, std::int64_t now_us, const Sealer& sealer) {
  // First without the write lock: nearly always there is nothing to do.
  const auto version_of = [](soci::session& sql) -> Result<long long> {
    if (count_tables(sql, "name = 'schema_migrations'") == 0) {
      if (count_tables(sql, "name NOT LIKE 'sqlite_%'") != 0) {
        return fail(invalid("the catalog file belongs to another program"));
      }
      return 0;
    }
    long long version = 0;
    sql << "SELECT coalesce(max(version), 0) FROM schema_migrations", soci::into(version);
    if (version > newest_schema_version()) {
      return fail(invalid("the catalog was written by a newer version of this program (schema " +
                          std::to_string(version) + ", this one knows " +
                          std::to_string(newest_schema_version()) + ")"));
    }
    return version;
  };
  TRY_ASSIGN(const long long before, in_transaction(connection, Access::kRead, version_of));
  for (const Migration& migration : kMigrations) {
    if (migration.version <= before) continue;
    TRY(in_transaction(connection, Access::kWrite, [&](soci::session& sql) -> Result<> {
      // Again under the lock: another process may have been faster.
      TRY_ASSIGN(const long long version, version_of(sql));
      if (version >= migration.version) return {};
      if (version == 0) {
        sql << "CREATE TABLE IF NOT EXISTS schema_migrations (version INTEGER PRIMARY KEY, "
               "applied_at BIGINT NOT NULL)";
      }
      run_statements(sql, migration.statements);
      if (migration.convert != nullptr) {
        if (Result<> converted = migration.convert(sql, sealer); !converted) return converted;
      }
      const long long at = now_us;
      sql << "INSERT INTO schema_migrations (version, applied_at) VALUES (:version, :at)",
          soci::use(migration.version), soci::use(at);
      return {};
    }));
  }
  return {};
}

}  // namespace sd::catalog
