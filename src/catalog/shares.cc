// Catalog: shares.
#include <soci/soci.h>

#include <algorithm>

#include "catalog/impl.h"
#include "catalog/share_token.h"

namespace sd::catalog {
namespace {

constexpr const char* kColumns =
    "SELECT id, token_sealed, destination_id, key_id, name, query, formats, created_at, "
    "expires_at, revoked_at, "
    "max_downloads, downloads, password_hash, frozen_rows, frozen_bytes, max_rows, timeout_ms, "
    "max_running, embed "
    "FROM shares ";

// "csv,json" — the names are plain words, so that a comma parts them.
std::string join(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) {
    if (!out.empty()) out += ',';
    out += word;
  }
  return out;
}

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    out.emplace_back(text.substr(0, comma));
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
  }
  return out;
}

struct ShareRow {
  std::string id, sealed, destination_id, key_id, name, query, formats, password_hash, embed;
  long long created_at = 0, expires_at = 0, revoked_at = 0, max_downloads = 0, downloads = 0;
  long long frozen_rows = 0, frozen_bytes = 0, max_rows = 0, timeout_ms = 0, max_running = 0;
  soci::indicator has_key = soci::i_null, is_revoked = soci::i_null, has_most = soci::i_null;
  soci::indicator is_frozen = soci::i_null, has_bytes = soci::i_null;

  Share to_share(const Sealer& sealer) const {
    Share out;
    out.id = parse_id(id);
    if (const auto token = show_token(sealed, id, sealer)) out.token = *token;
    out.destination_id = parse_id(destination_id);
    if (has_key == soci::i_ok) out.key_id = parse_id(key_id);
    out.name = name;
    out.query = query;
    out.formats = split(formats);
    out.created_at = created_at;
    out.expires_at = expires_at;
    if (is_revoked == soci::i_ok) out.revoked_at = revoked_at;
    if (has_most == soci::i_ok) out.max_downloads = max_downloads;
    out.downloads = downloads;
    out.password_hash = password_hash;
    if (is_frozen == soci::i_ok) out.frozen = Frozen{.rows = frozen_rows, .bytes = frozen_bytes};
    out.max_rows = max_rows;
    out.timeout_ms = timeout_ms;
    out.max_running = max_running;
    out.embed = split(embed);
    return out;
  }
};

template <typename S>
S&& into_row(S&& statement, ShareRow& row) {
  statement, soci::into(row.id), soci::into(row.sealed), soci::into(row.destination_id),
      soci::into(row.key_id, row.has_key), soci::into(row.name), soci::into(row.query),
      soci::into(row.formats), soci::into(row.created_at), soci::into(row.expires_at),
      soci::into(row.revoked_at, row.is_revoked), soci::into(row.max_downloads, row.has_most),
      soci::into(row.downloads), soci::into(row.password_hash),
      soci::into(row.frozen_rows, row.is_frozen), soci::into(row.frozen_bytes, row.has_bytes),
      soci::into(row.max_rows), soci::into(row.timeout_ms), soci::into(row.max_running),
      soci::into(row.embed);
  return std::forward<S>(statement);
}

Error no_such_share() {
  return Error{.code = ErrorCode::kNotFound, .message = "there is no such share"};
}

// The one share of which `column` is `text`.
Result<Share> read_share(soci::session& sql, const Sealer& sealer, const char* column,
                         const std::string& text) {
  ShareRow row;
  soci::statement st(into_row(
      (sql.prepare << std::string(kColumns) + "WHERE " + column + " = :text", soci::use(text)),
      row));
  st.execute();
  if (!st.fetch()) return fail(no_such_share());
  return row.to_share(sealer);
}

Result<Share> read_share(soci::session& sql, const Sealer& sealer, Id128 id) {
  return read_share(sql, sealer, "id", id.to_string());
}

// Of another tenant is the same as not there.
Result<Share> read_share_of(soci::session& sql, const Sealer& sealer, Id128 destination_id,
                            Id128 id_or_token) {
  auto share = read_share(sql, sealer, "token_hash", token_hash(id_or_token));
  if (!share) share = read_share(sql, sealer, id_or_token);
  if (share && share->destination_id != destination_id) return fail(no_such_share());
  return share;
}

Result<> check_share(const NewShare& spec, Micros now) {
  TRY(check_text("the share's name", spec.name, 255));
  TRY(check_text("the query", spec.query, 1U << 20));
  if (spec.query.empty()) return fail(invalid("the query must not be empty"));
  if (spec.expires_at <= now) return fail(invalid("the share must expire in the future"));
  if (spec.max_downloads && *spec.max_downloads < 1) {
    return fail(invalid("max_downloads must be at least 1"));
  }
  if (spec.max_rows < 0 || spec.timeout_ms < 0 || spec.max_running < 0)
    return fail(invalid("a share's limits must not be negative"));
  for (const std::string& origin : spec.embed) {
    if (origin.empty() || origin.find_first_of(", ;'\"") != std::string::npos)
      return fail(invalid("an origin is a scheme, a host and perhaps a port"));
  }
  if (spec.formats.size() > 20) return fail(invalid("a share takes at most 20 formats"));
  for (const std::string& format : spec.formats) {
    const auto plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
    if (format.empty() || format.size() > 32 || !std::ranges::all_of(format, plain)) {
      return fail(invalid("a format is a word of small letters"));
    }
  }
  return {};
}

