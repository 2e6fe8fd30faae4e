// scratchdata: one program; what it does is the first word of its command line.
#include <fcntl.h>
#include <unistd.h>

#include <iostream>

#include "build_info.h"
#include "engine/child.h"
#include "journal/reader.h"
#include "server/cli.h"
#include "server/commands.h"
#include "server/commands_insert.h"
#include "server/commands_query.h"
#include "server/serve.h"

namespace sd::server {
namespace {

int run_version() {
  std::cout << "scratchdata " << build_info::kVersion << " (" << build_info::kCommit << "), DuckDB "
            << build_info::kDuckdbVersion << "\n";
  return kExitOk;
}

int run_journal_inspect(const JournalInspectCommand& command) {
  const auto sound = journal::inspect(posix_file_system(), command.directory, {},
                                      [](std::string_view line) { std::cout << line << "\n"; });
  if (!sound) {
    std::cerr << "scratchdata: " << sound.error().message << "\n";
    return kExitUsage;
  }
  return *sound ? kExitOk : kExitFailed;
}

// A standard descriptor that came closed would go to the first file or socket that is opened, and what is printed into
// that. What stands there instead can be neither read nor written.
void occupy_standard_descriptors() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(fd, F_GETFD) != -1) continue;
    const int opened =
        ::open("/dev/null", O_PATH);  // takes the lowest number that is free, which is `fd`
    if (opened != fd) ::_exit(kExitFailed);
  }
}

struct Run {
  CommandContext context;
  int operator()(const ServeCommand& c) const { return run_serve(c); }
  int operator()(const ConfigCheckCommand& c) const { return run_config_check(c, context); }
  int operator()(const KeyCreateCommand& c) const { return run_key_create(c, context); }
  int operator()(const KeyListCommand& c) const { return run_key_list(c, context); }
  int operator()(const KeyRevokeCommand& c) const { return run_key_revoke(c, context); }
  int operator()(const SignInCommand& c) const { return run_sign_in(c, context); }
  int operator()(const SecretRotateCommand& c) const { return run_secret_rotate(c, context); }
  int operator()(const JournalInspectCommand& c) const { return run_journal_inspect(c); }
  int operator()(const EngineCommand& c) const { return engine::run_child(c.control_fd); }
  int operator()(const VersionCommand&) const { return run_version(); }
  int operator()(const InsertCommand& c) const { return run_insert(c, context); }
  int operator()(const QueryCommand& c) const { return run_query(c, context); }
  int operator()(const ExitCommand& c) const {
    std::cout << c.out;
    std::cerr << c.err;
    return c.code;
  }
};

}  // namespace
}  // namespace sd::server

int main(int argc, char** argv) {
  using namespace sd::server;
  occupy_standard_descriptors();
  const Command command = parse_command_line(argc, argv);
  return std::visit(Run{{std::cin, std::cout, std::cerr, process_environment()}}, command);
}
