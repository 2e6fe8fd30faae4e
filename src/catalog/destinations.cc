// Catalog: destinations and their settings.
#include <soci/soci.h>

#include <algorithm>
#include <set>

#include "catalog/impl.h"

namespace sd::catalog {
namespace {

constexpr const char* kColumns =
    "SELECT id, name, type, origin, state, log_generation, generation, created_at, updated_at "
    "FROM destinations ";

// The columns of kColumns, to be given to into().
struct DestinationRow {
  std::string id, name, type;
  int origin = 0, state = 0;
  long long log_generation = 0, generation = 0, created_at = 0, updated_at = 0;

  Destination to_destination() const {
    Destination out;
    out.id = parse_id(id);
    out.name = name;
    out.type = type;
    out.origin = static_cast<Origin>(origin);
    out.state = static_cast<DestinationState>(state);
    out.log_generation = log_generation;
    out.generation = generation;
    out.created_at = created_at;
    out.updated_at = updated_at;
    return out;
  }
};

// Adds the row's targets to a statement that is being put together.
template <typename S>
S&& into_row(S&& statement, DestinationRow& row) {
  statement, soci::into(row.id), soci::into(row.name), soci::into(row.type),
      soci::into(row.origin), soci::into(row.state), soci::into(row.log_generation),
      soci::into(row.generation), soci::into(row.created_at), soci::into(row.updated_at);
  return std::forward<S>(statement);
}

void read_settings(soci::session& sql, Destination& destination) {
  const std::string id = destination.id.to_string();
  std::string name, text;
  int secret = 0;
  soci::statement st = (sql.prepare << "SELECT name, text, secret FROM destination_settings "
                                       "WHERE destination_id = :id",
                        soci::use(id), soci::into(name), soci::into(text), soci::into(secret));
  st.execute();
  while (st.fetch()) destination.settings[name] = Setting{.value = text, .secret = secret != 0};
}

void write_settings(soci::session& sql, const Destination& destination) {
  const std::string id = destination.id.to_string();
  sql << "DELETE FROM destination_settings WHERE destination_id = :id", soci::use(id);
  for (const auto& [name, setting] : destination.settings) {
    const int secret = setting.secret ? 1 : 0;
    sql << "INSERT INTO destination_settings (destination_id, name, text, secret) "
           "VALUES (:id, :name, :text, :secret)",
        soci::use(id), soci::use(name), soci::use(setting.value), soci::use(secret);
  }
}

// What two shapes of a destination must share to be the same place.
std::string target_of(const std::string& data_dir, const Destination& destination) {
  if (const auto file = target_file(data_dir, destination)) return "file:" + *file;
  std::string target = destination.type;
  for (const auto& [name, setting] : destination.settings) {
    // A new password opens the same place.
    if (setting.secret) continue;
    target += '\n';
    target += name;
    target += '=';
    target += setting.value;
  }
  return target;
}

// What the API may say of a DuckDB destination. (The configuration's loader reads its own settings.)
Result<> check_duckdb(const Settings& settings) {
  const auto get = [&](const char* name) {
    const auto found = settings.find(name);
    return found == settings.end() ? std::string() : found->second.value;
  };
  const std::string memory = get("in_memory");
  if (!memory.empty() && memory != "true" && memory != "false") {
    return fail(invalid("the setting \"in_memory\" is true or false"));
  }
  const bool has_file = settings.contains("file");
  const int places = (memory == "true" ? 1 : 0) + (has_file ? 1 : 0) + (get("token").empty() ? 0 : 1);
  if (places > 1) {
    return fail(invalid("a DuckDB destination takes only one of file, in_memory and token"));
  }
  if (settings.contains("extension_repository")) {
    return fail(invalid("extension_repository can be set in the configuration file only"));
  }
  if (!has_file) return {};
  const std::string file = get("file");
  TRY(check_name("the setting \"file\"", file));
  if (file.find('/') != std::string::npos || file.starts_with('.') || file.starts_with(':')) {
    return fail(invalid("the setting \"file\" must be a plain file name: a destination made here has "
                        "a folder of its own; other paths stand in the configuration file"));
  }
  return {};
}

Result<Settings> checked_settings(Settings settings, const Destination& owner) {
  if (settings.size() > 100) return fail(invalid("a destination takes at most 100 settings"));
  for (auto& [name, setting] : settings) {
    TRY(check_name("a setting's name", name));
    TRY(check_text("the setting \"" + name + "\"", setting.value, 64U << 10));
    setting.secret = setting.secret || is_secret_setting(name);
  }
  if (owner.origin == Origin::kApi && owner.type == "duckdb") TRY(check_duckdb(settings));
  return settings;
}

Result<> check_destination_name(std::string_view name) {
  TRY(check_name("the destination's name", name));
  if (Id128::parse(name)) {
    return fail(invalid("the destination's name must not look like an id"));
  }
  return {};
}

Result<> check_type(std::string_view type) {
  TRY(check_name("the destination's type", type));
  const auto plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; };
  if (type.size() > 64 || !std::ranges::all_of(type, plain)) {
    return fail(invalid("the destination's type is a word of small letters"));
  }
  return {};
}

Error name_taken() {
  return Error{.code = ErrorCode::kAlreadyExists,
               .message = "a destination of this name exists already"};
}

// Nobody else may have the name or the file. The indexes see to it too; this gives the better message.
Result<> check_unique(soci::session& sql, const std::string& data_dir, const Destination& wanted) {
  const std::string id = wanted.id.to_string();
  int found = 0;
  sql << "SELECT count(*) FROM destinations WHERE deleted_at IS NULL AND name = :name AND id <> :id",
      soci::use(wanted.name), soci::use(id), soci::into(found);
  if (found != 0) return fail(name_taken());
  const auto file = target_file(data_dir, wanted);
  if (!file) return {};
  sql << "SELECT count(*) FROM destinations "
         "WHERE deleted_at IS NULL AND target_file = :file AND id <> :id",
      soci::use(*file), soci::use(id), soci::into(found);
  if (found != 0) {
    return fail(ErrorCode::kAlreadyExists, "another destination uses the same file");
  }
  return {};
}

void insert(soci::session& sql, const std::string& data_dir, const Destination& row) {
  const std::string id = row.id.to_string();
  const int origin = static_cast<int>(row.origin);
  const int state = static_cast<int>(row.state);
  const auto file = target_file(data_dir, row);
  const std::string file_text = file.value_or("");
  soci::indicator has_file = file ? soci::i_ok : soci::i_null;
  const long long log_generation = row.log_generation, generation = row.generation;
  const long long created = row.created_at, updated = row.updated_at;
  sql << "INSERT INTO destinations (id, name, type, origin, state, target_file, log_generation, "
         "generation, created_at, updated_at) "
         "VALUES (:id, :name, :type, :origin, :state, :file, :log, :gen, :created, :updated)",
      soci::use(id), soci::use(row.name), soci::use(row.type), soci::use(origin), soci::use(state),
      soci::use(file_text, has_file), soci::use(log_generation), soci::use(generation),
      soci::use(created), soci::use(updated);
  write_settings(sql, row);
}

// Writes every column back and raises the generation.
void update(soci::session& sql, const std::string& data_dir, Destination& row, Micros now) {
  row.generation += 1;
  row.updated_at = now;
  const std::string id = row.id.to_string();
  const int origin = static_cast<int>(row.origin);
  const int state = static_cast<int>(row.state);
  const auto file = target_file(data_dir, row);
  const std::string file_text = file.value_or("");
  soci::indicator has_file = file ? soci::i_ok : soci::i_null;
  const long long log_generation = row.log_generation, generation = row.generation;
  const long long updated = row.updated_at;
  sql << "UPDATE destinations SET name = :name, type = :type, origin = :origin, state = :state, "
         "target_file = :file, log_generation = :log, generation = :gen, updated_at = :updated "
         "WHERE id = :id",
      soci::use(row.name), soci::use(row.type), soci::use(origin), soci::use(state),
      soci::use(file_text, has_file), soci::use(log_generation), soci::use(generation),
      soci::use(updated), soci::use(id);
  write_settings(sql, row);
}

bool same_shape(const Destination& a, const Destination& b) {
  return a.name == b.name && a.type == b.type && a.settings == b.settings && a.origin == b.origin &&
         a.state == b.state;
}

}  // namespace

