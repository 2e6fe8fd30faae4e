// The command line: argv into one command, a plain value. Runs nothing.
//
// Exit codes of the whole program: 0 fine; 1 the work failed (a row was refused, the server died);
// 2 the call itself is wrong (usage, configuration, no such data directory).
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "server/config.h"

namespace sd::server {

inline constexpr int kExitOk = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;

// Where a command takes its settings from: --config FILE and flags such as --data-dir, as
// ConfigInputs::flags.
struct SettingSources {
  std::optional<std::string> config_file;
  std::vector<std::pair<std::string, std::string>> flags;
};

struct ServeCommand {
  SettingSources settings;
};

struct ConfigCheckCommand {
  std::string file;  // "-": standard input
};

struct KeyCreateCommand {
  SettingSources settings;
  std::string destination;  // id or name; empty with admin
  bool admin = false;       // a key for every destination
  std::string scopes = {};  // as a list; empty: query with endpoints, else insert,query,share
  std::string name;
  std::vector<std::string> tables;  // empty: all
  std::string flatten = {};         // mode of its rows; empty: as their table's contract says
  std::uint64_t max_rows = 0;       // of a query's result; 0: any number
  std::uint64_t max_bytes = 0;      // of a query's answer
  std::vector<std::string> endpoints =
      {};                                 // the only ones it may call, and nothing else; empty: any
  std::string params = {};                // JSON, what it fixes of their parameters
  std::uint64_t requests_per_minute = 0;  // 0: any number
};
struct KeyListCommand {
  SettingSources settings;
  std::string destination;  // empty: all
};
struct KeyRevokeCommand {
  SettingSources settings;
  std::string key;  // id, beginning of an id, or prefix of the secret
};

struct SignInCommand {
  SettingSources settings;
  std::string key;  // as in KeyRevokeCommand; empty: an admin key
};

struct JournalInspectCommand {
  std::string directory;
};

struct InsertCommand {
  std::string table;
  std::vector<std::string> files;  // empty, or "-": standard input
  std::string url;
  std::string key;
  std::string format;   // empty: by the files' names, else their first bytes
  std::string flatten;  // empty: as the server has it
  std::optional<unsigned> flatten_depth;
  bool strict = false;
  bool wait = false;
  bool gzip = false;
  unsigned concurrency = 4;
  double timeout_s = 120;
  std::optional<unsigned> retries;  // nullopt: for five minutes
  std::size_t chunk_bytes = 4U << 20;
  std::optional<std::string> resume_key;
  bool quiet = false;
};

struct QueryCommand {
  std::string sql;
  std::string url;
  std::string key;
  std::string format;  // empty: a table on a terminal, else ndjson
  std::vector<std::string> params;
  std::optional<double> timeout_s;
};

// Internal: the child process. Not in the help.
struct EngineCommand {
  int control_fd = -1;
};

struct VersionCommand {};

struct SecretRotateCommand {
  SettingSources settings;
  std::string new_key_env;  // name of the variable that holds the new key
};

// Nothing to run: help was asked for, or the call was wrong.
struct ExitCommand {
  int code = kExitOk;
  std::string out;
  std::string err;
};

using Command =
    std::variant<ServeCommand, ConfigCheckCommand, KeyCreateCommand, KeyListCommand,
                 KeyRevokeCommand, SignInCommand, SecretRotateCommand, JournalInspectCommand,
                 InsertCommand, QueryCommand, EngineCommand, VersionCommand, ExitCommand>;

// Without a command: help, and exit code 2.
Command parse_command_line(int argc, const char* const* argv);

}  // namespace sd::server
