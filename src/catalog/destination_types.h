// What each type of destination takes: one table, from which GET /api/destination-types is told (and
// with it the form of the dashboard), and against which the settings of the API and those of the
// configuration file are checked, in the same words. A new type is a row here. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "catalog/model.h"

namespace sd::catalog {

struct SettingSpec {
  std::string_view name;
  std::string_view kind;  // "text", "boolean", "file"
  std::string_view label;
  bool secret = false;
  bool required = false;
  std::string_view default_text = {};  // empty: none
  std::string_view placeholder = {};   // what a value looks like
  std::string_view help = {};
  std::string_view only_with = {};              // means something beside this setting only
  std::vector<std::string_view> not_with = {};  // each of them says the same thing in another way
  std::string_view choice = {};                 // what is chosen between it and those of not_with
  bool configuration_only = false;              // known, but not to be set over HTTP
};

struct TypeSpec {
  std::string_view name;
  std::string_view label;
  std::string_view help;
  std::vector<SettingSpec> settings;

  const SettingSpec* find(std::string_view setting) const;  // null: no such setting
};

const std::vector<TypeSpec>& destination_types();
// kInvalidArgument that names those that there are.
Result<const TypeSpec*> find_type(std::string_view name);

// The configuration file takes more settings than the API does.
enum class Giver : std::uint8_t { kApi, kConfiguration };
// kInvalidArgument that names the nearest known one, or says that it is for the configuration file only.
Result<const SettingSpec*> find_setting(const TypeSpec& type, std::string_view name, Giver giver);
// A value as people write it, as the catalog keeps it: a boolean as "true" or "false".
Result<std::string> setting_value(const SettingSpec& spec, std::string_view given);
Error wrong_kind(const SettingSpec& spec);
// "the setting "file" is missing", and which member of an API's body that is about.
Error invalid_setting(std::string_view name, std::string_view what);
// What settings ask of each other: what is missing, what excludes what.
Result<> check_together(const TypeSpec& type, const Settings& settings);

// All that is asked of settings that come from the API: the above, and that a file is a plain name in the
// destination's own folder. (The configuration's loader says more of what it reads.)
Result<Settings> settings_of_api(const TypeSpec& type, Settings settings);

// As the type says, as the setting's name says, or as it is marked.
bool is_secret(std::string_view type, const std::string& name, const Setting& setting);

}  // namespace sd::catalog
