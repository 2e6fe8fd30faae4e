#include "server/config.h"

#include <unistd.h>

#include <algorithm>
#include <set>

#include "base/file.h"
#include "base/json_text.h"
#include "server/config_destinations.h"
#include "server/config_table.h"
#include "server/config_text.h"
#include "server/config_yaml.h"

extern char** environ;

namespace sd::server {
namespace {

using Kind = YamlNode::Kind;

constexpr std::string_view kMotherDuckVariable = "motherduck_token";

// Sources in rising order of strength.
enum class Layer { kNone, kFile, kEnvironment, kFlags };

class Loader {
 public:
  explicit Loader(const ConfigInputs& inputs) : inputs_(inputs) {}

  LoadedConfig load() {
    load_file();
    load_environment();
    load_flags();
    settle_listen();
    settle_prometheus();
    settle_base_url();
    settle_destinations();
    out_.config = std::move(draft_.config);
    return std::move(out_);
  }

 private:
  // ---- the file

  void load_file() {
    if (!inputs_.file && !inputs_.text) return;
    source_ = inputs_.file ? std::string(base_name(*inputs_.file)) : "config.yaml";
    std::string text;
    if (inputs_.text) {
      text = *inputs_.text;
    } else {
      auto read = sd::read_file(posix_file_system(), *inputs_.file);
      if (!read) return problems(source_).fail(0, "", "cannot be read: " + read.error().message);
      text = std::move(*read);
    }
    const YamlNode root = parse_yaml(text, source_, out_.errors);
    if (root.kind == Kind::kNull) return;
    if (root.kind != Kind::kMap) {
      return problems(source_).fail(root.line, "", "must be a section of keys and values");
    }
    load_section(root, "");
  }

  void load_section(const YamlNode& section, const std::string& prefix) {
    for (const YamlNode::Member& member : section.members) {
      const std::string key = prefix + member.key;
      if (key == "destinations") {
        draft_.config.destinations = read_destinations(member.value, problems(source_));
      } else if (key == "api_keys") {
        draft_.config.api_keys = read_admin_keys(member.value, problems(source_));
      } else if (const SettingSpec* spec = find_spec(key)) {
        load_member(*spec, member);
      } else if (is_section(key)) {
        if (member.value.kind == Kind::kMap) load_section(member.value, key + ".");
        if (member.value.kind == Kind::kScalar || member.value.kind == Kind::kList) {
          problems(source_).fail(member.line, key, "must be a section of keys and values");
        }
      } else {
        problems(source_).fail(member.line, key, "unknown key; did you mean " + suggest(key) + "?");
      }
    }
  }

  void load_member(const SettingSpec& spec, const YamlNode::Member& member) {
    if (!spec.section_keys.empty()) {
      const std::vector<std::string> known = split_list(spec.section_keys);
      for (const YamlNode::Member& inner : member.value.members) {
        if (std::ranges::find(known, inner.key) != known.end()) continue;
        const std::string key = std::string(spec.key) + "." + inner.key;
        problems(source_).fail(inner.line, key,
                               "unknown key; did you mean " + std::string(spec.key) + "." +
                                   nearest(inner.key, known) + "?");
      }
      return give(spec, {}, Layer::kFile, source_, member.line);
    }
    if (member.value.kind == Kind::kNull) {
      // "key:" without a value leaves the default, but an old key is still an old key.
      if (!spec.replaced.empty()) warn_replaced(spec, source_, member.line);
      return;
    }
    std::vector<std::string> values;
    bool plain = member.value.kind != Kind::kMap;
    if (member.value.kind == Kind::kScalar) values.push_back(member.value.scalar);
    for (const YamlNode& item : member.value.items) {
      plain = plain && item.kind == Kind::kScalar && spec.is_list();
      values.push_back(item.scalar);
    }
    if (!plain && spec.replaced.empty()) {
      return problems(source_).fail(member.line, std::string(spec.key),
                                    "must be " + expectation(spec));
    }
    give(spec, values, Layer::kFile, source_, member.line);
  }

  // ---- environment and flags