std::vector<Destination> read_all_destinations(soci::session& sql) {
  std::vector<Destination> out;
  DestinationRow row;
  soci::statement st(into_row(
      sql.prepare << std::string(kColumns) + "WHERE deleted_at IS NULL ORDER BY created_at, id",
      row));
  st.execute();
  while (st.fetch()) out.push_back(row.to_destination());
  for (Destination& destination : out) read_settings(sql, destination);
  return out;
}

Result<Destination> read_destination(soci::session& sql, Id128 id) {
  const std::string text = id.to_string();
  DestinationRow row;
  into_row((sql << std::string(kColumns) + "WHERE id = :id AND deleted_at IS NULL", soci::use(text)),
           row);
  if (!sql.got_data()) return fail(ErrorCode::kNotFound, "there is no such destination");
  Destination out = row.to_destination();
  read_settings(sql, out);
  return out;
}

Result<Destination> Catalog::create_destination(const NewDestination& spec) {
  TRY(check_destination_name(spec.name));
  TRY(check_type(spec.type));
  Destination row;
  row.id = Id128::make();
  row.name = spec.name;
  row.type = spec.type;
  row.origin = spec.origin;
  TRY_ASSIGN(row.settings, checked_settings(spec.settings, row));
  return impl_->write_visible([&](soci::session& sql) -> Result<Destination> {
    row.created_at = row.updated_at = impl_->now();
    TRY(check_unique(sql, data_dir(), row));
    insert(sql, data_dir(), row);
    return row;
  });
}

