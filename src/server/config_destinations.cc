#include "server/config_destinations.h"

#include <algorithm>
#include <map>

#include "base/json_text.h"
#include "catalog/destination_types.h"
#include "server/config_text.h"

namespace sd::server {
namespace {

using Kind = YamlNode::Kind;

// Of the original, for connections that the engine holds now.
const std::vector<std::string> kOldSettings = {"max_open_conns", "max_idle_conns",
                                               "conn_max_lifetime_secs"};
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

// The original takes the first of these and overlooks the others.
void take_first_place(DestinationConfig& out, const std::map<std::string, int>& lines,
                      Problems& problems) {
  const char* used = nullptr;
  const auto drop = [&](const char* name) {
    problems.warn(lines.at(name), prefixed("destinations[].settings.", name),
                  std::string("is not used, because ") + used + " is set");
    out.settings.erase(name);
  };
  for (const char* place : {"in_memory", "file", "token"}) {
    if (!out.settings.contains(place)) continue;
    if (used != nullptr)
      drop(place);
    else
      used = place;
  }
  const bool unused = used != nullptr && std::string_view(used) != "token";
  if (unused && out.settings.contains("database")) drop("database");
}

// One setting, as catalog/destination_types.h knows it.
void read_setting(const catalog::TypeSpec& type, const YamlNode::Member& member,
                  DestinationConfig& out, Problems& problems) {
  const std::string key = prefixed("destinations[].settings.", member.key);
  if (std::ranges::find(kOldSettings, member.key) != kOldSettings.end()) {
    return problems.warn(
        member.line, key,
        "has no meaning any more: the engine of the destination holds its connections");
  }
  const auto spec = catalog::find_setting(type, member.key, catalog::Giver::kConfiguration);
  if (!spec) return problems.fail(member.line, key, spec.error().message);
  const YamlNode& given = member.value;
  if (given.kind == Kind::kNull || (given.kind == Kind::kScalar && given.scalar.empty())) return;
  const bool plain = given.kind == Kind::kScalar && given.scalar.find('\0') == std::string::npos;
  if (!plain) return problems.fail(member.line, key, catalog::wrong_kind(**spec).message);
  const auto value = catalog::setting_value(**spec, given.scalar);
  if (!value)
    problems.fail(member.line, key, value.error().message);
  else if (*value != "false")
    out.settings[member.key] = *value;
}

void read_settings(const YamlNode* node, const catalog::TypeSpec& type, DestinationConfig& out,
                   Problems& problems) {
  if (node != nullptr && node->kind != Kind::kNull && node->kind != Kind::kMap)
    return problems.fail(node->line, "destinations[].settings", "must be a section of settings");
  std::map<std::string, int> lines;
  if (node != nullptr) {
    for (const YamlNode::Member& member : node->members) {
      lines[member.key] = member.line;
      read_setting(type, member, out, problems);
    }
  }
  if (type.name == "duckdb") take_first_place(out, lines, problems);
  catalog::Settings together;
  for (const auto& [name, value] : out.settings) together[name].value = value;
  if (const auto checked = catalog::check_together(type, together); !checked)
    problems.fail(node == nullptr ? out.line : node->line, "destinations[].settings",
                  checked.error().message);
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
      if (const auto known = catalog::find_type(out.type); !known)
        problems.fail(member.line, key, known.error().message);
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
  if (const auto type = catalog::find_type(out.type))
    read_settings(settings, **type, out, problems);
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
