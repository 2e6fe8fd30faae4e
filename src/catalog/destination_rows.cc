#include "catalog/destination_rows.h"

#include <soci/soci.h>

#include <algorithm>
#include <utility>

#include "catalog/destination_types.h"

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
  statement, soci::into(row.id), soci::into(row.name), soci::into(row.type), soci::into(row.origin),
      soci::into(row.state), soci::into(row.log_generation), soci::into(row.generation),
      soci::into(row.created_at), soci::into(row.updated_at);
  return std::forward<S>(statement);
}

void write_settings(soci::session& sql, const Sealer& sealer, const Destination& destination) {
  const std::string id = destination.id.to_string();
  sql << "DELETE FROM destination_settings WHERE destination_id = :id", soci::use(id);
  for (const auto& [name, setting] : destination.settings) {
    const int secret = setting.secret ? 1 : 0;
    const std::string text = !setting.unreadable.empty() ? setting.unreadable
                             : setting.secret ? sealer.seal(setting.value, setting_place(id, name))
                                              : setting.value;
    sql << "INSERT INTO destination_settings (destination_id, name, text, secret) "
           "VALUES (:id, :name, :text, :secret)",
        soci::use(id), soci::use(name), soci::use(text), soci::use(secret);
  }
}

Result<> check_type(std::string_view type) {
  TRY(check_name("the destination's type", type));
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  };
  if (type.size() > 64 || !std::ranges::all_of(type, plain)) {
    return fail(invalid("the destination's type is a word of small letters"));
  }
  return {};
}

// NULL where it holds no file: a detached destination lets go of its own, so that another one may
// take it.
std::optional<std::string> held_file(const std::string& data_dir, const Destination& row) {
  if (row.state == DestinationState::kDetached) return std::nullopt;
  return target_file(data_dir, row);
}

// Says which member of an API's body it is about, too.
Error about_name(Error error) {
  return std::move(error).with_member("member", "\"name\"");
}

}  // namespace

std::string setting_place(const std::string& destination_id, const std::string& name) {
  return "destination " + destination_id + " setting " + name;
}

void read_settings(soci::session& sql, const Sealer& sealer, Destination& destination) {
  const std::string id = destination.id.to_string();
  std::string name, text;
  int secret = 0;
  soci::statement st = (sql.prepare << "SELECT name, text, secret FROM destination_settings "
                                       "WHERE destination_id = :id",
                        soci::use(id), soci::into(name), soci::into(text), soci::into(secret));
  st.execute();
  while (st.fetch()) {
    Setting& setting = destination.settings[name];
    setting.secret = secret != 0;
    if (!setting.secret) {
      setting.value = text;
    } else if (auto plain = sealer.unseal(text, setting_place(id, name))) {
      setting.value = std::move(*plain);
    } else {
      setting.unreadable = text;
    }
  }
}

Result<> check_destination_name(std::string_view name) {
  if (auto checked = check_name("the destination's name", name); !checked)
    return fail(about_name(std::move(checked).error()));
  if (Id128::parse(name)) {
    return fail(about_name(invalid("the destination's name must not look like an id")));
  }
  return {};
}

Result<Settings> checked_settings(Settings settings, const Destination& owner) {
  if (settings.size() > 100) return fail(invalid("a destination takes at most 100 settings"));
  for (auto& [name, setting] : settings) {
    TRY(check_name("a setting's name", name));
    TRY(check_text("the setting \"" + name + "\"", setting.value, 64U << 10));
    setting.secret = is_secret(owner.type, name, setting);
  }
  if (owner.origin != Origin::kApi) return settings;
  const auto type = find_type(owner.type);
  return type ? settings_of_api(**type, std::move(settings)) : settings;
}

Result<Destination> new_row(const NewDestination& spec) {
  TRY(check_destination_name(spec.name));
  TRY(check_type(spec.type));
  Destination row;
  row.id = Id128::make();
  row.name = spec.name;
  row.type = spec.type;
  row.origin = spec.origin;
  TRY_ASSIGN(row.settings, checked_settings(spec.settings, row));
  return row;
}

Error name_taken() {
  return about_name(
      {.code = ErrorCode::kAlreadyExists, .message = "a destination of this name exists already"});
}

Result<> check_unique(soci::session& sql, const std::string& data_dir, const Destination& wanted) {
  const std::string id = wanted.id.to_string();
  int found = 0;
  sql << "SELECT count(*) FROM destinations WHERE deleted_at IS NULL AND name = :name AND id <> "
         ":id",
      soci::use(wanted.name), soci::use(id), soci::into(found);
  if (found != 0) return fail(name_taken());
  const auto file = held_file(data_dir, wanted);
  if (!file) return {};
  sql << "SELECT count(*) FROM destinations "
         "WHERE deleted_at IS NULL AND target_file = :file AND id <> :id",
      soci::use(*file), soci::use(id), soci::into(found);
  if (found != 0) {
    return fail(ErrorCode::kAlreadyExists, "another destination uses the same file");
  }
  return {};
}

void insert_destination(soci::session& sql, const Sealer& sealer, const std::string& data_dir,
                        const Destination& row) {
  const std::string id = row.id.to_string();
  const int origin = static_cast<int>(row.origin);
  const int state = static_cast<int>(row.state);
  const auto file = held_file(data_dir, row);
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
  write_settings(sql, sealer, row);
}

void update_destination(soci::session& sql, const Sealer& sealer, const std::string& data_dir,
                        Destination& row, Micros now) {
  row.generation += 1;
  row.updated_at = now;
  const std::string id = row.id.to_string();
  const int origin = static_cast<int>(row.origin);
  const int state = static_cast<int>(row.state);
  const auto file = held_file(data_dir, row);
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
  write_settings(sql, sealer, row);
}

std::vector<Destination> read_all_destinations(soci::session& sql, const Sealer& sealer) {
  std::vector<Destination> out;
  DestinationRow row;
  soci::statement st(into_row(
      sql.prepare << std::string(kColumns) + "WHERE deleted_at IS NULL ORDER BY created_at, id",
      row));
  st.execute();
  while (st.fetch()) out.push_back(row.to_destination());
  for (Destination& destination : out) read_settings(sql, sealer, destination);
  return out;
}

Result<Destination> read_destination(soci::session& sql, const Sealer& sealer, Id128 id) {
  const std::string text = id.to_string();
  DestinationRow row;
  into_row(
      (sql << std::string(kColumns) + "WHERE id = :id AND deleted_at IS NULL", soci::use(text)),
      row);
  if (!sql.got_data()) return fail(ErrorCode::kNotFound, "there is no such destination");
  Destination out = row.to_destination();
  read_settings(sql, sealer, out);
  return out;
}

std::vector<Destination> read_destinations_after(soci::session& sql, Micros created_at,
                                                 const std::string& id, int most) {
  const long long at = created_at;
  DestinationRow row;
  soci::statement st(into_row(
      (sql.prepare << std::string(kColumns) + "WHERE deleted_at IS NULL AND (created_at > :at OR "
                                              "(created_at = :same AND id > :id)) "
                                              "ORDER BY created_at, id LIMIT :most",
       soci::use(at), soci::use(at), soci::use(id), soci::use(most)),
      row));
  st.execute();
  std::vector<Destination> out;
  while (st.fetch()) out.push_back(row.to_destination());
  return out;
}

}  // namespace sd::catalog
