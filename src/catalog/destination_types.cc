#include "catalog/destination_types.h"

#include <algorithm>

#include "base/words.h"
#include "catalog/impl.h"

namespace sd::catalog {
namespace {

const TypeSpec* type_named(std::string_view name) {
  const auto found = std::ranges::find(destination_types(), name, &TypeSpec::name);
  return found == destination_types().end() ? nullptr : &*found;
}

std::string quoted(std::string_view name) {
  return "\"" + std::string(name) + "\"";
}

bool is_given(const Settings& settings, std::string_view name) {
  const auto found = settings.find(std::string(name));
  return found != settings.end() && found->second.is_set() && found->second.value != "false";
}

// Says which member of an API's body it is about, too.
Error about(std::string_view setting, Error error) {
  return std::move(error).with_member("member", "\"settings." + std::string(setting) + "\"");
}

Result<> check_plain_file(const std::string& setting, const std::string& file) {
  if (auto named = check_name("the setting " + quoted(setting), file); !named)
    return fail(about(setting, std::move(named).error()));
  const bool plain =
      file.find('/') == std::string::npos && !file.starts_with('.') && !file.starts_with(':');
  if (plain) return {};
  return fail(invalid_setting(
      setting,
      "must be a plain file name: a destination made here has a folder of its own; other paths "
      "stand in the configuration file"));
}

constexpr std::string_view kWhereRowsAre = "Where the rows are kept";

// Every setting that says the same thing as this one: "file", "in_memory", "token".
std::string alternatives(const TypeSpec& type, const SettingSpec& of) {
  std::vector<std::string_view> names;
  for (const SettingSpec& spec : type.settings) {
    const bool one = &spec == &of || std::ranges::find(of.not_with, spec.name) != of.not_with.end();
    if (one) names.push_back(spec.name);
  }
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i)
    text += (i == 0 ? "" : i + 1 == names.size() ? " and " : ", ") + std::string(names[i]);
  return text;
}

}  // namespace

const SettingSpec* TypeSpec::find(std::string_view setting) const {
  const auto found = std::ranges::find(settings, setting, &SettingSpec::name);
  return found == settings.end() ? nullptr : &*found;
}

const std::vector<TypeSpec>& destination_types() {
  static const std::vector<TypeSpec> kTypes = {
      {.name = "duckdb",
       .label = "DuckDB",
       .help = "A DuckDB database: a file on the server (the default), memory, or MotherDuck.",
       .settings = {
           {.name = "file",
            .kind = "file",
            .label = "File name",
            .default_text = "data.duckdb",
            .placeholder = "data.duckdb",
            .help = "A plain file name in the destination's own folder. Other paths stand in the "
                    "configuration file of the server.",
            .not_with = {"in_memory", "token"},
            .choice = kWhereRowsAre},
           {.name = "in_memory",
            .kind = "boolean",
            .label = "In memory",
            .default_text = "false",
            .help = "Keep the rows in memory. They are read back from the journal after a restart, "
                    "so the journal keeps all of them.",
            .not_with = {"file", "token"},
            .choice = kWhereRowsAre},
           {.name = "token",
            .kind = "text",
            .label = "MotherDuck token",
            .secret = true,
            .placeholder = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9…",
            .help =
                "With an access token of MotherDuck the rows go there. Make one under Settings, "
                "Access Tokens, in MotherDuck's own pages. It is kept encrypted and never shown.",
            .not_with = {"file", "in_memory"},
            .choice = kWhereRowsAre},
           {.name = "database",
            .kind = "text",
            .label = "MotherDuck database",
            .default_text = "my_db",
            .placeholder = "my_db",
            .help = "The database at MotherDuck. It has to be there.",
            .only_with = "token"},
           {.name = "extension_repository",
            .kind = "text",
            .label = "Extension mirror",
            .help = "Where DuckDB's extensions come from in a closed network.",
            .configuration_only = true},
       }}};
  return kTypes;
}

Result<const TypeSpec*> find_type(std::string_view name) {
  if (const TypeSpec* type = type_named(name)) return type;
  std::string known;
  for (const TypeSpec& type : destination_types())
    known += (known.empty() ? "" : ", ") + std::string(type.name);
  return fail(invalid("there is no destination type " + quoted(name.substr(0, 100)) +
                      "; there is: " + known));
}

Result<const SettingSpec*> find_setting(const TypeSpec& type, std::string_view name, Giver giver) {
  const SettingSpec* spec = type.find(name);
  const bool may = giver == Giver::kConfiguration || spec == nullptr || !spec->configuration_only;
  if (!may) return fail(invalid_setting(name, "can be set in the configuration file only"));
  if (spec != nullptr) return spec;
  std::vector<std::string> known;
  for (const SettingSpec& each : type.settings) {
    if (giver == Giver::kConfiguration || !each.configuration_only) known.emplace_back(each.name);
  }
  return fail(invalid(
      unknown_text("setting of a " + std::string(type.name) + " destination", name, known)));
}

Error invalid_setting(std::string_view name, std::string_view what) {
  return about(name, invalid("the setting " + quoted(name) + " " + std::string(what)));
}

Error wrong_kind(const SettingSpec& spec) {
  return invalid_setting(spec.name, spec.kind == "boolean" ? "is true or false" : "is a text");
}

Result<std::string> setting_value(const SettingSpec& spec, std::string_view given) {
  if (spec.kind != "boolean") return std::string(given);
  const std::optional<bool> flag = parse_bool(given);
  if (!flag) return fail(wrong_kind(spec));
  return std::string(*flag ? "true" : "false");
}

Result<> check_together(const TypeSpec& type, const Settings& settings) {
  for (const SettingSpec& spec : type.settings) {
    const bool given = is_given(settings, spec.name);
    if (spec.required && !given) return fail(invalid_setting(spec.name, "is missing"));
    if (!given) continue;
    if (!spec.only_with.empty() && !is_given(settings, spec.only_with)) {
      return fail(invalid_setting(
          spec.name, "means nothing without " + quoted(spec.only_with) + ", which is missing"));
    }
    for (const std::string_view other : spec.not_with) {
      if (!is_given(settings, other)) continue;
      return fail(invalid("a " + std::string(type.name) + " destination takes only one of " +
                          alternatives(type, spec)));
    }
  }
  return {};
}

Result<Settings> settings_of_api(const TypeSpec& type, Settings settings) {
  for (auto& [name, setting] : settings) {
    const SettingSpec* spec = type.find(name);
    if (spec == nullptr) continue;
    TRY(find_setting(type, name, Giver::kApi));
    TRY_ASSIGN(setting.value, setting_value(*spec, setting.value));
    if (spec->kind == "file") TRY(check_plain_file(name, setting.value));
  }
  TRY(check_together(type, settings));
  return settings;
}

bool is_secret(std::string_view type, const std::string& name, const Setting& setting) {
  const TypeSpec* known = type_named(type);
  const SettingSpec* spec = known == nullptr ? nullptr : known->find(name);
  return setting.secret || (spec != nullptr && spec->secret) || is_secret_setting(name);
}

}  // namespace sd::catalog
