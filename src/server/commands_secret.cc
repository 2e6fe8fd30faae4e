// `scratchdata secret rotate`.
#include "catalog/catalog.h"
#include "catalog/seal.h"
#include "server/commands.h"
#include "server/data_lock.h"

namespace sd::server {
namespace {

constexpr std::chrono::milliseconds kPatience{1000};

// Empty: a random one goes into the file.
Result<std::string> find_new_key(const SecretRotateCommand& command, const Config& config,
                                 const CommandContext& context) {
  if (command.new_key_env.empty()) {
    if (config.secret_key.empty()) return std::string();
    return fail(
        invalid("the key comes from the setting secret_key: put the new one into an environment "
                "variable, and name that variable with --new-key-env"));
  }
  const auto found = context.environment.find(command.new_key_env);
  if (found != context.environment.end() && !found->second.empty()) return found->second;
  return fail(invalid("there is no " + command.new_key_env + " in the environment"));
}

void report(std::ostream& out, const catalog::Catalog::Rotated& counts, const Config& config,
            bool in_file) {
  const std::string file = config.data_dir + "/" + std::string(catalog::kSecretKeyFile);
  out << counts.sealed << (counts.sealed == 1 ? " secret is" : " secrets are")
      << " encrypted with the new key" << (in_file ? ", which is in " + file : "") << ".\n";
  if (!in_file) {
    out << "Set secret_key (SCRATCH_SECRET_KEY) to the new key before you start the server.\n";
    if (config.secret_key.empty()) out << "Then remove " << file << ": nothing uses it any more.\n";
  }
  if (counts.unreadable > 0) {
    out << counts.unreadable << (counts.unreadable == 1 ? " was" : " were")
        << " encrypted with some other key before, and cannot be read: as it was.\n";
  }
}

}  // namespace

int run_secret_rotate(const SecretRotateCommand& command, CommandContext context) {
  const auto config = read_config(command.settings, context);
  if (!config) return kExitUsage;
  const auto key = find_new_key(command, *config, context);
  if (!key) return refuse(context.err, key.error());
  const auto exists =
      posix_file_system().exists(config->data_dir + "/" + std::string(catalog::kCatalogFileName));
  if (exists && !*exists) {
    return refuse_catalog(
        context.err, *config,
        Error{.code = ErrorCode::kNotFound, .message = "the data directory holds no catalog"});
  }
  // A running server has read the key and would go on with it.
  const auto lock = lock_data_directory(config->data_dir, kPatience);
  if (!lock && lock.error().code == ErrorCode::kUnavailable) {
    return refuse(context.err, "a server runs on " + config->data_dir +
                                   ": stop it, rotate the key, and start it again");
  }
  if (!lock) return refuse(context.err, lock.error());
  const auto rotated = catalog::Catalog::rotate_secret_key(
      {.data_dir = config->data_dir, .must_exist = true, .secret_key = config->secret_key}, *key);
  if (!rotated) return refuse_catalog(context.err, *config, rotated.error());
  report(context.out, *rotated, *config, key->empty());
  return kExitOk;
}

}  // namespace sd::server
