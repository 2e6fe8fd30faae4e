// Catalog: destinations one by one.
#include <soci/soci.h>

#include "catalog/destination_rows.h"

namespace sd::catalog {

Result<Destination> Catalog::create_destination(const NewDestination& spec) {
  TRY_ASSIGN(Destination row, new_row(spec));
  return impl_->write_visible([&](soci::session& sql) -> Result<Destination> {
    row.created_at = row.updated_at = impl_->now();
    TRY(check_unique(sql, data_dir(), row));
    insert_destination(sql, impl_->sealer, data_dir(), row);
    return row;
  });
}

Result<Destination> Catalog::change_destination(Id128 id, const DestinationChange& change) {
  return impl_->write_visible([&](soci::session& sql) -> Result<Destination> {
    TRY_ASSIGN(Destination row, read_destination(sql, impl_->sealer, id));
    if (row.read_only()) {
      return fail(ErrorCode::kPermissionDenied,
                  "this destination comes from the configuration: change it there");
    }
    const std::string target = target_of(data_dir(), row);
    if (change.name) {
      TRY(check_destination_name(*change.name));
      row.name = *change.name;
    }
    for (const auto& [name, setting] : change.settings) {
      if (setting) {
        row.settings[name] = *setting;
      } else {
        row.settings.erase(name);
      }
    }
    TRY_ASSIGN(row.settings, checked_settings(row.settings, row));
    if (target_of(data_dir(), row) != target) row.log_generation += 1;
    TRY(check_unique(sql, data_dir(), row));
    update_destination(sql, impl_->sealer, data_dir(), row, impl_->now());
    return row;
  });
}

Result<Destination> Catalog::set_destination_state(Id128 id, DestinationState state) {
  return impl_->write_visible([&](soci::session& sql) -> Result<Destination> {
    TRY_ASSIGN(Destination row, read_destination(sql, impl_->sealer, id));
    row.state = state;
    update_destination(sql, impl_->sealer, data_dir(), row, impl_->now());
    return row;
  });
}

Result<> Catalog::delete_destination(Id128 id) {
  return impl_->write_visible([&](soci::session& sql) -> Result<> {
    TRY_ASSIGN(const Destination row, read_destination(sql, impl_->sealer, id));
    const std::string text = row.id.to_string();
    const long long now = impl_->now();
    sql << "UPDATE destinations SET deleted_at = :now, updated_at = :also WHERE id = :id",
        soci::use(now), soci::use(now), soci::use(text);
    // Nobody needs the secrets of a destination that is gone.
    sql << "DELETE FROM destination_settings WHERE destination_id = :id AND secret = 1",
        soci::use(text);
    sql << "UPDATE api_keys SET revoked_at = :now WHERE destination_id = :id AND revoked_at IS "
           "NULL",
        soci::use(now), soci::use(text);
    sql << "UPDATE shares SET revoked_at = :now WHERE destination_id = :id AND revoked_at IS NULL",
        soci::use(now), soci::use(text);
    sql << "UPDATE endpoints SET deleted_at = :now WHERE destination_id = :id AND deleted_at IS "
           "NULL",
        soci::use(now), soci::use(text);
    return {};
  });
}

Result<Destination> Catalog::destination(Id128 id) {
  return impl_->read([&](soci::session& sql) { return read_destination(sql, impl_->sealer, id); });
}

Result<Destination> Catalog::destination_named(std::string_view name) {
  return impl_->read([&](soci::session& sql) -> Result<Destination> {
    const std::string wanted(name);
    std::string id;
    sql << "SELECT id FROM destinations WHERE name = :name AND deleted_at IS NULL",
        soci::use(wanted), soci::into(id);
    if (!sql.got_data()) return fail(ErrorCode::kNotFound, "there is no such destination");
    return read_destination(sql, impl_->sealer, parse_id(id));
  });
}

Result<Page<Destination>> Catalog::list_destinations(PageRequest page) {
  TRY_ASSIGN(const int limit, check_limit(page));
  return impl_->read([&](soci::session& sql) -> Result<Page<Destination>> {
    long long at = -1;
    const std::string after = id_text(page.after);
    if (page.after) {
      sql << "SELECT created_at FROM destinations WHERE id = :id", soci::use(after), soci::into(at);
      if (!sql.got_data()) return fail(invalid("after: there is no such destination"));
    }
    auto out = make_page(read_destinations_after(sql, at, after, limit + 1), limit);
    for (Destination& destination : out.items) read_settings(sql, impl_->sealer, destination);
    return out;
  });
}

Result<Catalog::Belongings> Catalog::belongings(Id128 destination_id) {
  return impl_->read([&](soci::session& sql) -> Result<Belongings> {
    const std::string id = destination_id.to_string();
    const long long now = impl_->now();
    long long keys = 0, shares = 0, endpoints = 0;
    sql << "SELECT count(*) FROM api_keys WHERE destination_id = :id AND revoked_at IS NULL",
        soci::use(id), soci::into(keys);
    sql << "SELECT count(*) FROM shares WHERE destination_id = :id AND revoked_at IS NULL AND "
           "expires_at > :now AND (max_downloads IS NULL OR downloads < max_downloads)",
        soci::use(id), soci::use(now), soci::into(shares);
    sql << "SELECT count(*) FROM endpoints WHERE destination_id = :id AND deleted_at IS NULL",
        soci::use(id), soci::into(endpoints);
    return Belongings{.keys = static_cast<std::uint64_t>(keys),
                      .shares = static_cast<std::uint64_t>(shares),
                      .endpoints = static_cast<std::uint64_t>(endpoints)};
  });
}

}  // namespace sd::catalog
