// The settings of a destination (catalog/destination_types.h) in JSON: the types that there are, what
// POST and PATCH give, what an answer shows. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "catalog/destination_types.h"
#include "json/document.h"

namespace sd::api {

using catalog::TypeSpec;

// {"data":[{"type","label","help","settings":[{"name","kind","label","secret","required","default",
// "placeholder","help","only_with","not_with","choice"}]}]}
std::string destination_types_json();

// The member "settings" of a request: what to set, and (nullopt, from null) what to remove. A secret as
// it was shown, {"secret":true,…}, stays what it is. An unknown setting is an error that names the
// nearest known one.
using SettingChanges = std::map<std::string, std::optional<catalog::Setting>>;
Result<SettingChanges> read_settings(const TypeSpec& type, const json::Value& object);
catalog::Settings with_changes(catalog::Settings settings, const SettingChanges& changes);
// catalog::find_type() and catalog::settings_of_api(), as errors of a parameter.
Result<const TypeSpec*> type_of(std::string_view name);
Result<catalog::Settings> check_settings(const TypeSpec& type, catalog::Settings settings);

// The member "settings" of an answer. A secret is {"secret":true,"set":true}, never more. Of a path only
// the file's name is shown where not `with_paths`.
void write_settings(json::Writer& writer, const catalog::Destination& destination, bool with_paths);

}  // namespace sd::api
