// What each type of destination takes: one table, from which GET /api/destination-types is told and
// against which the settings of POST and PATCH are checked. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/model.h"
#include "json/document.h"

namespace sd::api {

struct SettingSpec {
  std::string_view name;
  std::string_view kind;  // "text", "boolean", "file"
  std::string_view label;
  bool secret = false;
  std::string_view default_text;  // empty: none
  std::string_view help;
  bool configuration_only = false;  // known, but not to be set over HTTP
};

struct TypeSpec {
  std::string_view name;
  std::string_view label;
  std::string_view help;
  std::vector<SettingSpec> settings;
};

const std::vector<TypeSpec>& destination_types();
// kInvalidArgument that names those that there are.
Result<const TypeSpec*> find_type(std::string_view name);

// {"data":[{"type","label","help","settings":[{"name","kind","label","secret","default","help"}]}]}
std::string destination_types_json();

// The member "settings" of a request: what to set, and (nullopt, from null) what to remove. A secret as
// it was shown, {"secret":true,…}, stays what it is. An unknown setting is an error that names the
// nearest known one.
using SettingChanges = std::map<std::string, std::optional<catalog::Setting>>;
Result<SettingChanges> read_settings(const TypeSpec& type, const json::Value& object);
catalog::Settings with_changes(catalog::Settings settings, const SettingChanges& changes);
// What one setting asks of the others.
Result<> check_together(const TypeSpec& type, const catalog::Settings& settings);

// The member "settings" of an answer. A secret is {"secret":true,"set":true}, never more. Of a path only
// the file's name is shown where not `with_paths`.
void write_settings(json::Writer& writer, const catalog::Destination& destination, bool with_paths);

}  // namespace sd::api
