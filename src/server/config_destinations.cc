#include "server/config_destinations.h"

#include <algorithm>
#include <map>

#include "base/json_text.h"
#include "catalog/model.h"
#include "server/config_text.h"

namespace sd::server {
namespace {

using Kind = YamlNode::Kind;

// What a DuckDB destination takes. The last three are the original's.
const std::vector<std::string> kDuckdbSettings = {"file",
                                                  "in_memory",
                                                  "database",
                                                  "token",
                                                  "extension_repository",
                                                  "max_open_conns",
                                                  "max_idle_conns",
                                                  "conn_max_lifetime_secs"};
const std::vector<std::string> kTypes = {"duckdb"};
const std::vector<std::string> kMembers = {"type", "name", "api_keys", "settings", "id"};

std::string prefixed(const char* prefix, const std::string& key) {
  return prefix + key;
}

std::vector<std::string> read_keys(const YamlNode& node, const std::string& key,
                                   Problems& problems) {
  std::vector<std::string> out;
  if (node.kind == Kind::kNull) return out;
  if (node.kind != Kind::kList) {
    problems.fail(node.line, key, "must be a list of texts");
    return out;
  }
  for (const YamlNode& item : node.items) {
    if (item.kind != Kind::kScalar || !is_usable_key(item.scalar)) {
      problems.fail(item.line, key, "a key is 1 to 255 characters without blanks");
      continue;
    }
    out.push_back(item.scalar);
  }
  return out;
}

void read_duckdb_settings(const YamlNode& node, DestinationConfig& out, Problems& problems) {
  std::map<std::string, int> lines;
  for (const YamlNode::Member& member : node.members) {
    const std::string key = prefixed("destinations[].settings.", member.key);
    lines[member.key] = member.line;
    if (std::ranges::find(kDuckdbSettings, member.key) == kDuckdbSettings.end()) {
      problems.fail(member.line, key,
                    "unknown setting of a duckdb destination; did you mean " +
                        nearest(member.key, kDuckdbSettings) + "?");
    } else if (member.key.starts_with("max_") || member.key.starts_with("conn_")) {
      problems.warn(member.line, key,
                    "has no meaning any more: the engine of the destination holds its connections");
      out.settings.erase(member.key);
    }
  }
  if (const auto memory = out.settings.find("in_memory"); memory != out.settings.end()) {
    const auto parsed = parse_bool(memory->second);
    if (!parsed) {
      problems.fail(lines["in_memory"], "destinations[].settings.in_memory",
                    "must be true or false, not " + json_string(memory->second));
    }
    if (parsed == true) memory->second = "true";
    if (parsed != true) out.settings.erase(memory);
  }
  // The original takes the first of these and overlooks the others.
  const char* used = nullptr;
  for (const char* place : {"in_memory", "file", "token"}) {
    const auto found = out.settings.find(place);
    if (found == out.settings.end()) continue;
    if (found->second.empty() || used != nullptr) {
      if (used != nullptr && !found->second.empty()) {
        problems.warn(lines[place], prefixed("destinations[].settings.", place),
                      std::string("is not used, because ") + used + " is set");
      }
      out.settings.erase(found);
      continue;
    }
    used = place;
  }
}

void read_settings(const YamlNode& node, DestinationConfig& out, Problems& problems) {
  if (node.kind == Kind::kNull) return;
  if (node.kind != Kind::kMap) {
    problems.fail(node.line, "destinations[].settings", "must be a section of settings");
    return;
  }
  for (const YamlNode::Member& member : node.members) {
    const YamlNode& value = member.value;
    if (value.kind == Kind::kNull) continue;
    const bool plain = value.kind == Kind::kScalar && value.scalar.find('\0') == std::string::npos;
    if (!plain) {
      problems.fail(member.line, prefixed("destinations[].settings.", member.key),
                    "must be one text");
      continue;
    }
    out.settings[member.key] = value.scalar;
  }
  if (out.type == "duckdb") read_duckdb_settings(node, out, problems);
}

// One text of a destination; empty where it is missing or wrong.
std::string read_text(const YamlNode::Member& member, Problems& problems) {
  if (member.value.kind == Kind::kScalar) return member.value.scalar;
  if (member.value.kind != Kind::kNull) {
    problems.fail(member.line, prefixed("destinations[].", member.key), "must be a text");
  }
  return "";
}

DestinationConfig read_destination(const YamlNode& node, Problems& problems) {
  DestinationConfig out;
  out.line = node.line;
  out.type.clear();
  const YamlNode* settings = nullptr;
  for (const YamlNode::Member& member : node.members) {
    const std::string key = prefixed("destinations[].", member.key);
    if (member.key == "type") {
      out.type = read_text(member, problems);
      if (std::ranges::find(kTypes, out.type) == kTypes.end()) {
        problems.fail(
            member.line, key,
            "this program has no destination type " + json_string(out.type) + "; it has: duckdb");
      }
    } else if (member.key == "name") {
      out.name = read_text(member, problems);
      const bool fits = out.name.size() <= 255 && is_valid_utf8(out.name) &&
                        out.name.find('\0') == std::string::npos && !Id128::parse(out.name);
      if (!fits) problems.fail(member.line, key, "must be 1 to 255 bytes of UTF-8, and no id");
    } else if (member.key == "api_keys") {
      out.api_keys = read_keys(member.value, key, problems);
    } else if (member.key == "settings") {
      settings = &member.value;
    } else if (member.key == "id") {
      problems.warn(
          member.line, key,
          "has no meaning any more: a destination is named by its name, or by the id that "
          "the program gives it");
    } else {
      problems.fail(
          member.line, key,
          "unknown key; did you mean destinations[]." + nearest(member.key, kMembers) + "?");
    }
  }
  if (out.type.empty()) problems.fail(node.line, "destinations[].type", "is missing");
  if (settings != nullptr) read_settings(*settings, out, problems);
  return out;
}

}  // namespace

bool is_usable_key(const std::string& key) {
  return !key.empty() && key.size() <= 255 && is_valid_utf8(key) &&
         std::ranges::none_of(key, [](unsigned char c) { return c <= ' ' || c == 0x7F; });
}

std::vector<DestinationConfig> read_destinations(const YamlNode& list, Problems problems) {
  std::vector<DestinationConfig> out;
  if (list.kind == Kind::kNull) return out;
  if (list.kind != Kind::kList) {
    problems.fail(list.line, "destinations", "must be a list");
    return out;
  }
  for (const YamlNode& item : list.items) {
    if (item.kind != Kind::kMap) {
      problems.fail(item.line, "destinations[]", "must be a section with type, name, settings");
      continue;
    }
    DestinationConfig made = read_destination(item, problems);
    if (made.name.empty() && !made.type.empty()) {
      // The original's names may be missing; ours are how people say which one they mean.
      made.name = made.type + (out.empty() ? "" : "-" + std::to_string(out.size() + 1));
      problems.warn(item.line, "destinations[].name", "is missing; it is called " + made.name);
    }
    out.push_back(std::move(made));
  }
  return out;
}

std::vector<std::string> read_admin_keys(const YamlNode& list, Problems problems) {
  std::vector<std::string> out;
  if (list.kind == Kind::kNull) return out;
  if (list.kind != Kind::kList) {
    problems.fail(list.line, "api_keys", "must be a list, such as [{key: TEXT}]");
    return out;
  }
  for (const YamlNode& item : list.items) {
    const YamlNode* text = item.kind == Kind::kScalar ? &item : nullptr;
    for (const YamlNode::Member& member : item.members) {
      if (member.key == "key") {
        text = &member.value;
      } else {
        problems.fail(member.line, prefixed("api_keys[].", member.key),
                      "unknown key; did you mean api_keys[].key?");
      }
    }
    if (text == nullptr || text->kind != Kind::kScalar || !is_usable_key(text->scalar)) {
      problems.fail(item.line, "api_keys[].key", "a key is 1 to 255 characters without blanks");
      continue;
    }
    out.push_back(text->scalar);
  }
  return out;
}

void check_destinations(const Config& config, Problems problems) {
  std::map<std::string, int> names;
  std::map<std::string, std::string> files;
  std::map<std::string, std::string> keys;
  for (const std::string& key : config.api_keys) {
    if (!keys.emplace(key, "api_keys").second) {
      problems.fail(0, "api_keys", "the same key stands twice");
    }
  }
  for (const DestinationConfig& each : config.destinations) {
    if (!names.emplace(each.name, each.line).second) {
      problems.fail(each.line, "destinations[].name",
                    json_string(each.name) + " is the name of another destination too");
    }
    catalog::Destination shape;
    shape.type = each.type;
    shape.origin = each.origin;
    for (const auto& [name, value] : each.settings) shape.settings[name].value = value;
    const auto file = catalog::target_file(config.data_dir, shape);
    // Without a file of its own name, it is in its own folder, which nobody shares.
    if (file && each.settings.contains("file") && !files.emplace(*file, each.name).second) {
      problems.fail(each.line, "destinations[].settings.file",
                    "is also the file of " + json_string(files[*file]));
    }
    for (const std::string& key : each.api_keys) {
      const auto [holder, is_new] = keys.emplace(key, each.name);
      if (!is_new) {
        problems.fail(each.line, "destinations[].api_keys",
                      "a key of " + json_string(each.name) + " stands also in " +
                          json_string(holder->second));
      }
    }
  }
}

}  // namespace sd::server