  void load_environment() {
    static constexpr const char* kSource = "environment";
    std::set<std::string> known;
    for (const SettingSpec& spec : setting_specs()) {
      const std::string name = environment_name(spec.key);
      known.insert(name);
      const auto found = inputs_.environment.find(name);
      if (found == inputs_.environment.end() || found->second.empty()) continue;
      if (!spec.section_keys.empty()) continue;
      give(spec, spec.is_list() ? split_list(found->second) : std::vector{found->second},
           Layer::kEnvironment, kSource, 0);
    }
    // Other programs may have variables that begin with SCRATCH_ (a container platform makes them
    // for a service of that name), so that an unknown one is no error; a likely slip is worth a
    // line.
    for (const auto& [name, value] : inputs_.environment) {
      if (!name.starts_with("SCRATCH_") || known.contains(name)) continue;
      if (name == "SCRATCH_CONFIG" || name == "SCRATCH_URL" || name == "SCRATCH_KEY") continue;
      const std::string near = nearest(name, {known.begin(), known.end()});
      if (edit_distance(name, near) <= 2) {
        problems(kSource).warn(0, name, "unknown variable; did you mean " + near + "?");
      }
    }
  }

  void load_flags() {
    static constexpr const char* kSource = "command line";
    std::vector<std::pair<std::string, std::vector<std::string>>> grouped;
    for (const auto& [key, value] : inputs_.flags) {
      const auto same =
          std::ranges::find(grouped, key, [](const auto& group) { return group.first; });
      if (same == grouped.end()) {
        grouped.push_back({key, {value}});
      } else {
        same->second.push_back(value);
      }
    }
    for (const auto& [key, values] : grouped) {
      if (const SettingSpec* spec = find_spec(key)) {
        give(*spec, values, Layer::kFlags, kSource, 0);
      } else {
        problems(kSource).fail(0, key, "unknown key; did you mean " + suggest(key) + "?");
      }
    }
  }

  // ---- one value

  void give(const SettingSpec& spec, const std::vector<std::string>& values, Layer layer,
            const std::string& source, int line) {
    const SettingSpec* target = &spec;
    if (!spec.replaced.empty()) {
      warn_replaced(spec, source, line);
      if (spec.now_called.empty()) return;
      target = find_spec(spec.now_called);
      // The new name of the same file, or a stronger source, counts more than the old name.
      if (layer_of(target->key) >= layer) return;
    }
    if (const auto wrong = assign(*target, draft_, values)) {
      return problems(source).fail(line, std::string(spec.key), *wrong);
    }
    // An old name leaves room for the new one further down in the same file.
    if (spec.replaced.empty()) layers_[std::string(target->key)] = layer;
    places_[std::string(target->key)] = {source, line};
  }

  void warn_replaced(const SettingSpec& spec, const std::string& source, int line) {
    if (!warned_.insert(std::string(spec.key)).second) return;
    const bool counts = !spec.now_called.empty();
    problems(source).warn(
        line, std::string(spec.key),
        (counts ? "has another name: " : "has no meaning any more: ") + std::string(spec.replaced));
  }

  // ---- what several keys say together

  void settle_listen() {
    ApiConfig& api = draft_.config.api;
    const Layer by_list = layer_of("api.listen");
    const Layer by_parts = std::max(layer_of("api.host"), layer_of("api.port"));
    if (by_list == Layer::kNone && by_parts == Layer::kNone) return;
    if (by_list == by_parts) {
      return fail_at("api.listen", "give either api.listen, or api.host and api.port");
    }
    if (by_list > by_parts) return settle_addresses();
    api.ipv6_optional = draft_.api_host.empty() || draft_.api_host == "localhost";
    if (!api.ipv6_optional) {
      if (!parse_address(format_address(draft_.api_host, draft_.api_port))) {
        return fail_at("api.host", "must be an address or a host name");
      }
      api.listen = {format_address(draft_.api_host, draft_.api_port)};
      return;
    }
    api.listen = {format_address("127.0.0.1", draft_.api_port),
                  format_address("::1", draft_.api_port)};
    if (draft_.api_host.empty()) {
      warn_at("api.port",
              "without api.host the server listens on loopback only; api.host: 0.0.0.0 makes it "
              "reachable from other machines");
    }
  }

  void settle_addresses() {
    ApiConfig& api = draft_.config.api;
    if (draft_.listen.empty()) return fail_at("api.listen", "must name at least one address");
    for (const std::string& text : draft_.listen) {
      if (!parse_address(text)) {
        fail_at("api.listen", "must be HOST:PORT, such as 127.0.0.1:8080 or [::1]:8080, not " +
                                  json_string(text));
      }
    }
    api.listen = draft_.listen;
    api.ipv6_optional = false;
  }

