// Catalog: saved endpoints, their versions, and how much they are used.
#include <soci/soci.h>

#include "catalog/impl.h"

namespace sd::catalog {
namespace {

constexpr const char* kColumns =
    "SELECT e.id, e.destination_id, e.name, e.public, e.newest, e.created_at, e.updated_at, "
    "v.number, v.definition, v.columns, v.public, v.created_at, v.retired_at FROM endpoints e "
    "JOIN endpoint_versions v ON v.endpoint_id = e.id ";
constexpr std::size_t kLongestDefinition = 4U << 20;
constexpr std::int64_t kUsageDays = 400;  // that are kept

struct EndpointRow {
  std::string id, destination_id, name, definition, columns;
  int is_public = 0, version_is_public = 0;
  long long newest = 0, created_at = 0, updated_at = 0, number = 0, made_at = 0, retired_at = 0;
  soci::indicator is_retired = soci::i_null;

  Endpoint to_endpoint() const {
    Endpoint out{.id = parse_id(id), .destination_id = parse_id(destination_id), .name = name};
    out.is_public = is_public != 0;
    out.created_at = created_at;
    out.updated_at = updated_at;
    out.newest = newest;
    out.version = {.number = number,
                   .definition = definition,
                   .columns = columns,
                   .is_public = version_is_public != 0,
                   .created_at = made_at};
    if (is_retired == soci::i_ok) out.version.retired_at = retired_at;
    return out;
  }
};

template <typename S>
S&& into_row(S&& statement, EndpointRow& row) {
  statement, soci::into(row.id), soci::into(row.destination_id), soci::into(row.name),
      soci::into(row.is_public), soci::into(row.newest), soci::into(row.created_at),
      soci::into(row.updated_at), soci::into(row.number), soci::into(row.definition),
      soci::into(row.columns), soci::into(row.version_is_public), soci::into(row.made_at),
      soci::into(row.retired_at, row.is_retired);
  return std::forward<S>(statement);
}

Error no_such_endpoint() {
  return Error{.code = ErrorCode::kNotFound, .message = "there is no such endpoint"};
}

Result<Endpoint> read_endpoint(soci::session& sql, Id128 destination_id, std::string_view name,
                               std::optional<std::int64_t> version) {
  const std::string destination = destination_id.to_string();
  const std::string wanted(name);
  const long long number = version.value_or(0);
  EndpointRow row;
  soci::statement st(
      into_row((sql.prepare << std::string(kColumns) +
                                   "WHERE e.destination_id = :destination AND e.name = :name AND "
                                   "e.deleted_at IS NULL AND v.retired_at IS NULL AND "
                                   "v.number = CASE WHEN :any = 0 THEN e.newest ELSE :number END",
                soci::use(destination), soci::use(wanted), soci::use(number), soci::use(number)),
               row));
  st.execute();
  if (st.fetch()) return row.to_endpoint();
  if (version && read_endpoint(sql, destination_id, name, {}))
    return fail(ErrorCode::kNotFound, "there is no such version of this endpoint");
  return fail(no_such_endpoint());
}

Result<> check_endpoint(const NewEndpoint& spec) {
  TRY(check_name("the endpoint's name", spec.name));
  return check_text("the endpoint's definition", spec.definition, kLongestDefinition);
}

void insert_version(soci::session& sql, const std::string& endpoint_id, std::int64_t version,
                    const NewEndpoint& spec, Micros now) {
  const long long number = version, at = now;
  const int is_public = spec.is_public ? 1 : 0;
  sql << "INSERT INTO endpoint_versions (endpoint_id, number, definition, columns, public, "
         "created_at) VALUES (:id, :number, :definition, :columns, :public, :at)",
      soci::use(endpoint_id), soci::use(number), soci::use(spec.definition),
      soci::use(spec.columns), soci::use(is_public), soci::use(at);
}

// The newest version as it is now: its columns, and who may call it. Older ones, made for a key's eyes, are not shown to
// anybody because a later one is.
void update_newest(soci::session& sql, const Endpoint& old, const NewEndpoint& spec) {
  const std::string id = old.id.to_string();
  const long long number = old.newest;
  const int is_public = spec.is_public ? 1 : 0;
  sql << "UPDATE endpoint_versions SET columns = :columns, public = :public WHERE endpoint_id = "
         ":id AND number = :number",
      soci::use(spec.columns), soci::use(is_public), soci::use(id), soci::use(number);
}

}  // namespace

Result<Endpoint> Catalog::create_endpoint(const NewEndpoint& spec) {
  TRY(check_endpoint(spec));
  return impl_->write([&](soci::session& sql) -> Result<Endpoint> {
    TRY(read_destination(sql, impl_->sealer, spec.destination_id));
    if (read_endpoint(sql, spec.destination_id, spec.name, {})) {
      return fail(ErrorCode::kAlreadyExists, "there is an endpoint of this name already");
    }
    const std::string id = Id128::make().to_string();
    const std::string destination = spec.destination_id.to_string();
    const int is_public = spec.is_public ? 1 : 0;
    const long long now = impl_->now();
    // A number that somebody has pinned never means something else.
    long long before = 0;
    sql << "SELECT coalesce(max(newest), 0) FROM endpoints WHERE destination_id = :destination AND "
           "name = :name",
        soci::use(destination), soci::use(spec.name), soci::into(before);
    const long long newest = before + 1;
    sql << "INSERT INTO endpoints (id, destination_id, name, public, newest, created_at, "
           "updated_at) VALUES (:id, :destination, :name, :public, :newest, :now, :also)",
        soci::use(id), soci::use(destination), soci::use(spec.name), soci::use(is_public),
        soci::use(newest), soci::use(now), soci::use(now);
    insert_version(sql, id, newest, spec, now);
    return read_endpoint(sql, spec.destination_id, spec.name, {});
  });
}

Result<Endpoint> Catalog::change_endpoint(const NewEndpoint& spec) {
  TRY(check_endpoint(spec));
  return impl_->write([&](soci::session& sql) -> Result<Endpoint> {
    TRY_ASSIGN(Endpoint old, read_endpoint(sql, spec.destination_id, spec.name, {}));
    const bool same = old.version.definition == spec.definition;
    if (same) update_newest(sql, old, spec);
    const std::string id = old.id.to_string();
    const int is_public = spec.is_public ? 1 : 0;
    const long long newest = old.newest + (same ? 0 : 1);
    const long long now = impl_->now();
    if (!same) insert_version(sql, id, newest, spec, now);
    if (!spec.is_public)
      sql << "UPDATE endpoint_versions SET public = 0 WHERE endpoint_id = :id", soci::use(id);
    if (!same || old.is_public != spec.is_public) {
      sql << "UPDATE endpoints SET public = :public, newest = :newest, updated_at = :now WHERE id "
             "= :id",
          soci::use(is_public), soci::use(newest), soci::use(now), soci::use(id);
    }
    return read_endpoint(sql, spec.destination_id, spec.name, {});
  });
}

Result<Endpoint> Catalog::endpoint(Id128 destination_id, std::string_view name,
                                   std::optional<std::int64_t> version) {
  return impl_->read(
      [&](soci::session& sql) { return read_endpoint(sql, destination_id, name, version); });
}

Result<std::vector<Id128>> Catalog::destinations_of_public_endpoint(std::string_view name) {
  return impl_->read([&](soci::session& sql) -> Result<std::vector<Id128>> {
    const std::string wanted(name);
    const int active = static_cast<int>(DestinationState::kActive);
    std::string destination;
    soci::statement st =
        (sql.prepare << "SELECT e.destination_id FROM endpoints e JOIN destinations d ON d.id = "
                        "e.destination_id WHERE e.name = :name AND e.public = 1 AND e.deleted_at "
                        "IS NULL AND d.deleted_at IS NULL AND d.state = :active ORDER BY "
                        "e.created_at LIMIT 2",
         soci::use(wanted), soci::use(active), soci::into(destination));
    st.execute();
    std::vector<Id128> out;
    while (st.fetch()) out.push_back(parse_id(destination));
    return out;
  });
}

Result<Page<Endpoint>> Catalog::list_endpoints(Id128 destination_id, PageRequest page) {
  TRY_ASSIGN(const int limit, check_limit(page));
  return impl_->read([&](soci::session& sql) -> Result<Page<Endpoint>> {
    const std::string destination = destination_id.to_string();
    const std::string after = id_text(page.after);
    long long at = -1;
    if (page.after) {
      sql << "SELECT created_at FROM endpoints WHERE id = :id AND destination_id = :destination",
          soci::use(after), soci::use(destination), soci::into(at);
      if (!sql.got_data()) return fail(no_such_endpoint());
    }
    const int more = limit + 1;
    EndpointRow row;
    soci::statement st(into_row(
        (sql.prepare << std::string(kColumns) +
                            "WHERE e.destination_id = :destination AND e.deleted_at IS NULL AND "
                            "v.number = e.newest AND (e.created_at > :at OR (e.created_at = :same "
                            "AND e.id > :id)) ORDER BY e.created_at, e.id LIMIT :more",
         soci::use(destination), soci::use(at), soci::use(at), soci::use(after), soci::use(more)),
        row));
    st.execute();
    std::vector<Endpoint> items;
    while (st.fetch()) items.push_back(row.to_endpoint());
    return make_page(std::move(items), limit);
  });
}

Result<std::vector<EndpointVersion>> Catalog::endpoint_versions(Id128 endpoint_id) {
  return impl_->read([&](soci::session& sql) -> Result<std::vector<EndpointVersion>> {
    const std::string id = endpoint_id.to_string();
    long long number = 0, at = 0, retired = 0;
    std::string definition;
    int is_public = 0;
    soci::indicator is_retired = soci::i_null;
    soci::statement st =
        (sql.prepare << "SELECT number, definition, public, created_at, retired_at FROM "
                        "endpoint_versions WHERE endpoint_id = :id ORDER BY number",
         soci::use(id), soci::into(number), soci::into(definition), soci::into(is_public),
         soci::into(at), soci::into(retired, is_retired));
    st.execute();
    std::vector<EndpointVersion> out;
    while (st.fetch()) {
      out.push_back({.number = number,
                     .definition = definition,
                     .is_public = is_public != 0,
                     .created_at = at});
      if (is_retired == soci::i_ok) out.back().retired_at = retired;
    }
    return out;
  });
}

Result<> Catalog::delete_endpoint(Id128 destination_id, std::string_view name) {
  return impl_->write([&](soci::session& sql) -> Result<> {
    TRY_ASSIGN(const Endpoint endpoint, read_endpoint(sql, destination_id, name, {}));
    const std::string id = endpoint.id.to_string();
    const long long now = impl_->now();
    sql << "UPDATE endpoints SET deleted_at = :now WHERE id = :id", soci::use(now), soci::use(id);
    return {};
  });
}

Result<> Catalog::retire_endpoint_version(Id128 destination_id, std::string_view name,
                                          std::int64_t version) {
  return impl_->write([&](soci::session& sql) -> Result<> {
    TRY_ASSIGN(const Endpoint endpoint, read_endpoint(sql, destination_id, name, version));
    if (endpoint.version.number == endpoint.newest) {
      return fail(
          invalid("the newest version cannot be retired: change the endpoint, or delete it"));
    }
    const std::string id = endpoint.id.to_string();
    const long long now = impl_->now(), number = version;
    sql << "UPDATE endpoint_versions SET retired_at = :now WHERE endpoint_id = :id AND number = "
           ":number",
        soci::use(now), soci::use(id), soci::use(number);
    return {};
  });
}

Result<> Catalog::set_endpoint_columns(Id128 endpoint_id, std::int64_t version,
                                       const std::string& columns) {
  return impl_->write([&](soci::session& sql) -> Result<> {
    const std::string id = endpoint_id.to_string();
    const long long number = version;
    sql << "UPDATE endpoint_versions SET columns = :columns WHERE endpoint_id = :id AND number = "
           ":number",
        soci::use(columns), soci::use(id), soci::use(number);
    return {};
  });
}

Result<> Catalog::add_endpoint_usage(const std::vector<EndpointUsage>& usage) {
  if (usage.empty()) return {};
  return impl_->write([&](soci::session& sql) -> Result<> {
    std::string id, key;
    long long day = 0, calls = 0, errors = 0, bytes = 0;
    soci::statement st =
        (sql.prepare << "INSERT INTO endpoint_usage (endpoint_id, day, key_id, calls, errors, "
                        "bytes) VALUES (:id, :day, :key, :calls, :errors, :bytes) ON CONFLICT "
                        "(endpoint_id, day, key_id) DO UPDATE SET calls = endpoint_usage.calls + "
                        "excluded.calls, errors = endpoint_usage.errors + excluded.errors, bytes = "
                        "endpoint_usage.bytes + excluded.bytes",
         soci::use(id), soci::use(day), soci::use(key), soci::use(calls), soci::use(errors),
         soci::use(bytes));
    for (const EndpointUsage& each : usage) {
      id = each.endpoint_id.to_string();
      key = id_text(each.key_id);
      day = each.day;
      calls = each.calls;
      errors = each.errors;
      bytes = each.bytes;
      st.execute(true);
    }
    const long long forget = usage.front().day - kUsageDays;
    sql << "DELETE FROM endpoint_usage WHERE day < :forget", soci::use(forget);
    return {};
  });
}

Result<std::vector<EndpointUsage>> Catalog::endpoint_usage(Id128 endpoint_id,
                                                           std::int64_t from_day) {
  return impl_->read([&](soci::session& sql) -> Result<std::vector<EndpointUsage>> {
    const std::string id = endpoint_id.to_string();
    const long long from = from_day;
    std::string key;
    long long day = 0, calls = 0, errors = 0, bytes = 0;
    soci::statement st =
        (sql.prepare << "SELECT day, key_id, calls, errors, bytes FROM endpoint_usage WHERE "
                        "endpoint_id = :id AND day >= :from ORDER BY day, key_id",
         soci::use(id), soci::use(from), soci::into(day), soci::into(key), soci::into(calls),
         soci::into(errors), soci::into(bytes));
    st.execute();
    std::vector<EndpointUsage> out;
    while (st.fetch()) {
      EndpointUsage& each = out.emplace_back();
      each.endpoint_id = endpoint_id;
      if (!key.empty()) each.key_id = parse_id(key);
      each.day = day;
      each.calls = calls;
      each.errors = errors;
      each.bytes = bytes;
    }
    return out;
  });
}

}  // namespace sd::catalog
