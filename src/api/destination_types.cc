#include "api/destination_types.h"

#include <algorithm>

#include "api/resource.h"

namespace sd::api {
namespace {

using catalog::SettingSpec;

void write_text(json::Writer& w, std::string_view member, std::string_view text) {
  if (text.empty())
    w.null_member(member);
  else
    w.member(member, text);
}

Result<std::string> value_text(const SettingSpec& spec, const json::Value& value) {
  if (spec.kind == "boolean") {
    if (value.as_bool()) return std::string(*value.as_bool() ? "true" : "false");
    if (value.is_string() && (value.text() == "true" || value.text() == "false"))
      return value.text();
    return fail(as_parameter(wrong_kind(spec)));
  }
  if (!value.is_string()) return fail(as_parameter(wrong_kind(spec)));
  if (value.text().empty()) {
    return fail(
        as_parameter(catalog::invalid_setting(spec.name, "must not be empty; null removes it")));
  }
  return value.text();
}

std::string file_name(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

}  // namespace

std::string destination_types_json() {
  std::vector<std::string> items;
  for (const TypeSpec& type : catalog::destination_types()) {
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
      w.member("required", setting.required);
      if (setting.kind == "boolean" && !setting.default_text.empty())
        w.member("default", setting.default_text == "true");
      else
        write_text(w, "default", setting.default_text);
      write_text(w, "placeholder", setting.placeholder);
      w.member("help", setting.help);
      write_text(w, "only_with", setting.only_with);
      w.begin_array("not_with");
      for (const std::string_view other : setting.not_with) w.element(other);
      w.end_array();
      write_text(w, "choice", setting.choice);
      w.end_object();
    }
    items.push_back(w.end_array().end_object().take());
  }
  return list_json(items, std::nullopt);
}

Result<SettingChanges> read_settings(const TypeSpec& type, const json::Value& object) {
  if (!object.is_object()) return fail(parameter_error("settings must be an object"));
  SettingChanges changes;
  for (const auto& [name, value] : object.members()) {
    const auto found = find_setting(type, name, catalog::Giver::kApi);
    if (!found) return fail(as_parameter(found.error()));
    const SettingSpec* spec = *found;
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

Result<const TypeSpec*> type_of(std::string_view name) {
  auto type = catalog::find_type(name);
  if (!type) return fail(as_parameter(std::move(type).error()));
  return type;
}

Result<catalog::Settings> check_settings(const TypeSpec& type, catalog::Settings settings) {
  auto checked = catalog::settings_of_api(type, std::move(settings));
  if (!checked) return fail(as_parameter(std::move(checked).error()));
  return checked;
}

void write_settings(json::Writer& w, const catalog::Destination& destination, bool with_paths) {
  const auto type = catalog::find_type(destination.type);
  w.begin_object("settings");
  for (const auto& [name, setting] : destination.settings) {
    const SettingSpec* spec = type ? (*type)->find(name) : nullptr;
    const std::string_view kind = spec == nullptr ? "text" : spec->kind;
    if (catalog::is_secret(destination.type, name, setting)) {
      w.begin_object(name).member("secret", true).member("set", setting.is_set()).end_object();
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