  void settle_prometheus() {
    const PrometheusConfig& prometheus = draft_.config.prometheus;
    if (prometheus.enabled && layer_of("prometheus.host") == Layer::kNone) {
      warn_at("prometheus.enabled",
              "without prometheus.host the port for metrics is open on loopback only");
    }
    if (!prometheus.enabled) return;
    if (!parse_address(format_address(prometheus.host, prometheus.port))) {
      fail_at("prometheus.host", "must be an address or a host name");
    }
    if (prometheus.username.empty() != prometheus.password.empty()) {
      fail_at(prometheus.username.empty() ? "prometheus.password" : "prometheus.username",
              "give both prometheus.username and prometheus.password, or none");
    }
  }

  void settle_base_url() {
    std::string& url = draft_.config.api.base_url;
    if (url.empty()) return;
    while (url.ends_with('/')) url.pop_back();
    const std::size_t scheme = url.starts_with("https://") ? 8 : url.starts_with("http://") ? 7 : 0;
    const bool plain = std::ranges::none_of(url, [](unsigned char c) {
      return c <= ' ' || c == '?' || c == '#' || c == '"' || c == '<';
    });
    if (scheme == 0 || url.size() == scheme || !plain) {
      fail_at("api.base_url", "must be http://HOST or https://HOST, with a path if need be");
    }
  }

  void settle_destinations() {
    Config& config = draft_.config;
    for (const std::string& key : config.api_keys) {
      if (!is_usable_key(key)) {
        fail_at("api_keys", "a key is 1 to 255 characters without blanks");
      }
    }
    if (config.data_dir.empty()) fail_at("data_dir", "must not be empty");
    if (config.destinations.empty()) {
      config.destinations.push_back(
          {.name = "local", .api_keys = {"local"}, .origin = catalog::Origin::kBuiltin});
    }
    const auto token = inputs_.environment.find(std::string(kMotherDuckVariable));
    if (token != inputs_.environment.end() && !token->second.empty()) {
      DestinationConfig made{.name = "motherduck",
                             .settings = {{"database", "my_db"}, {"token", token->second}},
                             .origin = catalog::Origin::kEnvironment};
      const auto same = std::ranges::find(config.destinations, made.name, &DestinationConfig::name);
      if (same == config.destinations.end()) {
        config.destinations.push_back(std::move(made));
      } else {
        problems("environment")
            .warn(0, made.name,
                  "motherduck_token is not used: the configuration has a destination of that name");
      }
    }
    check_destinations(config, problems(source_));
  }

  // ---- helpers

  Problems problems(const std::string& source) { return {out_.warnings, out_.errors, source}; }

  Layer layer_of(std::string_view key) const {
    const auto found = layers_.find(std::string(key));
    return found == layers_.end() ? Layer::kNone : found->second;
  }

  void fail_at(const std::string& key, std::string message) {
    const auto& [source, line] = places_[key];
    problems(source).fail(line, key, std::move(message));
  }
  void warn_at(const std::string& key, std::string message) {
    const auto& [source, line] = places_[key];
    problems(source).warn(line, key, std::move(message));
  }

  static bool is_section(const std::string& key) {
    return std::ranges::any_of(setting_specs(), [&](const SettingSpec& spec) {
      return spec.key.size() > key.size() && spec.key.starts_with(key) &&
             spec.key[key.size()] == '.';
    });
  }

  static std::string suggest(const std::string& key) {
    std::vector<std::string> candidates = {"destinations"};
    for (const SettingSpec& spec : setting_specs()) {
      candidates.emplace_back(spec.key);
      const std::string section(spec.key.substr(0, spec.key.find('.')));
      if (section != spec.key) candidates.push_back(section);
    }
    return nearest(key, candidates);
  }

  const ConfigInputs& inputs_;
  Draft draft_;
  LoadedConfig out_;
  std::string source_;  // name of the file
  std::map<std::string, Layer> layers_;
  std::map<std::string, std::pair<std::string, int>> places_;  // where each key was last given
  std::set<std::string> warned_;
};

}  // namespace

std::string Problem::to_string() const {
  std::string out = source;
  if (line > 0) out += ":" + std::to_string(line);
  if (!out.empty()) out += ": ";
  if (!key.empty()) out += key + ": ";
  return out + message;
}

LoadedConfig load_config(const ConfigInputs& inputs) {
  return Loader(inputs).load();
}

std::map<std::string, std::string> process_environment() {
  std::map<std::string, std::string> out;
  for (char** each = environ; each != nullptr && *each != nullptr; ++each) {
    const std::string_view text(*each);
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos) continue;
    out.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return out;
}

}  // namespace sd::server
