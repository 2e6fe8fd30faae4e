// Commands that need no server, as functions on streams. Each returns the program's exit code.
#pragma once

#include <iosfwd>
#include <istream>
#include <map>
#include <optional>
#include <ostream>
#include <string>

#include "server/cli.h"
#include "server/config.h"

namespace sd::server {

struct CommandContext {
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  std::map<std::string, std::string> environment;
};

// One line on `err`, and the exit code: 2 for a call that cannot be right, 1 for what went wrong.
int refuse(std::ostream& err, const std::string& message);
int refuse(std::ostream& err, const Error& error);

// What flags, environment and file say; nullopt after lines on `err`.
std::optional<Config> read_config(const SettingSources& settings, CommandContext& context);
// An error of Catalog::open().
int refuse_catalog(std::ostream& err, const Config& config, const Error& error);

// Errors and warnings, one a line, with line numbers. 2 if there is an error, else 0.
int run_config_check(const ConfigCheckCommand& command, CommandContext context);

// On the catalog of the data directory, server running or not: a running one sees the change within
// a second. 2 with one line if there is no such data directory, destination or key. The secret
// stands alone on `out`, so that $(scratchdata key create …) is the key; the rest on `err`.
int run_key_create(const KeyCreateCommand& command, CommandContext context);
int run_key_list(const KeyListCommand& command, CommandContext context);
int run_key_revoke(const KeyRevokeCommand& command, CommandContext context);
int run_sign_in(const SignInCommand& command, CommandContext context);

// Seals the catalog with another key. 2 with one line where a server runs on the data directory, there is
// none, or the new key is no good.
int run_secret_rotate(const SecretRotateCommand& command, CommandContext context);

}  // namespace sd::server
