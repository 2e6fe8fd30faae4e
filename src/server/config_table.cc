#include "server/config_table.h"

#include <algorithm>
#include <cctype>

namespace sd::server {
namespace {

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
    {.key = "secret_key",
     .target = SD_TARGET(Text, config.secret_key),
     .help = "what links and secrets are encrypted with at rest, 64 hex digits; else the file "
             "secret.key in data_dir",
     .secret = true},

    {.key = "api.host",
     .target = SD_TARGET(Text, api_host),
     .help = "address to listen on; without it, both loopbacks"},
    {.key = "api.port",
     .target = SD_TARGET(Int, api_port),
     .help = "port to listen on",
     .most = 65535},
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
     .help = "refuse to start where engines cannot be locked in completely"},
    {.key = "engine.user",
     .target = SD_TARGET(Text, config.engine.user),
     .help = "system user that engines run as; for a server that is root"},

    {.key = "query.timeout_ms",
     .target = SD_TARGET(Millis, config.query.timeout),
     .help = "time of a query, in milliseconds, without the time its client stalls",
     .least = 1,
     .unit = Unit::kMillis},
    {.key = "query.max_running",
     .target = SD_TARGET(Int, config.query.max_running),
     .help = "queries at a time on one destination; more wait for their turn",
     .least = 1,
     .most = 10'000},
    {.key = "query.max_waiting",
     .target = SD_TARGET(Int, config.query.max_waiting),
     .help = "queries that wait on one destination; more get 503",
     .least = 0,
     .most = 100'000},

    {.key = "share.timeout_ms",
     .target = SD_TARGET(Millis, config.share.timeout),
     .help = "time of a share's download, in milliseconds, where the share says nothing else",
     .least = 1,
     .unit = Unit::kMillis},
    {.key = "share.max_rows",
     .target = SD_TARGET(Int, config.share.max_rows),
     .help = "rows of a share's download, where the share says nothing else; 0: any number"},
    {.key = "share.max_simultaneous",
     .target = SD_TARGET(Int, config.share.max_simultaneous),
     .help = "downloads of one share at a time, where the share says nothing else; more get 503",
     .least = 1,
     .most = 10'000},
    {.key = "share.max_frozen_bytes",
     .target = SD_TARGET(Int, config.share.max_frozen_bytes),
     .help = "all files of one frozen share; 0: any number",
     .unit = Unit::kBytes},
    {.key = "share.log_addresses",
     .target = SD_TARGET(bool, config.share.log_addresses),
     .help = "keep the client's address with each download of a share"},

    {.key = "rows.max_columns",
     .target = SD_TARGET(Int, config.rows.max_columns),
     .help = "columns of a table whose contract names no number; keys beyond go to __overflow",
     .least = 1,
     .most = 10'000},
    {.key = "rows.max_rows_of_a_row",
     .target = SD_TARGET(Int, config.rows.max_rows_of_a_row),
     .help = "rows that vertical or multitable may make of one; with more it is a failed row",
     .least = 1,
     .most = 1'000'000},

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

}  // namespace

std::span<const SettingSpec> setting_specs() {
  return kSpecs;
}

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

}  // namespace sd::server
