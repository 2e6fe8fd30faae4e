#include "api/destination_types.h"

#include <algorithm>

#include "api/resource.h"

namespace sd::api {
namespace {

const SettingSpec* find_setting(const TypeSpec& type, std::string_view name) {
  const auto found = std::ranges::find(type.settings, name, &SettingSpec::name);
  return found == type.settings.end() ? nullptr : &*found;
}

bool is_secret(const TypeSpec* type, const std::string& name, const catalog::Setting& setting) {
  const SettingSpec* spec = type == nullptr ? nullptr : find_setting(*type, name);
  return setting.secret || (spec != nullptr && spec->secret) || catalog::is_secret_setting(name);
}

const TypeSpec* type_named(std::string_view name) {
  const auto found = std::ranges::find(destination_types(), name, &TypeSpec::name);
  return found == destination_types().end() ? nullptr : &*found;
}

Result<std::string> value_text(const SettingSpec& spec, const json::Value& value) {
  const std::string name(spec.name);
  if (spec.kind == "boolean") {
    if (value.as_bool()) return std::string(*value.as_bool() ? "true" : "false");
    if (value.is_string() && (value.text() == "true" || value.text() == "false"))
      return value.text();
    return fail(parameter_error("the setting \"" + name + "\" is true or false"));
  }
  if (!value.is_string()) return fail(parameter_error("the setting \"" + name + "\" is a text"));
  if (value.text().empty()) {
    return fail(parameter_error("the setting \"" + name + "\" must not be empty; null removes it"));
  }
  return value.text();
}

std::string file_name(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

}  // namespace

const std::vector<TypeSpec>& destination_types() {
  static const std::vector<TypeSpec> kTypes = {
      {"duckdb",
       "DuckDB",
       "A DuckDB database: a file on the server (the default), memory, or MotherDuck.",
       {
           {"file", "file", "File name", false, "data.duckdb",
            "A plain file name in the destination's own folder. Other paths stand in the "
            "configuration "
            "file of the server.",
            false},
           {"in_memory", "boolean", "In memory", false, "false",
            "Keep the rows in memory. They are read back from the journal after a restart.", false},
           {"token", "text", "MotherDuck token", true, "",
            "A token of MotherDuck makes this a MotherDuck destination.", false},
           {"database", "text", "MotherDuck database", false, "my_db",
            "The database at MotherDuck; only together with a token.", false},
           {"extension_repository", "text", "Extension mirror", false, "",
            "Where DuckDB's extensions come from in a closed network.", true},
       }}};
  return kTypes;
}

Result<const TypeSpec*> find_type(std::string_view name) {
  if (const TypeSpec* type = type_named(name)) return type;
  std::string known;
  for (const TypeSpec& type : destination_types())
    known += (known.empty() ? "" : ", ") + std::string(type.name);
  return fail(parameter_error("there is no destination type \"" + std::string(name.substr(0, 100)) +
                              "\"; there is: " + known));
}

std::string destination_types_json() {
  std::vector<std::string> items;
  for (const TypeSpec& type : destination_types()) {
    json::Writer w;
    w.begin_object()
        .member("type", type.name)
        .member("label", type.label)
        .member("help", type.help);
    w.begin_array("settings");
    for (const SettingSpec& setting : type.settings) {
      if (setting.configuration_only) continue;
      w.begin_object().member("name", setting.name).member("kind", setting.kind);
      w.member("label", setting.label).member("secret", setting.secret);
      const bool flag = setting.kind == "boolean";
      if (setting.default_text.empty())
        w.null_member("default");
      else if (flag)
        w.member("default", setting.default_text == "true");
      else
        w.member("default", setting.default_text);
      w.member("help", setting.help).end_object();
    }
    items.push_back(w.end_array().end_object().take());
  }
  return list_json(items, std::nullopt);
}

Result<SettingChanges> read_settings(const TypeSpec& type, const json::Value& object) {
  if (!object.is_object()) return fail(parameter_error("settings must be an object"));
  SettingChanges changes;
  std::vector<std::string> known;
  for (const SettingSpec& spec : type.settings) {
    if (!spec.configuration_only) known.emplace_back(spec.name);
  }
  for (const auto& [name, value] : object.members()) {
    const SettingSpec* spec = find_setting(type, name);
    if (spec == nullptr) {
      return fail(parameter_error(
          unknown_text("setting of a " + std::string(type.name) + " destination", name, known)));
    }
    if (spec->configuration_only) {
      return fail(parameter_error("the setting \"" + name +
                                  "\" can be set in the configuration file only"));
    }
    if (value.is_null()) {
      changes[name] = std::nullopt;
      continue;
    }
    const bool as_shown = spec->secret && value.is_object() && value.bool_or("secret", false);
    if (as_shown) continue;
    TRY_ASSIGN(std::string text, value_text(*spec, value));
    changes[name] = catalog::Setting{.value = std::move(text), .secret = spec->secret};
  }
  return changes;
}

catalog::Settings with_changes(catalog::Settings settings, const SettingChanges& changes) {
  for (const auto& [name, setting] : changes) {
    if (setting)
      settings[name] = *setting;
    else
      settings.erase(name);
  }
  return settings;
}

Result<> check_together(const TypeSpec& type, const catalog::Settings& settings) {
  if (type.name == "duckdb" && settings.contains("database") && !settings.contains("token")) {
    return fail(parameter_error(
        "the setting \"database\" names a database at MotherDuck and needs a \"token\""));
  }
  return {};
}

void write_settings(json::Writer& w, const catalog::Destination& destination, bool with_paths) {
  const TypeSpec* type = type_named(destination.type);
  w.begin_object("settings");
  for (const auto& [name, setting] : destination.settings) {
    const SettingSpec* spec = type == nullptr ? nullptr : find_setting(*type, name);
    const std::string_view kind = spec == nullptr ? "text" : spec->kind;
    if (is_secret(type, name, setting)) {
      w.begin_object(name)
          .member("secret", true)
          .member("set", !setting.value.empty())
          .end_object();
    } else if (kind == "boolean") {
      w.member(name, setting.value == "true");
    } else if (kind == "file" && !with_paths) {
      w.member(name, file_name(setting.value));
    } else {
      w.member(name, setting.value);
    }
  }
  w.end_object();
}

}  // namespace sd::api