Result<std::vector<Destination>> Catalog::put_configured_destinations(
    const std::vector<NewDestination>& specs) {
  std::set<std::string> names;
  std::vector<Destination> wanted;
  for (const NewDestination& spec : specs) {
    TRY(check_destination_name(spec.name));
    TRY(check_type(spec.type));
    if (spec.origin == Origin::kApi) {
      return fail(invalid("a configured destination must say where it comes from"));
    }
    if (!names.insert(spec.name).second) return fail(name_taken());
    Destination row;
    row.name = spec.name;
    row.type = spec.type;
    row.origin = spec.origin;
    TRY_ASSIGN(row.settings, checked_settings(spec.settings, row));
    wanted.push_back(std::move(row));
  }
  return impl_->write_visible([&](soci::session& sql) -> Result<std::vector<Destination>> {
    const Micros now = impl_->now();
    const std::vector<Destination> all = read_all_destinations(sql);
    // Files may have changed hands among the configured ones: all let go before the first takes.
    sql << "UPDATE destinations SET target_file = NULL WHERE deleted_at IS NULL AND origin <> 0";

    // Which row each of them is: by name, else by the file of one that would be detached.
    std::vector<const Destination*> matches;
    std::set<Id128> taken;
    for (const Destination& row : wanted) {
      const Destination* match = nullptr;
      for (const Destination& old : all) {
        if (old.name == row.name) match = &old;
      }
      if (match != nullptr && match->origin == Origin::kApi) return fail(name_taken());
      const auto file = target_file(data_dir(), row);
      const bool named_file = !row.setting("file").empty();
      for (const Destination& old : all) {
        if (match != nullptr || !file || !named_file) break;
        const bool leaving = old.origin != Origin::kApi && !names.contains(old.name);
        if (leaving && !taken.contains(old.id) && target_file(data_dir(), old) == file) match = &old;
      }
      if (match != nullptr) taken.insert(match->id);
      matches.push_back(match);
    }

    for (const Destination& old : all) {
      if (old.origin == Origin::kApi || taken.contains(old.id)) continue;
      Destination row = old;
      if (row.state == DestinationState::kActive) row.state = DestinationState::kDetached;
      if (!same_shape(row, old)) update(sql, data_dir(), row, now);
    }
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      Destination& row = wanted[i];
      if (matches[i] == nullptr) {
        row.id = Id128::make();
        row.created_at = row.updated_at = now;
        TRY(check_unique(sql, data_dir(), row));
        insert(sql, data_dir(), row);
        continue;
      }
      const Destination& old = *matches[i];
      row.id = old.id;
      row.created_at = old.created_at;
      row.updated_at = old.updated_at;
      row.generation = old.generation;
      row.log_generation = old.log_generation;
      if (target_of(data_dir(), row) != target_of(data_dir(), old)) row.log_generation += 1;
      TRY(check_unique(sql, data_dir(), row));
      if (!same_shape(row, old)) update(sql, data_dir(), row, now);
    }
    // Those that did not change, and those detached, get their file back; a clash is an error.
    for (const Destination& row : read_all_destinations(sql)) {
      if (row.origin == Origin::kApi) continue;
      TRY(check_unique(sql, data_dir(), row));
      const auto file = target_file(data_dir(), row);
      if (!file) continue;
      const std::string id = row.id.to_string();
      sql << "UPDATE destinations SET target_file = :file WHERE id = :id", soci::use(*file),
          soci::use(id);
    }
    return wanted;
  });
}

