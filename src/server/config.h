// The configuration: one table of known settings (config_table.cc) drives the YAML file, the
// SCRATCH_… environment variables, the --flags, `config check` and the redacted dump.
//
// Order: flag, over environment variable, over YAML file, over default. The keys of the original's
// config.yaml are read as they are; one that no longer means anything gives one warning that says
// what took its place; an unknown one is an error with its line and the nearest known key. Every
// problem is reported, not only the first.
//
// Relative paths are relative to the working directory, as in the original.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/result.h"
#include "catalog/model.h"

namespace sd::server {

using Millis = std::chrono::milliseconds;

struct DestinationConfig {
  std::string name = {};
  std::string type = "duckdb";
  std::vector<std::string> api_keys = {};
  std::map<std::string, std::string> settings = {};
  catalog::Origin origin = catalog::Origin::kConfig;
  int line = 0;  // in the file; 0 if it does not come from there
};

struct ApiConfig {
  std::vector<std::string> listen = {"127.0.0.1:8080", "[::1]:8080"};  // "host:port", "[v6]:port"
  // Both loopbacks were meant, by default: a machine without IPv6 may go on with the first alone.
  bool ipv6_optional = true;
  std::string base_url;            // without a slash at its end; empty: from the Host header
  std::vector<std::string> hosts;  // Host values that may stand in URLs that we hand out
  std::int64_t max_body_bytes = 16LL << 30;
  std::int64_t max_header_bytes = 64 << 10;
  std::int64_t threads = 0;  // 0: one for each core, at most 8
  std::int64_t max_connections = 20'000;
  Millis header_timeout{10'000};
  Millis idle_timeout{75'000};
  Millis write_timeout{300'000};
  Millis stop_grace{30'000};  // SIGTERM: time to finish and to load what was acknowledged
  std::string healthcheck_fail_file;
};

struct JournalConfig {
  std::int64_t max_bytes = 10LL << 30;        // per destination, blobs included
  std::int64_t min_free_bytes = 256LL << 20;  // of the disk; below it inserts get 503
  Millis retention{std::chrono::hours(1)};    // of loaded segments, disk permitting
  std::int64_t sync_threads = 8;
};

struct EngineConfig {
  Millis idle_timeout{std::chrono::minutes(10)};
  std::int64_t max_engines = 64;
  std::int64_t memory_limit = 0;  // bytes for each engine; 0: half of the machine's
  std::int64_t threads = 0;       // for queries; 0: every core
  // Refuse to start where the kernel cannot lock engines in completely (Landlock, seccomp).
  bool require_sandbox = false;
  std::string user;  // whom engines run as; empty: as the server
};

struct QueryConfig {
  Millis timeout{300'000};
  std::int64_t max_running = 16;  // of one destination; more wait
  std::int64_t max_waiting = 64;  // beyond it 503
};

struct ShareConfig {
  Millis timeout{60'000};                     // of a download, where the share says nothing else
  std::int64_t max_rows = 0;                  // of a download; 0: any number
  std::int64_t max_simultaneous = 16;         // downloads of one share
  std::int64_t max_frozen_bytes = 4LL << 30;  // files of one frozen share; 0: any number
  bool log_addresses = false;
};

struct TailConfig {
  std::int64_t max_open = 1000;  // of one destination; more get 503
  Millis stall_timeout{10'000};  // for so long a reader may take nothing
  Millis max_lag{60'000};        // so much later may it show rows than it did at best
};

struct RowsConfig {
  std::int64_t max_columns = 1000;          // of a table, unless its contract says otherwise
  std::int64_t max_rows_of_a_row = 10'000;  // that flattening may make
};

struct LoggingConfig {
  log::Level level = log::Level::kInfo;
  log::Format format = log::Format::kConsole;
};

struct PrometheusConfig {
  bool enabled = false;  // a listener of its own; /metrics of the API is always there
  std::string host = "127.0.0.1";
  std::int64_t port = 2112;
  std::string username;  // HTTP Basic on that listener; empty: none
  std::string password;
};

struct Config {
  std::string data_dir = "./data";
  std::string secret_key;  // 64 hex digits; empty: <data_dir>/secret.key
  ApiConfig api;
  JournalConfig journal;
  EngineConfig engine;
  QueryConfig query;
  ShareConfig share;
  TailConfig tail;
  RowsConfig rows;
  LoggingConfig logging;
  PrometheusConfig prometheus;
  std::vector<std::string> api_keys;            // admin keys
  std::vector<DestinationConfig> destinations;  // never empty once loaded: at least `local`
};

// One line about one place: "config.yaml:12: api.prot: unknown key; did you mean api.port?"
struct Problem {
  std::string source;  // file name, "environment" or "command line"
  int line = 0;        // from 1; 0: the source has no lines, or the problem is the whole
  std::string key;     // "api.port"; may be empty
  std::string message;
  std::string to_string() const;
};

struct ConfigInputs {
  // The file is read from this path …
  std::optional<std::string> file = {};
  // … unless its text is here (tests, and `config check -`).
  std::optional<std::string> text = {};
  // Whole environment; only SCRATCH_… and motherduck_token are looked at.
  std::map<std::string, std::string> environment = {};
  // Key and value, in the order of the command line; a list setting takes several.
  std::vector<std::pair<std::string, std::string>> flags = {};
};

struct LoadedConfig {
  Config config;  // to be used only if there are no errors
  std::vector<Problem> warnings;
  std::vector<Problem> errors;
};

LoadedConfig load_config(const ConfigInputs& inputs);

// The process's environment as a map.
std::map<std::string, std::string> process_environment();

// True if every address of api.listen is a loopback one (127.0.0.0/8, ::1, localhost).
bool listens_on_loopback_only(const Config& config);

// The refusal, with the way to mend it, if a configured key is well known (`local`, `admin` …) and
// the listener is not on loopback only. Destinations that nobody configured do not count: see
// usable_keys.
Result<> check_well_known_keys(const Config& config, bool all_loopback);

// The keys of a destination to put into the catalog: the built-in destination loses its well-known
// key `local` where the listener is reachable from outside.
std::vector<std::string> usable_keys(const DestinationConfig& destination, bool all_loopback);

// Every setting as "key: value" lines of YAML, secrets replaced by "(secret)".
std::string dump_config(const Config& config);

// ---- the table

// A setting that can be given as a flag: for the command line's help.
struct SettingHelp {
  std::string key;          // "api.port"
  std::string flag;         // "--api-port"
  std::string environment;  // "SCRATCH_API_PORT"
  std::string kind;         // "number", "text", "true|false", "bytes", "time", "list"
  std::string default_text;
  std::string help;
  bool list = false;
};
std::vector<SettingHelp> setting_helps();

}  // namespace sd::server
