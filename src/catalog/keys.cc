// Catalog: API keys.
#include <soci/soci.h>

#include <map>
#include <set>

#include "base/checksum.h"
#include "base/ids.h"
#include "catalog/impl.h"

namespace sd::catalog {
namespace {

// api_key_limits.kind
constexpr int kTableLimit = 1;
constexpr int kEndpointLimit = 2;
constexpr std::size_t kMostLimits = 1000;

constexpr const char* kColumns =
    "SELECT id, destination_id, name, hash, prefix, scopes, limits_tables, limits_endpoints, "
    "origin, "
    "created_at, last_used_at, revoked_at, flatten, max_rows, max_bytes, parameters, "
    "requests_per_minute FROM api_keys ";

struct KeyRow {
  std::string id, destination_id, name, hash, prefix, flatten, parameters;
  int scopes = 0, limits_tables = 0, limits_endpoints = 0, origin = 0;
  long long created_at = 0, last_used_at = 0, revoked_at = 0, max_rows = 0, max_bytes = 0,
            requests_per_minute = 0;
  soci::indicator has_destination = soci::i_null, was_used = soci::i_null,
                  is_revoked = soci::i_null;

  KeyTable::Row to_row() const {
    KeyTable::Row out;
    Key& key = out.key;
    key.id = parse_id(id);
    if (has_destination == soci::i_ok) key.destination_id = parse_id(destination_id);
    key.name = name;
    key.prefix = prefix;
    key.scopes.bits = static_cast<std::uint8_t>(scopes);
    if (limits_tables != 0) key.tables.emplace();
    if (limits_endpoints != 0) key.endpoints.emplace();
    key.flatten = flatten;
    key.max_rows = static_cast<std::uint64_t>(max_rows);
    key.max_bytes = static_cast<std::uint64_t>(max_bytes);
    key.parameters = parameters;
    key.requests_per_minute = static_cast<std::uint64_t>(requests_per_minute);
    key.origin = static_cast<Origin>(origin);
    key.created_at = created_at;
    if (was_used == soci::i_ok) key.last_used_at = last_used_at;
    if (is_revoked == soci::i_ok) key.revoked_at = revoked_at;
    out.hash = parse_hash(hash);
    return out;
  }
};

template <typename S>
S&& into_row(S&& statement, KeyRow& row) {
  statement, soci::into(row.id), soci::into(row.destination_id, row.has_destination),
      soci::into(row.name), soci::into(row.hash), soci::into(row.prefix), soci::into(row.scopes),
      soci::into(row.limits_tables), soci::into(row.limits_endpoints), soci::into(row.origin),
      soci::into(row.created_at), soci::into(row.last_used_at, row.was_used),
      soci::into(row.revoked_at, row.is_revoked), soci::into(row.flatten), soci::into(row.max_rows),
      soci::into(row.max_bytes), soci::into(row.parameters), soci::into(row.requests_per_minute);
  return std::forward<S>(statement);
}

void read_limits(soci::session& sql, Key& key) {
  if (!key.tables && !key.endpoints) return;
  const std::string id = key.id.to_string();
  int kind = 0;
  std::string name;
  soci::statement st = (sql.prepare << "SELECT kind, name FROM api_key_limits WHERE key_id = :id "
                                       "ORDER BY kind, place",
                        soci::use(id), soci::into(kind), soci::into(name));
  st.execute();
  while (st.fetch()) {
    auto& list = kind == kTableLimit ? key.tables : key.endpoints;
    if (list) list->push_back(name);
  }
}

std::vector<KeyTable::Row> fetch_all(soci::session& sql, soci::statement& st, KeyRow& row) {
  std::vector<KeyTable::Row> out;
  st.execute();
  while (st.fetch()) out.push_back(row.to_row());
  for (KeyTable::Row& each : out) read_limits(sql, each.key);
  return out;
}

Result<KeyTable::Row> fetch_one(soci::session& sql, const std::string& where,
                                const std::string& value) {
  KeyRow row;
  soci::statement st(
      into_row((sql.prepare << std::string(kColumns) + where, soci::use(value)), row));
  auto rows = fetch_all(sql, st, row);
  if (rows.empty()) return fail(ErrorCode::kNotFound, "there is no such key");
  return std::move(rows.front());
}

Result<> check_limits(std::string_view what, const std::optional<std::vector<std::string>>& list) {
  if (!list) return {};
  if (list->size() > kMostLimits) {
    return fail(invalid("a key takes at most " + std::to_string(kMostLimits) + " " +
                        std::string(what) + " names"));
  }
  for (const std::string& name : *list) TRY(check_name(std::string(what) + " name", name));
  return {};
}

void insert_limits(soci::session& sql, const std::string& key_id, int kind,
                   const std::optional<std::vector<std::string>>& list) {
  if (!list) return;
  for (int place = 0; place < static_cast<int>(list->size()); ++place) {
    const std::string& name = (*list)[static_cast<std::size_t>(place)];
    sql << "INSERT INTO api_key_limits (key_id, kind, place, name) "
           "VALUES (:key, :kind, :place, :name)",
        soci::use(key_id), soci::use(kind), soci::use(place), soci::use(name);
  }
}

void insert_key(soci::session& sql, const Key& key, const Sha256Digest& digest) {
  const std::string id = key.id.to_string();
  const std::string destination = id_text(key.destination_id);
  soci::indicator has_destination = key.destination_id ? soci::i_ok : soci::i_null;
  const std::string hash = to_hex(digest);
  const int scopes = key.scopes.bits;
  const int tables = key.tables ? 1 : 0;
  const int endpoints = key.endpoints ? 1 : 0;
  const int origin = static_cast<int>(key.origin);
  const long long created = key.created_at;
  const auto max_rows = static_cast<long long>(key.max_rows);
  const auto max_bytes = static_cast<long long>(key.max_bytes);
  const auto rate = static_cast<long long>(key.requests_per_minute);
  sql << "INSERT INTO api_keys (id, destination_id, name, hash, prefix, scopes, limits_tables, "
         "limits_endpoints, origin, created_at, flatten, max_rows, max_bytes, parameters, "
         "requests_per_minute) VALUES (:id, :destination, :name, :hash, :prefix, :scopes, :tables, "
         ":endpoints, :origin, :created, :flatten, :max_rows, :max_bytes, :parameters, :rate)",
      soci::use(id), soci::use(destination, has_destination), soci::use(key.name), soci::use(hash),
      soci::use(key.prefix), soci::use(scopes), soci::use(tables), soci::use(endpoints),
      soci::use(origin), soci::use(created), soci::use(key.flatten), soci::use(max_rows),
      soci::use(max_bytes), soci::use(key.parameters), soci::use(rate);
  insert_limits(sql, id, kTableLimit, key.tables);
  insert_limits(sql, id, kEndpointLimit, key.endpoints);
}

// A configured key that stands in the catalog already takes the shape that it has now.
void update_configured(soci::session& sql, const Key& old, const ConfiguredKey& wanted) {
  const bool same = old.destination_id == wanted.destination_id && old.scopes == wanted.scopes &&
                    old.origin == wanted.origin && !old.revoked_at;
  if (same) return;
  const std::string id = old.id.to_string();
  const std::string destination = id_text(wanted.destination_id);
  soci::indicator has_destination = wanted.destination_id ? soci::i_ok : soci::i_null;
  const int scopes = wanted.scopes.bits;
  const int origin = static_cast<int>(wanted.origin);
  sql << "UPDATE api_keys SET destination_id = :destination, scopes = :scopes, origin = :origin, "
         "revoked_at = NULL WHERE id = :id",
      soci::use(destination, has_destination), soci::use(scopes), soci::use(origin), soci::use(id);
}

void mark_revoked(soci::session& sql, Id128 id, Micros now) {
  const std::string text = id.to_string();
  const long long at = now;
  sql << "UPDATE api_keys SET revoked_at = :now WHERE id = :id AND revoked_at IS NULL",
      soci::use(at), soci::use(text);
}

std::string_view view(const Sha256Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

}  // namespace

Sha256Digest parse_hash(const std::string& hex) {
  Sha256Digest out{};
  if (hex.size() != 2 * out.size()) throw std::runtime_error("a hash has a wrong length");
  for (std::size_t i = 0; i < out.size(); ++i) {
    const int value = std::stoi(hex.substr(2 * i, 2), nullptr, 16);
    out[i] = static_cast<std::uint8_t>(value);
  }
  return out;
}

std::vector<KeyTable::Row> read_live_keys(soci::session& sql) {
  KeyRow row;
  soci::statement st(
      into_row(sql.prepare << std::string(kColumns) + "WHERE revoked_at IS NULL", row));
  return fetch_all(sql, st, row);
}

Result<CreatedKey> Catalog::create_key(const NewKey& spec) {
  TRY(check_text("the key's name", spec.name, 255));
  TRY(check_limits("table", spec.tables));
  TRY(check_limits("endpoint", spec.endpoints));
  TRY(check_text("the key's parameters", spec.parameters, 64U << 10));
  if (spec.scopes.bits == 0) return fail(invalid("a key needs at least one scope"));
  CreatedKey out;
  out.secret = make_secret();
  out.key.id = Id128::make();
  out.key.destination_id = spec.destination_id;
  out.key.name = spec.name;
  out.key.prefix = display_prefix(out.secret);
  out.key.scopes = spec.scopes;
  out.key.tables = spec.tables;
  out.key.endpoints = spec.endpoints;
  out.key.flatten = spec.flatten;
  out.key.max_rows = spec.max_rows;
  out.key.max_bytes = spec.max_bytes;
  out.key.parameters = spec.parameters;
  out.key.requests_per_minute = spec.requests_per_minute;
  return impl_->write_visible([&](soci::session& sql) -> Result<CreatedKey> {
    if (spec.destination_id) TRY(read_destination(sql, impl_->sealer, *spec.destination_id));
    out.key.created_at = impl_->now();
    insert_key(sql, out.key, hash_secret(out.secret));
    return out;
  });
}

Result<> Catalog::put_configured_keys(const std::vector<ConfiguredKey>& keys) {
  std::map<Sha256Digest, const ConfiguredKey*> wanted;
  for (const ConfiguredKey& key : keys) {
    TRY(check_name("a configured key", key.secret));
    if (key.origin == Origin::kApi) {
      return fail(invalid("a configured key must say where it comes from"));
    }
    if (!wanted.emplace(hash_secret(key.secret), &key).second) {
      return fail(invalid("the same key stands twice in the configuration"));
    }
  }
  return impl_->write_visible([&](soci::session& sql) -> Result<> {
    const Micros now = impl_->now();
    KeyRow row;
    soci::statement st(into_row(sql.prepare << std::string(kColumns) + "WHERE origin <> 0", row));
    std::map<Sha256Digest, Key> present;
    for (auto& each : fetch_all(sql, st, row)) present.emplace(each.hash, each.key);

    for (const auto& [hash, key] : present) {
      if (!wanted.contains(hash)) mark_revoked(sql, key.id, now);
    }
    for (const auto& [hash, spec] : wanted) {
      if (spec->destination_id) TRY(read_destination(sql, impl_->sealer, *spec->destination_id));
      if (const auto old = present.find(hash); old != present.end()) {
        update_configured(sql, old->second, *spec);
        continue;
      }
      if (fetch_one(sql, "WHERE hash = :hash", to_hex(hash))) {
        return fail(ErrorCode::kAlreadyExists,
                    "a key of the configuration is also one that was made by the program");
      }
      insert_key(sql,
                 Key{.id = Id128::make(),
                     .destination_id = spec->destination_id,
                     .name = "from the configuration",
                     .prefix = display_prefix(spec->secret),
                     .scopes = spec->scopes,
                     .tables = std::nullopt,
                     .endpoints = std::nullopt,
                     .flatten = {},
                     .max_rows = 0,
                     .max_bytes = 0,
                     .parameters = {},
                     .requests_per_minute = 0,
                     .origin = spec->origin,
                     .created_at = now,
                     .last_used_at = std::nullopt,
                     .revoked_at = std::nullopt},
                 hash);
    }
    return {};
  });
}

Result<Key> Catalog::revoke_key(Id128 id) {
  return impl_->write_visible([&](soci::session& sql) -> Result<Key> {
    TRY_ASSIGN(const auto row, fetch_one(sql, "WHERE id = :id", id.to_string()));
    if (row.key.origin != Origin::kApi) {
      return fail(ErrorCode::kPermissionDenied,
                  "this key comes from the configuration: remove it there");
    }
    mark_revoked(sql, id, impl_->now());
    TRY_ASSIGN(auto after, fetch_one(sql, "WHERE id = :id", id.to_string()));
    return std::move(after.key);
  });
}

Result<Key> Catalog::key(Id128 id) {
  return impl_->read([&](soci::session& sql) -> Result<Key> {
    TRY_ASSIGN(auto row, fetch_one(sql, "WHERE id = :id", id.to_string()));
    return std::move(row.key);
  });
}

Result<Key> Catalog::key_by_secret(std::string_view secret) {
  const Sha256Digest hash = hash_secret(secret);
  return impl_->read([&](soci::session& sql) -> Result<Key> {
    TRY_ASSIGN(auto row, fetch_one(sql, "WHERE hash = :hash AND revoked_at IS NULL", to_hex(hash)));
    if (!equal_constant_time(view(row.hash), view(hash))) {
      return fail(ErrorCode::kNotFound, "there is no such key");
    }
    return std::move(row.key);
  });
}

Result<std::vector<Key>> Catalog::keys_beginning(std::string_view text) {
  return impl_->read([&](soci::session& sql) -> Result<std::vector<Key>> {
    const std::string wanted(text);
    KeyRow row;
    soci::statement st(
        into_row((sql.prepare << std::string(kColumns) + "WHERE substr(id, 1, length(:a)) = :b "
                                                         "OR substr(prefix, 1, length(:c)) = :d "
                                                         "ORDER BY created_at, id LIMIT 10",
                  soci::use(wanted), soci::use(wanted), soci::use(wanted), soci::use(wanted)),
                 row));
    std::vector<Key> out;
    for (auto& each : fetch_all(sql, st, row)) out.push_back(std::move(each.key));
    return out;
  });
}

Result<Page<Key>> Catalog::list_keys(std::optional<Id128> destination_id, PageRequest page) {
  TRY_ASSIGN(const int limit, check_limit(page));
  return impl_->read([&](soci::session& sql) -> Result<Page<Key>> {
    long long at = -1;
    const std::string after = id_text(page.after);
    if (page.after) {
      TRY_ASSIGN(const auto last, fetch_one(sql, "WHERE id = :id", after));
      at = last.key.created_at;
    }
    const std::string destination = id_text(destination_id);
    const std::string rest =
        "(created_at > :at OR (created_at = :same AND id > :id)) ORDER BY created_at, id LIMIT "
        ":more";
    const int more = limit + 1;
    KeyRow row;
    // The first condition is true of every row when no destination is named.
    const std::string mine = destination_id ? "WHERE destination_id = :destination AND "
                                            : "WHERE :destination = '' AND ";
    soci::statement st(
        into_row((sql.prepare << std::string(kColumns) + mine + rest, soci::use(destination),
                  soci::use(at), soci::use(at), soci::use(after), soci::use(more)),
                 row));
    std::vector<Key> items;
    for (auto& each : fetch_all(sql, st, row)) items.push_back(std::move(each.key));
    return make_page(std::move(items), limit);
  });
}

Result<> Catalog::touch_keys(const std::vector<std::pair<Id128, Micros>>& uses) {
  if (uses.empty()) return {};
  return impl_->write([&](soci::session& sql) -> Result<> {
    std::string id;
    long long at = 0, same = 0;
    soci::statement st =
        (sql.prepare << "UPDATE api_keys SET last_used_at = :at WHERE id = :id AND "
                        "(last_used_at IS NULL OR last_used_at < :same)",
         soci::use(at), soci::use(id), soci::use(same));
    for (const auto& [key, used] : uses) {
      id = key.to_string();
      at = same = used;
      st.execute(true);
    }
    return {};
  });
}

}  // namespace sd::catalog
