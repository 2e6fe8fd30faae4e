#include "catalog/sealed_rows.h"

#include <soci/soci.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "base/file.h"
#include "base/log.h"
#include "catalog/destination_rows.h"
#include "catalog/share_token.h"

namespace sd::catalog {
namespace {

constexpr const char* kKeyIdName = "secret_key_id";  // of the key of the last rotation
constexpr const char* kRewriteName = "rewrite_file";

std::string key_path(const CatalogOptions& options, std::string_view name) {
  return options.data_dir + "/" + std::string(name);
}

void put_meta(soci::session& sql, const std::string& name, const std::string& text) {
  sql << "INSERT INTO meta (name, text) VALUES (:name, :text) "
         "ON CONFLICT (name) DO UPDATE SET text = excluded.text",
      soci::use(name), soci::use(text);
}

std::string read_meta(soci::session& sql, const std::string& name) {
  std::string text;
  int tables = 0;
  sql << "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'meta'",
      soci::into(tables);
  if (tables == 0) return text;
  sql << "SELECT text FROM meta WHERE name = :name", soci::use(name), soci::into(text);
  return text;
}

// Step 4. Another process may have been faster.
Result<> take_next_key(const CatalogOptions& options) {
  const auto renamed = posix_file_system().rename(key_path(options, kNextKeyFile),
                                                  key_path(options, kSecretKeyFile));
  if (!renamed && renamed.error().code != ErrorCode::kNotFound) return renamed;
  return posix_file_system().sync_directory(options.data_dir);
}

Result<> settle_rotation(Connection& connection, const CatalogOptions& options) {
  const std::string next_path = key_path(options, kNextKeyFile);
  return in_transaction(connection, Access::kWrite, [&](soci::session& sql) -> Result<> {
    TRY_ASSIGN(const bool begun, posix_file_system().exists(next_path));
    if (!begun) return {};
    const auto next = Sealer::from_file(next_path);
    if (next && next->key_id() == read_meta(sql, kKeyIdName)) {
      log::warn("a rotation of the secret key that broke off is finished");
      return take_next_key(options);
    }
    log::warn("a rotation of the secret key that broke off is undone");
    return posix_file_system().remove(next_path);
  });
}

struct Sealed {
  std::string key, name, text;  // name: of a setting
};

std::vector<Sealed> read_sealed(soci::session& sql, const std::string& query) {
  std::vector<Sealed> out;
  Sealed row;
  soci::statement st =
      (sql.prepare << query, soci::into(row.key), soci::into(row.name), soci::into(row.text));
  st.execute();
  while (st.fetch()) out.push_back(row);
  return out;
}

constexpr const char* kSecretSettings =
    "SELECT destination_id, name, text FROM destination_settings WHERE secret = 1";

void put_setting(soci::session& sql, const Sealed& row, const std::string& text) {
  sql << "UPDATE destination_settings SET text = :text WHERE destination_id = :id AND name = :name",
      soci::use(text), soci::use(row.key), soci::use(row.name);
}

// Step 3, but for the commit.
Catalog::Rotated seal_anew(soci::session& sql, const Sealer& from, const Sealer& to) {
  Catalog::Rotated counts;
  const auto anew = [&](const Sealed& row, const std::string& place) -> std::optional<std::string> {
    const auto plain = from.unseal(row.text, place);
    const bool readable = plain || to.unseal(row.text, place).has_value();
    counts.sealed += readable ? 1 : 0;
    counts.unreadable += readable ? 0 : 1;
    return plain ? std::optional(to.seal(*plain, place)) : std::nullopt;
  };
  for (const Sealed& row : read_sealed(sql, kSecretSettings)) {
    if (const auto text = anew(row, setting_place(row.key, row.name))) put_setting(sql, row, *text);
  }
  for (const Sealed& row : read_sealed(sql, "SELECT id, '', token_sealed FROM shares")) {
    const auto text = anew(row, token_place(row.key));
    if (!text) continue;
    sql << "UPDATE shares SET token_sealed = :text WHERE id = :id", soci::use(*text),
        soci::use(row.key);
  }
  put_meta(sql, kKeyIdName, to.key_id());
  ask_for_rewriting(sql);
  return counts;
}

Result<Sealer> new_sealer(const CatalogOptions& options, const std::string& new_key,
                          const Sealer& present) {
  if (new_key.empty()) return Sealer::make_file(key_path(options, kNextKeyFile));
  TRY_ASSIGN(Sealer made, Sealer::from_hex(new_key));
  if (made.key_id() == present.key_id())
    return fail(invalid("the new secret key is the one that is in use"));
  return made;
}

}  // namespace

Result<Sealer> open_sealer(Connection& connection, const CatalogOptions& options) {
  if (!options.secret_key.empty()) return Sealer::from_hex(options.secret_key);
  TRY_ASSIGN(const bool begun, posix_file_system().exists(key_path(options, kNextKeyFile)));
  if (begun) TRY(settle_rotation(connection, options));
  return Sealer::from_file(key_path(options, kSecretKeyFile));
}

void seal_plain_settings(soci::session& sql, const Sealer& sealer) {
  for (const Sealed& row : read_sealed(sql, kSecretSettings))
    put_setting(sql, row, sealer.seal(row.text, setting_place(row.key, row.name)));
  long long destinations = 0;
  sql << "SELECT count(*) FROM destinations", soci::into(destinations);
  if (destinations > 0) ask_for_rewriting(sql);
}

void ask_for_rewriting(soci::session& sql) {
  put_meta(sql, kRewriteName, "1");
}

void rewrite_where_asked(Connection& connection) {
  const auto done = guarded([&]() -> Result<> {
    soci::session& sql = connection.sql();
    if (read_meta(sql, kRewriteName).empty()) return {};
    sql << "VACUUM";
    int busy = 0, pages = 0, moved = 0;
    sql << "PRAGMA wal_checkpoint(TRUNCATE)", soci::into(busy), soci::into(pages),
        soci::into(moved);
    if (busy != 0) return fail(ErrorCode::kUnavailable, "another process reads it");
    const std::string name = kRewriteName;
    sql << "DELETE FROM meta WHERE name = :name", soci::use(name);
    return {};
  });
  if (!done)
    log::warn("the catalog's file could not be written anew; the next start tries it again",
              {{"error", done.error().message}});
}

Result<Catalog::Rotated> Catalog::rotate_secret_key(const CatalogOptions& options,
                                                    const std::string& new_key,
                                                    const std::function<void(const char*)>& at) {
  const auto reached = [&](const char* step) {
    if (at) at(step);
  };
  TRY_ASSIGN(const auto catalog, open(options));
  Impl& impl = *catalog->impl_;
  const std::lock_guard lock(impl.write_mutex);
  const auto work = [&](soci::session& sql) -> Result<Rotated> {
    reached("begun");
    TRY_ASSIGN(const Sealer next, new_sealer(options, new_key, impl.sealer));
    reached("key written");
    const Rotated counts = seal_anew(sql, impl.sealer, next);
    reached("sealed");
    return counts;
  };
  TRY_ASSIGN(const Rotated counts, in_transaction(*impl.writer, Access::kWrite, work));
  reached("committed");
  if (new_key.empty()) TRY(take_next_key(options));
  reached("renamed");
  rewrite_where_asked(*impl.writer);
  reached("rewritten");
  return counts;
}

}  // namespace sd::catalog