void insert(soci::session& sql, const Sealer& sealer, const Share& share) {
  const std::string id = share.id.to_string();
  const auto [hash, sealed] = hide_token(*share.token, id, sealer);
  const std::string destination = share.destination_id.to_string();
  const std::string key = id_text(share.key_id);
  soci::indicator has_key = share.key_id ? soci::i_ok : soci::i_null;
  const std::string formats = join(share.formats);
  const std::string embed = join(share.embed);
  const long long created = share.created_at, expires = share.expires_at;
  const long long most = share.max_downloads.value_or(0);
  soci::indicator has_most = share.max_downloads ? soci::i_ok : soci::i_null;
  const Frozen frozen = share.frozen.value_or(Frozen{});
  const long long frozen_rows = frozen.rows, frozen_bytes = frozen.bytes;
  soci::indicator is_frozen = share.frozen ? soci::i_ok : soci::i_null;
  const long long max_rows = share.max_rows, timeout = share.timeout_ms,
                  running = share.max_running;
  sql << "INSERT INTO shares (id, token_hash, token_sealed, destination_id, key_id, name, query, "
         "formats, "
         "created_at, expires_at, max_downloads, downloads, password_hash, frozen_rows, "
         "frozen_bytes, "
         "max_rows, timeout_ms, max_running, embed) VALUES (:id, :hash, :sealed, :destination, "
         ":key, "
         ":name, :query, :formats, :created, :expires, :most, 0, :password, :frows, :fbytes, "
         ":rows, "
         ":timeout, :running, :embed)",
      soci::use(id), soci::use(hash), soci::use(sealed), soci::use(destination),
      soci::use(key, has_key), soci::use(share.name), soci::use(share.query), soci::use(formats),
      soci::use(created), soci::use(expires), soci::use(most, has_most),
      soci::use(share.password_hash), soci::use(frozen_rows, is_frozen),
      soci::use(frozen_bytes, is_frozen), soci::use(max_rows), soci::use(timeout),
      soci::use(running), soci::use(embed);
}

}  // namespace

Result<Share> Catalog::create_share(const NewShare& spec) {
  const Micros now = impl_->now();
  TRY(check_share(spec, now));
  Share share;
  share.id = spec.id;
  share.token = Id128::make();
  share.destination_id = spec.destination_id;
  share.key_id = spec.key_id;
  share.name = spec.name;
  share.query = spec.query;
  share.formats = spec.formats;
  share.created_at = now;
  share.expires_at = spec.expires_at;
  share.max_downloads = spec.max_downloads;
  share.password_hash = spec.password_hash;
  share.frozen = spec.frozen;
  share.max_rows = spec.max_rows;
  share.timeout_ms = spec.timeout_ms;
  share.max_running = spec.max_running;
  share.embed = spec.embed;
  return impl_->write([&](soci::session& sql) -> Result<Share> {
    TRY(read_destination(sql, impl_->sealer, spec.destination_id));
    insert(sql, impl_->sealer, share);
    return share;
  });
}

Result<Share> Catalog::share(Id128 token) {
  return impl_->read([&](soci::session& sql) {
    return read_share(sql, impl_->sealer, "token_hash", token_hash(token));
  });
}

Result<Share> Catalog::share_by_id(Id128 id) {
  return impl_->read([&](soci::session& sql) { return read_share(sql, impl_->sealer, id); });
}

Result<Share> Catalog::share_of(Id128 destination_id, Id128 id_or_token) {
  return impl_->read([&](soci::session& sql) {
    return read_share_of(sql, impl_->sealer, destination_id, id_or_token);
  });
}

Result<Page<Share>> Catalog::list_shares(Id128 destination_id, PageRequest page) {
  TRY_ASSIGN(const int limit, check_limit(page));
  return impl_->read([&](soci::session& sql) -> Result<Page<Share>> {
    long long at = -1;
    const std::string after = id_text(page.after);
    if (page.after) {
      // Of another tenant is the same as not there.
      auto last = read_share(sql, impl_->sealer, *page.after);
      if (!last || last->destination_id != destination_id) return fail(no_such_share());
      at = last->created_at;
    }
    const std::string destination = destination_id.to_string();
    const int more = limit + 1;
    ShareRow row;
    soci::statement st(into_row(
        (sql.prepare
             << std::string(kColumns) +
                    "WHERE destination_id = :destination AND (created_at > :at OR "
                    "(created_at = :same AND id > :id)) ORDER BY created_at, id LIMIT :more",
         soci::use(destination), soci::use(at), soci::use(at), soci::use(after), soci::use(more)),
        row));
    st.execute();
    std::vector<Share> items;
    while (st.fetch()) items.push_back(row.to_share(impl_->sealer));
    return make_page(std::move(items), limit);
  });
}

Result<> Catalog::revoke_share(Id128 destination_id, Id128 id_or_token) {
  return impl_->write([&](soci::session& sql) -> Result<> {
    TRY_ASSIGN(const Share share, read_share_of(sql, impl_->sealer, destination_id, id_or_token));
    const std::string text = share.id.to_string();
    const long long now = impl_->now();
    sql << "UPDATE shares SET revoked_at = :now WHERE id = :id AND revoked_at IS NULL",
        soci::use(now), soci::use(text);
    return {};
  });
}

Result<> Catalog::count_download(Id128 id) {
  return impl_->write([&](soci::session& sql) -> Result<> {
    TRY_ASSIGN(const Share share, read_share(sql, impl_->sealer, id));
    if (!share.is_live(impl_->now())) return fail(no_such_share());
    const std::string text = id.to_string();
    sql << "UPDATE shares SET downloads = downloads + 1 WHERE id = :id", soci::use(text);
    return {};
  });
}

}  // namespace sd::catalog
