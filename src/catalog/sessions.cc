// Catalog: who is signed in.
#include <soci/soci.h>

#include "base/checksum.h"
#include "base/ids.h"
#include "catalog/impl.h"

namespace sd::catalog {
namespace {

// sessions.kind
constexpr int kSession = 1;
constexpr int kLink = 2;
// Those that ended so long ago are of no use to anybody.
constexpr Micros kForgetAfter = 30LL * 86'400 * kMicrosPerSecond;

Result<> check_key(soci::session& sql, Id128 key_id) {
  const std::string id = key_id.to_string();
  int found = 0;
  sql << "SELECT count(*) FROM api_keys WHERE id = :id AND revoked_at IS NULL", soci::use(id),
      soci::into(found);
  if (found == 0) return fail(ErrorCode::kNotFound, "there is no such key");
  return {};
}

CreatedSession insert(soci::session& sql, int kind, Id128 key_id, Micros now, Micros lifetime) {
  CreatedSession out{
      .session = {.id = Id128::make(), .key_id = key_id, .expires_at = now + lifetime},
      .secret = make_secret()};
  const std::string id = out.session.id.to_string(), key = key_id.to_string();
  const std::string hash = to_hex(hash_secret(out.secret));
  const long long created = now, expires = out.session.expires_at, forget = now - kForgetAfter;
  sql << "DELETE FROM sessions WHERE expires_at < :forget", soci::use(forget);
  sql << "INSERT INTO sessions (id, kind, hash, key_id, created_at, expires_at) VALUES (:id, "
         ":kind, :hash, :key, :created, :expires)",
      soci::use(id), soci::use(kind), soci::use(hash), soci::use(key), soci::use(created),
      soci::use(expires);
  return out;
}

}  // namespace

std::vector<KeyTable::SessionRow> read_live_sessions(soci::session& sql, Micros now) {
  std::vector<KeyTable::SessionRow> out;
  std::string id, key, hash;
  const int kind = kSession;
  const long long at = now;
  long long expires = 0;
  soci::statement st =
      (sql.prepare << "SELECT id, key_id, hash, expires_at FROM sessions WHERE kind = :kind AND "
                      "ended_at IS NULL AND expires_at > :now",
       soci::use(kind), soci::use(at), soci::into(id), soci::into(key), soci::into(hash),
       soci::into(expires));
  st.execute();
  while (st.fetch()) {
    out.push_back({.session = {.id = parse_id(id), .key_id = parse_id(key), .expires_at = expires},
                   .hash = parse_hash(hash)});
  }
  return out;
}

Result<CreatedSession> Catalog::create_session(Id128 key_id, Micros lifetime) {
  return impl_->write_visible([&](soci::session& sql) -> Result<CreatedSession> {
    TRY(check_key(sql, key_id));
    return insert(sql, kSession, key_id, impl_->now(), lifetime);
  });
}

Result<CreatedSession> Catalog::create_sign_in_link(Id128 key_id, Micros lifetime) {
  return impl_->write([&](soci::session& sql) -> Result<CreatedSession> {
    TRY(check_key(sql, key_id));
    return insert(sql, kLink, key_id, impl_->now(), lifetime);
  });
}

Result<CreatedSession> Catalog::redeem_sign_in_link(std::string_view secret, Micros lifetime) {
  const std::string hash = to_hex(hash_secret(secret));
  return impl_->write_visible([&](soci::session& sql) -> Result<CreatedSession> {
    const long long now = impl_->now();
    const int kind = kLink;
    std::string key;
    soci::indicator found = soci::i_null;
    sql << "SELECT min(key_id) FROM sessions WHERE hash = :hash AND kind = :kind AND ended_at IS "
           "NULL AND expires_at > :now",
        soci::use(hash), soci::use(kind), soci::use(now), soci::into(key, found);
    if (found != soci::i_ok) {
      return fail(ErrorCode::kNotFound,
                  "this link has been used, has expired, or is none of this server's");
    }
    TRY(check_key(sql, parse_id(key)));
    sql << "UPDATE sessions SET ended_at = :now WHERE hash = :hash", soci::use(now),
        soci::use(hash);
    return insert(sql, kSession, parse_id(key), now, lifetime);
  });
}

Result<> Catalog::end_session(Id128 id) {
  return impl_->write_visible([&](soci::session& sql) -> Result<> {
    const std::string text = id.to_string();
    const long long now = impl_->now();
    sql << "UPDATE sessions SET ended_at = :now WHERE id = :id AND ended_at IS NULL",
        soci::use(now), soci::use(text);
    return {};
  });
}

}  // namespace sd::catalog