Result<Destination> Catalog::change_destination(Id128 id, const DestinationChange& change) {
  return impl_->write_visible([&](soci::session& sql) -> Result<Destination> {
    TRY_ASSIGN(Destination row, read_destination(sql, id));
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
    update(sql, data_dir(), row, impl_->now());
    return row;
  });
}

Result<Destination> Catalog::set_destination_state(Id128 id, DestinationState state) {
  return impl_->write_visible([&](soci::session& sql) -> Result<Destination> {
    TRY_ASSIGN(Destination row, read_destination(sql, id));
    row.state = state;
    update(sql, data_dir(), row, impl_->now());
    return row;
  });
}

Result<> Catalog::delete_destination(Id128 id) {
  return impl_->write_visible([&](soci::session& sql) -> Result<> {
    TRY_ASSIGN(const Destination row, read_destination(sql, id));
    const std::string text = row.id.to_string();
    const long long now = impl_->now();
    sql << "UPDATE destinations SET deleted_at = :now, updated_at = :also WHERE id = :id",
        soci::use(now), soci::use(now), soci::use(text);
    // Nobody needs the secrets of a destination that is gone.
    sql << "DELETE FROM destination_settings WHERE destination_id = :id AND secret = 1",
        soci::use(text);
    sql << "UPDATE api_keys SET revoked_at = :now WHERE destination_id = :id AND revoked_at IS NULL",
        soci::use(now), soci::use(text);
    sql << "UPDATE shares SET revoked_at = :now WHERE destination_id = :id AND revoked_at IS NULL",
        soci::use(now), soci::use(text);
    return {};
  });
}

Result<Destination> Catalog::destination(Id128 id) {
  return impl_->read([&](soci::session& sql) { return read_destination(sql, id); });
}

Result<Destination> Catalog::destination_named(std::string_view name) {
  return impl_->read([&](soci::session& sql) -> Result<Destination> {
    const std::string wanted(name);
    std::string id;
    sql << "SELECT id FROM destinations WHERE name = :name AND deleted_at IS NULL",
        soci::use(wanted), soci::into(id);
    if (!sql.got_data()) return fail(ErrorCode::kNotFound, "there is no such destination");
    return read_destination(sql, parse_id(id));
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
    DestinationRow row;
    const int more = limit + 1;
    soci::statement st(into_row(
        (sql.prepare << std::string(kColumns) +
                            "WHERE deleted_at IS NULL AND (created_at > :at OR "
                            "(created_at = :same AND id > :id)) ORDER BY created_at, id LIMIT :more",
         soci::use(at), soci::use(at), soci::use(after), soci::use(more)),
        row));
    st.execute();
    std::vector<Destination> items;
    while (st.fetch()) items.push_back(row.to_destination());
    auto out = make_page(std::move(items), limit);
    for (Destination& destination : out.items) read_settings(sql, destination);
    return out;
  });
}

}  // namespace sd::catalog
