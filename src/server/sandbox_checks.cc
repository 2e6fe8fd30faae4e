#include "server/sandbox_checks.h"

#include <filesystem>
#include <map>

#include "base/file.h"
#include "engine/engine_user.h"

namespace sd::server {
namespace {

std::string real_folder(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::weakly_canonical(path, ignored).string();
}

bool holds(const std::string& folder, const std::string& path) {
  return (path + "/").starts_with(folder == "/" ? folder : folder + "/");
}

}  // namespace

Result<std::optional<engine::UserIds>> engine_user(const std::string& name, bool is_root) {
  if (name.empty()) return std::optional<engine::UserIds>();
  if (!is_root) {
    return fail(
        invalid("engine.user: only a server that runs as root can give its engines another user; "
                "start it as "
                "root, or leave the setting out (engines then run as the server does)"));
  }
  auto found = engine::find_user(name);
  if (!found) return fail(invalid("engine.user: " + found.error().message));
  return std::optional(*found);
}

Result<> open_data_directory(const std::string& data_dir, const std::string& name,
                             const engine::UserIds& user) {
  for (const std::string& folder :
       {data_dir, data_dir + "/journals", data_dir + "/destinations", data_dir + "/shares"}) {
    TRY(posix_file_system().make_directories(folder));
    TRY(engine::let_pass(folder));
  }
  if (engine::can_reach(data_dir, user)) return {};
  return fail(invalid("engine.user: a folder above the data directory is closed to the user " +
                      name + "; open it (chmod o+x), or put data_dir elsewhere"));
}

std::vector<std::string> sandbox_gaps(const engine::KernelParts& kernel,
                                      const std::string& data_dir,
                                      const std::vector<catalog::Destination>& destinations) {
  std::vector<std::string> gaps;
  std::string missing;
  for (const std::string& part : engine::missing_parts(kernel)) {
    missing += (missing.empty() ? "" : ", ") + part;
  }
  if (!missing.empty()) gaps.push_back("this kernel does not give engines: " + missing);

  // An engine may change what lies in the folder of its file, and below it.
  const std::string data = real_folder(data_dir);
  std::map<std::string, std::string> places = {{data, "the data directory"}};
  for (const auto& each : destinations) {
    const auto file = catalog::target_file(data_dir, each);
    if (file && !holds(data, real_folder(*file)))
      places[real_folder(*file)] = "the file of destination " + each.name;
  }
  for (const auto& each : destinations) {
    const auto file = catalog::target_file(data_dir, each);
    const std::string own = real_folder(catalog::destination_folder(data_dir, each.id));
    if (!file || holds(own, real_folder(*file))) continue;
    const std::string folder = real_folder(dir_name(*file));
    for (const auto& [place, what] : places) {
      if (place == real_folder(*file) || !holds(folder, place)) continue;
      gaps.push_back("the engine of destination " + each.name + " can change " + what +
                     ", which lies in the folder of its file; give the file a folder of its own");
    }
    if (folder != data && holds(data, folder)) {
      gaps.push_back("the file of destination " + each.name +
                     " lies in the data directory, in a folder of the "
                     "server's; give the file a folder of its own");
    }
  }
  return gaps;
}

}  // namespace sd::server
