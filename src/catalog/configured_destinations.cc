// Catalog: the destinations of the configuration, all at once.
#include <soci/soci.h>

#include <algorithm>
#include <set>

#include "catalog/destination_rows.h"

namespace sd::catalog {
namespace {

bool is_configured(const Destination& row) {
  return row.origin != Origin::kApi;
}

bool same_shape(const Destination& a, const Destination& b) {
  return a.name == b.name && a.type == b.type && a.settings == b.settings && a.origin == b.origin &&
         a.state == b.state;
}

Result<std::vector<Destination>> wanted_rows(const std::vector<NewDestination>& specs) {
  std::vector<Destination> out;
  std::set<std::string> names;
  for (const NewDestination& spec : specs) {
    if (spec.origin == Origin::kApi) {
      return fail(invalid("a configured destination must say where it comes from"));
    }
    TRY_ASSIGN(Destination row, new_row(spec));
    if (!names.insert(row.name).second) return fail(name_taken());
    out.push_back(std::move(row));
  }
  return out;
}

// Which of the present rows each wanted one is, null for a new one: by name, else by the file of
// one that is no longer wanted under its own name.
Result<std::vector<const Destination*>> match_rows(const std::vector<Destination>& wanted,
                                                   const std::vector<Destination>& present,
                                                   const std::string& data_dir) {
  const auto by_name = [](const std::vector<Destination>& rows, const std::string& name) {
    const auto found = std::ranges::find(rows, name, &Destination::name);
    return found == rows.end() ? nullptr : &*found;
  };
  std::set<const Destination*> taken;
  const auto by_file = [&](const Destination& row) -> const Destination* {
    if (row.setting("file").empty()) return nullptr;
    const auto file = target_file(data_dir, row);
    for (const Destination& old : present) {
      const bool leaving = is_configured(old) && by_name(wanted, old.name) == nullptr;
      if (leaving && file && !taken.contains(&old) && target_file(data_dir, old) == file) {
        return &old;
      }
    }
    return nullptr;
  };
  std::vector<const Destination*> out;
  for (const Destination& row : wanted) {
    const Destination* match = by_name(present, row.name);
    if (match != nullptr && !is_configured(*match)) return fail(name_taken());
    if (match == nullptr) match = by_file(row);
    if (match != nullptr) taken.insert(match);
    out.push_back(match);
  }
  return out;
}

// Inserts a new row, or writes over the old one what has changed.
Result<> put_row(soci::session& sql, const Sealer& sealer, const std::string& data_dir,
                 Destination& row, const Destination* old, Micros now) {
  if (old == nullptr) {
    row.created_at = row.updated_at = now;
    TRY(check_unique(sql, data_dir, row));
    insert_destination(sql, sealer, data_dir, row);
    return {};
  }
  row.id = old->id;
  row.created_at = old->created_at;
  row.updated_at = old->updated_at;
  row.generation = old->generation;
  row.log_generation = old->log_generation;
  if (target_of(data_dir, row) != target_of(data_dir, *old)) row.log_generation += 1;
  TRY(check_unique(sql, data_dir, row));
  if (!same_shape(row, *old)) {
    update_destination(sql, sealer, data_dir, row, now);
  } else if (const auto file = target_file(data_dir, row)) {
    // Nothing changed but that all files were let go.
    const std::string id = row.id.to_string();
    sql << "UPDATE destinations SET target_file = :file WHERE id = :id", soci::use(*file),
        soci::use(id);
  }
  return {};
}

}  // namespace

Result<std::vector<Destination>> Catalog::put_configured_destinations(
    const std::vector<NewDestination>& specs) {
  TRY_ASSIGN(std::vector<Destination> wanted, wanted_rows(specs));
  return impl_->write_visible([&](soci::session& sql) -> Result<std::vector<Destination>> {
    const Micros now = impl_->now();
    const std::vector<Destination> present = read_all_destinations(sql, impl_->sealer);
    TRY_ASSIGN(const auto matches, match_rows(wanted, present, data_dir()));
    // Files may have changed hands among the configured ones: all let go before the first takes.
    sql << "UPDATE destinations SET target_file = NULL WHERE deleted_at IS NULL AND origin <> 0";
    for (const Destination& old : present) {
      if (!is_configured(old) || std::ranges::find(matches, &old) != matches.end()) continue;
      if (old.state != DestinationState::kActive) continue;
      Destination row = old;
      row.state = DestinationState::kDetached;
      update_destination(sql, impl_->sealer, data_dir(), row, now);
    }
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      TRY(put_row(sql, impl_->sealer, data_dir(), wanted[i], matches[i], now));
    }
    return wanted;
  });
}

}  // namespace sd::catalog
