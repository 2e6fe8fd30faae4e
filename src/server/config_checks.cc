// What is asked of a finished configuration: is it reachable, are its keys well known, how does it
// read.
#include <algorithm>

#include "base/json_text.h"
#include "catalog/destination_types.h"
#include "server/config.h"
#include "server/config_table.h"
#include "server/config_text.h"

namespace sd::server {

bool listens_on_loopback_only(const Config& config) {
  return std::ranges::all_of(config.api.listen, [](const std::string& text) {
    const auto address = parse_address(text);
    return address && is_loopback_host(address->host);
  });
}

Result<> check_well_known_keys(const Config& config, bool all_loopback) {
  if (all_loopback) return {};
  std::string places;
  const auto note = [&](const std::string& key, const std::string& place) {
    if (!catalog::is_well_known_secret(key)) return;
    if (!places.empty()) places += ", ";
    places += json_string(key) + " in " + place;
  };
  for (const std::string& key : config.api_keys) note(key, "api_keys");
  for (const DestinationConfig& each : config.destinations) {
    if (each.origin == catalog::Origin::kBuiltin) continue;
    for (const std::string& key : each.api_keys) {
      note(key, "destinations[].api_keys of " + json_string(each.name));
    }
  }
  if (places.empty()) return {};
  return fail(invalid(
      "keys that everybody knows (" + places +
      ") serve on loopback only, and the server would listen on other addresses too. Put a random "
      "key in their place (for example the output of: openssl rand -hex 24), or set api.host: "
      "127.0.0.1"));
}

std::vector<std::string> usable_keys(const DestinationConfig& destination, bool all_loopback) {
  if (destination.origin == catalog::Origin::kBuiltin && !all_loopback) return {};
  return destination.api_keys;
}

std::string dump_config(const Config& config) {
  Draft draft;
  draft.config = config;
  draft.listen = config.api.listen;
  std::string out;
  for (const SettingSpec& spec : setting_specs()) {
    if (!spec.replaced.empty() || spec.key == "api.host" || spec.key == "api.port") continue;
    out += std::string(spec.key) + ": " + spell(spec, draft) + "\n";
  }
  out += "destinations:\n";
  for (const DestinationConfig& each : config.destinations) {
    out += "  - name: " + json_string(each.name) + "\n    type: " + json_string(each.type) + "\n";
    out += "    api_keys: " + std::to_string(each.api_keys.size()) + " (secret)\n";
    for (const auto& [name, value] : each.settings) {
      const bool secret = catalog::is_secret(each.type, name, {value});
      out += "    settings." + name + ": " + (secret ? "(secret)" : json_string(value)) + "\n";
    }
  }
  return out;
}

std::vector<SettingHelp> setting_helps() {
  const Draft defaults;
  std::vector<SettingHelp> out;
  for (const SettingSpec& spec : setting_specs()) {
    if (!spec.has_flag()) continue;
    std::string shown = spell(spec, defaults);
    if (spec.key == "api.listen") shown = "both loopbacks";
    out.push_back({.key = std::string(spec.key),
                   .flag = flag_name(spec.key),
                   .environment = environment_name(spec.key),
                   .kind = expectation(spec),
                   .default_text = std::move(shown),
                   .help = std::string(spec.help),
                   .list = spec.is_list()});
  }
  return out;
}

}  // namespace sd::server
