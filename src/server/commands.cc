// What the commands have in common.
#include "server/commands.h"

namespace sd::server {

int refuse(std::ostream& err, const std::string& message) {
  err << "scratchdata: " << message << "\n";
  return kExitUsage;
}

int refuse(std::ostream& err, const Error& error) {
  refuse(err, error.message);
  switch (error.code) {
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kNotFound:
    case ErrorCode::kPermissionDenied:
      return kExitUsage;
    default:
      return kExitFailed;
  }
}

std::optional<Config> read_config(const SettingSources& settings, CommandContext& context) {
  LoadedConfig loaded = load_config(
      {.file = settings.config_file, .environment = context.environment, .flags = settings.flags});
  for (const Problem& problem : loaded.errors) refuse(context.err, problem.to_string());
  if (!loaded.errors.empty()) return std::nullopt;
  return std::move(loaded.config);
}

int refuse_catalog(std::ostream& err, const Config& config, const Error& error) {
  if (error.code != ErrorCode::kNotFound) return refuse(err, error);
  return refuse(err, config.data_dir + ": " + error.message +
                         "; name it with --data-dir, or start the server once");
}

}  // namespace sd::server
