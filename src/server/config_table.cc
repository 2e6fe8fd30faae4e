#include "server/config_table.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "base/json_text.h"
#include "server/config_text.h"

namespace sd::server {
namespace {

constexpr std::int64_t kForever = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kDayMillis = 86'400'000;

// Shorthand for the rows below.
#define SD_TARGET(type, member) \
  static_cast<type* (*)(Draft&)>([](Draft& d) -> type* { return &d.member; })
using Texts = std::vector<std::string>;
using Int = std::int64_t;
using Text = std::string;

const SettingSpec kSpecs[] = {
    {.key = "data_dir",
     .target = SD_TARGET(Text, config.data_dir),
     .help = "where everything is kept: journal, catalog, DuckDB files"},

    {.key = "api.host",
     .target = SD_TARGET(Text, api_host),
     .help = "address to listen on; without it, both loopbacks"},
    {.key = "api.port", .target = SD_TARGET(Int, api_port), .help = "port to listen on", .most = 65535},
    {.key = "api.listen",
     .target = SD_TARGET(Texts, listen),
     .help = "addresses to listen on (HOST:PORT), instead of host and port"},
    {.key = "api.base_url",
     .target = SD_TARGET(Text, config.api.base_url),
     .help = "how this server is reached from outside; stands before share links"},
    {.key = "api.hosts",
     .target = SD_TARGET(Texts, config.api.hosts),
     .help = "Host headers that may stand in share links when base_url is not set"},
    {.key = "api.max_body_bytes",
     .target = SD_TARGET(Int, config.api.max_body_bytes),
     .help = "longest body of a request (bodies stream; this is no memory)",
     .least = 1024,
     .unit = Unit::kBytes},
    {.key = "api.max_header_bytes",
     .target = SD_TARGET(Int, config.api.max_header_bytes),
     .help = "longest head of a request",
     .least = 1024,
     .most = 16 << 20,
     .unit = Unit::kBytes},
    {.key = "api.threads",
     .target = SD_TARGET(Int, config.api.threads),
     .help = "I/O threads; 0: one for each core, at most 8",
     .most = 1024},
    {.key = "api.max_connections",
     .target = SD_TARGET(Int, config.api.max_connections),
     .help = "connections at a time; more are answered 503",
     .least = 1,
     .most = 10'000'000},
    {.key = "api.header_timeout",
     .target = SD_TARGET(Millis, config.api.header_timeout),
     .help = "time for the head of a request to arrive",
     .least = 1,
     .most = kDayMillis,
     .unit = Unit::kSeconds},
    {.key = "api.idle_timeout",
     .target = SD_TARGET(Millis, config.api.idle_timeout),
     .help = "time that a connection may wait between requests",
     .least = 1,
     .most = kDayMillis,
     .unit = Unit::kSeconds},
    {.key = "api.write_timeout",
     .target = SD_TARGET(Millis, config.api.write_timeout),
     .help = "time after which a client that takes nothing is gone",
     .least = 1,
     .most = kDayMillis,
     .unit = Unit::kSeconds},
    {.key = "api.stop_grace",
     .target = SD_TARGET(Millis, config.api.stop_grace),
     .help = "time to finish and load after SIGTERM",
     .most = kDayMillis,
     .unit = Unit::kSeconds},
    {.key = "api.healthcheck_fail_file",
     .target = SD_TARGET(Text, config.api.healthcheck_fail_file),
     .help = "/healthcheck answers 503 while this file exists"},
    {.key = "api_keys",
     .target = SD_TARGET(Texts, config.api_keys),
     .help = "admin keys",
     .secret = true},

    {.key = "journal.max_bytes",
     .target = SD_TARGET(Int, config.journal.max_bytes),
     .help = "disk that one destination's journal may take; then inserts get 503",
     .least = 1 << 20,
     .unit = Unit::kBytes},
    {.key = "journal.min_free_bytes",
     .target = SD_TARGET(Int, config.journal.min_free_bytes),
     .help = "disk that stays free; below it inserts get 503",
     .unit = Unit::kBytes},
    {.key = "journal.retention",
     .target = SD_TARGET(Millis, config.journal.retention),
     .help = "how long what was loaded stays in the journal",
     .unit = Unit::kSeconds},
    {.key = "journal.sync_threads",
     .target = SD_TARGET(Int, config.journal.sync_threads),
     .help = "threads that write journals",
     .least = 1,
     .most = 256},

    {.key = "engine.idle_timeout",
     .target = SD_TARGET(Millis, config.engine.idle_timeout),
     .help = "an engine without work stops after this time; 0: never",
     .unit = Unit::kSeconds},
    {.key = "engine.max_engines",
     .target = SD_TARGET(Int, config.engine.max_engines),
     .help = "engines at a time; the one that waited longest makes way",
     .least = 1,
     .most = 100'000},
    {.key = "engine.memory_limit",
     .target = SD_TARGET(Int, config.engine.memory_limit),
     .help = "memory of one engine; 0: half of the machine's",
     .unit = Unit::kBytes},
    {.key = "engine.threads",
     .target = SD_TARGET(Int, config.engine.threads),
     .help = "threads of one engine's queries; 0: every core",
     .most = 1024},
    {.key = "engine.require_sandbox",
     .target = SD_TARGET(bool, config.engine.require_sandbox),
     .help = "refuse to run engines that the kernel cannot lock in"},

    {.key = "query.timeout_ms",
     .target = SD_TARGET(Millis, config.query.timeout),
     .help = "time of a query, in milliseconds, without the time its client stalls",
     .least = 1,
     .unit = Unit::kMillis},
    {.key = "query.max_running",
     .target = SD_TARGET(Int, config.query.max_running),
     .help = "queries at a time on one destination; more get 503",
     .least = 1,
     .most = 10'000},

    {.key = "logging.level",
     .target = SD_TARGET(log::Level, config.logging.level),
     .help = "trace, debug, info, warn, error or off"},
    {.key = "logging.json_format",
     .target = SD_TARGET(log::Format, config.logging.format),
     .help = "logs as JSON, one object a line"},

    {.key = "prometheus.enabled",
     .target = SD_TARGET(bool, config.prometheus.enabled),
     .help = "/metrics on a port of its own too"},
    {.key = "prometheus.host",
     .target = SD_TARGET(Text, config.prometheus.host),
     .help = "address of that port"},
    {.key = "prometheus.port",
     .target = SD_TARGET(Int, config.prometheus.port),
     .help = "port for /metrics",
     .most = 65535},
    {.key = "prometheus.username",
     .target = SD_TARGET(Text, config.prometheus.username),
     .help = "user name that this port asks for"},
    {.key = "prometheus.password",
     .target = SD_TARGET(Text, config.prometheus.password),
     .help = "password that this port asks for",
     .secret = true},

    // ---- of the original
    {.key = "api.enabled", .replaced = "the API always runs"},
    {.key = "api.api_key_cache_ttl",
     .replaced = "keys are always in memory; a change counts within a second"},
    {.key = "api.disable_auth",
     .replaced = "every request needs a key; on loopback the key \"local\" serves"},
    {.key = "api.max_age_seconds", .replaced = "the journal holds every row until it is loaded"},
    {.key = "api.max_size_bytes", .replaced = "see journal.max_bytes"},
    {.key = "workers.enabled", .replaced = "each destination loads by itself, in its engine"},
    {.key = "workers.count", .replaced = "each destination has its engine; see engine.max_engines"},
    {.key = "workers.data_directory", .replaced = "everything is kept under data_dir"},
    {.key = "workers.free_space_required_bytes",
     .replaced = "it is now journal.min_free_bytes, and counts as such",
     .now_called = "journal.min_free_bytes"},
    {.key = "workers.max_bulk_query_size_bytes", .replaced = "copies stream; nothing limits them"},
    {.key = "workers.bulk_chunk_size_bytes", .replaced = "copies stream; they have no chunks"},
    {.key = "data_sink",
     .replaced = "rows go to the journal under data_dir",
     .section_keys = "type,settings"},
    {.key = "queue",
     .replaced = "the journal under data_dir is the queue",
     .section_keys = "type,settings"},
    {.key = "cache", .replaced = "nothing needs a cache", .section_keys = "type,settings"},
    {.key = "blob_store",
     .replaced = "large bodies are kept in the journal under data_dir",
     .section_keys = "type,settings"},
    {.key = "database",
     .replaced = "keys, destinations and shares are kept in the catalog under data_dir",
     .section_keys = "type,dsn,settings"},
    {.key = "dashboard.enabled", .replaced = "the dashboard is always there, at /"},
    {.key = "dashboard.live_reload", .replaced = "the dashboard is built in"},
    {.key = "dashboard.csrf_secret",
     .secret = true,
     .replaced = "the dashboard sends a key, no cookie; there is nothing to forge"},
    {.key = "dashboard.external_url",
     .replaced = "it is now api.base_url, and counts as such",
     .now_called = "api.base_url"},
    {.key = "dashboard.google_redirect_url",
     .replaced = "sign in to the dashboard with an API key"},
    {.key = "dashboard.google_client_id", .replaced = "sign in to the dashboard with an API key"},
    {.key = "dashboard.google_client_secret",
     .secret = true,
     .replaced = "sign in to the dashboard with an API key"},
    {.key = "crypto.jwt_private_key",
     .secret = true,
     .replaced = "links are random, not signed; the key can go"},
};
#undef SD_TARGET

constexpr std::array<std::pair<std::string_view, log::Level>, 9> kLevels = {{
    {"trace", log::Level::kTrace},
    {"debug", log::Level::kDebug},
    {"info", log::Level::kInfo},
    {"warn", log::Level::kWarn},
    {"error", log::Level::kError},
    {"off", log::Level::kOff},
    // Names of the original's logger.
    {"fatal", log::Level::kError},
    {"panic", log::Level::kError},
    {"disabled", log::Level::kOff},
}};

template <typename... F>
struct Overload : F... {
  using F::operator()...;
};

std::optional<std::int64_t> parse_number(const SettingSpec& spec, const std::string& text) {
  return spec.unit == Unit::kBytes ? parse_bytes(text) : parse_integer(text);
}

std::string spell_bytes(std::int64_t value) {
  constexpr std::string_view kLetters = "KMGT";
  std::string unit;
  for (const char letter : kLetters) {
    if (value == 0 || value % 1024 != 0) break;
    value /= 1024;
    unit = std::string(1, letter) + "iB";
  }
  return std::to_string(value) + unit;
}

std::string spell_millis(std::int64_t value) {
  if (value % 3'600'000 == 0 && value != 0) return std::to_string(value / 3'600'000) + "h";
  if (value % 60'000 == 0 && value != 0) return std::to_string(value / 60'000) + "m";
  if (value % 1000 == 0) return std::to_string(value / 1000) + "s";
  return std::to_string(value) + "ms";
}

std::string spell_bound(const SettingSpec& spec, std::int64_t value) {
  if (spec.unit == Unit::kBytes) return spell_bytes(value);
  if (spec.unit == Unit::kNone) return std::to_string(value);
  return spell_millis(value);
}

// "", " from 1", " from 0 to 65535".
std::string range(const SettingSpec& spec) {
  std::string out = " from " + spell_bound(spec, spec.least);
  if (spec.most != kForever) return out + " to " + spell_bound(spec, spec.most);
  return spec.least == 0 ? std::string() : out;
}

}  // namespace

std::span<const SettingSpec> setting_specs() { return kSpecs; }

const SettingSpec* find_spec(std::string_view key) {
  const auto* found = std::ranges::find(kSpecs, key, &SettingSpec::key);
  return found == std::end(kSpecs) ? nullptr : found;
}

std::string environment_name(std::string_view key) {
  std::string out = "SCRATCH_";
  for (const char c : key) {
    out += c == '.' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return out;
}

std::string flag_name(std::string_view key) {
  std::string out = "--";
  for (const char c : key) out += c == '.' || c == '_' ? '-' : c;
  return out;
}

std::string expectation(const SettingSpec& spec) {
  return std::visit(
      Overload{[](std::monostate) { return std::string("nothing"); },
               [](std::string* (*)(Draft&)) { return std::string("text"); },
               [](bool* (*)(Draft&)) { return std::string("true or false"); },
               [&](std::int64_t* (*)(Draft&)) {
                 return spec.unit == Unit::kBytes
                            ? "a size" + range(spec) + ", such as 64MiB"
                            : "a whole number" + range(spec);
               },
               [&](Millis* (*)(Draft&)) { return "a time" + range(spec) + ", such as 30s"; },
               [](std::vector<std::string>* (*)(Draft&)) { return std::string("a list of texts"); },
               [](log::Level* (*)(Draft&)) {
                 return std::string("trace, debug, info, warn, error or off");
               },
               [](log::Format* (*)(Draft&)) { return std::string("true or false"); }},
      spec.target);
}

std::optional<std::string> assign(const SettingSpec& spec, Draft& draft,
                                  const std::vector<std::string>& values) {
  const auto wrong = [&](const std::string& value) -> std::optional<std::string> {
    return "must be " + expectation(spec) + (spec.secret ? "" : ", not " + json_string(value));
  };
  if (!spec.is_list() && values.size() != 1) return "must be " + expectation(spec) + ", not a list";
  const std::string& value = values.empty() ? std::string() : values.front();
  const auto in_range = [&](std::int64_t n) { return n >= spec.least && n <= spec.most; };
  return std::visit(
      Overload{[](std::monostate) { return std::optional<std::string>(); },
               [&](std::string* (*target)(Draft&)) {
                 if (value.find('\0') != std::string::npos) return wrong(value);
                 *target(draft) = value;
                 return std::optional<std::string>();
               },
               [&](bool* (*target)(Draft&)) {
                 const auto parsed = parse_bool(value);
                 if (!parsed) return wrong(value);
                 *target(draft) = *parsed;
                 return std::optional<std::string>();
               },
               [&](std::int64_t* (*target)(Draft&)) {
                 const auto parsed = parse_number(spec, value);
                 if (!parsed || !in_range(*parsed)) return wrong(value);
                 *target(draft) = *parsed;
                 return std::optional<std::string>();
               },
               [&](Millis* (*target)(Draft&)) {
                 const auto parsed =
                     parse_duration(value, Millis(spec.unit == Unit::kSeconds ? 1000 : 1));
                 if (!parsed || !in_range(parsed->count())) return wrong(value);
                 *target(draft) = *parsed;
                 return std::optional<std::string>();
               },
               [&](std::vector<std::string>* (*target)(Draft&)) {
                 *target(draft) = values;
                 return std::optional<std::string>();
               },
               [&](log::Level* (*target)(Draft&)) {
                 const auto* found =
                     std::ranges::find(kLevels, value, [](const auto& level) { return level.first; });
                 if (found == kLevels.end()) return wrong(value);
                 *target(draft) = found->second;
                 return std::optional<std::string>();
               },
               [&](log::Format* (*target)(Draft&)) {
                 const auto parsed = parse_bool(value);
                 if (!parsed) return wrong(value);
                 *target(draft) = *parsed ? log::Format::kJson : log::Format::kConsole;
                 return std::optional<std::string>();
               }},
      spec.target);
}

std::string spell(const SettingSpec& spec, const Draft& draft) {
  // The targets want to write; a copy lets them.
  Draft copy = draft;
  const auto text = [&](const std::string& value) {
    if (spec.secret) return std::string(value.empty() ? "\"\"" : "(secret)");
    return json_string(value);
  };
  return std::visit(
      Overload{[](std::monostate) { return std::string(); },
               [&](std::string* (*target)(Draft&)) { return text(*target(copy)); },
               [&](bool* (*target)(Draft&)) {
                 return std::string(*target(copy) ? "true" : "false");
               },
               [&](std::int64_t* (*target)(Draft&)) {
                 return spec.unit == Unit::kBytes ? spell_bytes(*target(copy))
                                                  : std::to_string(*target(copy));
               },
               [&](Millis* (*target)(Draft&)) {
                 const std::int64_t value = target(copy)->count();
                 return spec.unit == Unit::kMillis ? std::to_string(value) : spell_millis(value);
               },
               [&](std::vector<std::string>* (*target)(Draft&)) {
                 std::string out = "[";
                 for (const std::string& item : *target(copy)) {
                   if (out.size() > 1) out += ", ";
                   out += text(item);
                 }
                 return out + "]";
               },
               [&](log::Level* (*target)(Draft&)) {
                 const auto* found = std::ranges::find(kLevels, *target(copy),
                                                       [](const auto& level) { return level.second; });
                 return std::string(found->first);
               },
               [&](log::Format* (*target)(Draft&)) {
                 return std::string(*target(copy) == log::Format::kJson ? "true" : "false");
               }},
      spec.target);
}

}  // namespace sd::server
