// `scratchdata config check`.
#include <iterator>

#include "server/commands.h"

namespace sd::server {

int run_config_check(const ConfigCheckCommand& command, CommandContext context) {
  // Only the file is checked: this machine's environment may not be the one that it will run in.
  ConfigInputs inputs;
  if (command.file == "-") {
    inputs.text = std::string(std::istreambuf_iterator<char>(context.in), {});
  } else {
    inputs.file = command.file;
  }
  LoadedConfig loaded = load_config(inputs);
  if (loaded.errors.empty()) {
    const auto keys = check_well_known_keys(loaded.config, listens_on_loopback_only(loaded.config));
    if (!keys) {
      loaded.errors.push_back(
          {.source = command.file, .line = 0, .key = "", .message = keys.error().message});
    }
  }
  for (const Problem& problem : loaded.errors) {
    context.out << "error: " << problem.to_string() << "\n";
  }
  for (const Problem& problem : loaded.warnings) {
    context.out << "warning: " << problem.to_string() << "\n";
  }
  const auto count = [](std::size_t n, const char* what) {
    return std::to_string(n) + " " + what + (n == 1 ? "" : "s");
  };
  context.out << (loaded.errors.empty() ? "The configuration is fine"
                                        : "The configuration is wrong")
              << ": " << count(loaded.errors.size(), "error") << ", "
              << count(loaded.warnings.size(), "warning") << ".\n";
  return loaded.errors.empty() ? kExitOk : kExitUsage;
}

}  // namespace sd::server
