#include "api/frozen_files.h"

#include <algorithm>

#include "base/file.h"
#include "base/log.h"

namespace sd::api {
namespace {

constexpr std::size_t kIdLength = 36;

std::optional<Id128> share_of(std::string_view name) {
  if (name.size() <= kIdLength || name[kIdLength] != '.') return std::nullopt;
  const auto id = Id128::parse(name.substr(0, kIdLength));
  return id ? std::optional(*id) : std::nullopt;
}

}  // namespace

std::string frozen_part(std::string_view format, bool spreadsheet) {
  return (spreadsheet ? "spreadsheet." : "") + std::string(format);
}

std::string frozen_path(const std::string& folder, const Id128& share, std::string_view part) {
  return folder + "/" + share.to_string() + "." + std::string(part);
}

std::vector<Id128> frozen_shares(const std::string& folder) {
  std::vector<Id128> ids;
  const auto names = posix_file_system().list(folder);
  if (!names) return ids;
  for (const std::string& name : *names) {
    const auto id = share_of(name);
    if (id && (ids.empty() || ids.back() != *id)) ids.push_back(*id);
  }
  return ids;
}

void remove_frozen(const std::string& folder, const Id128& share) {
  const auto names = posix_file_system().list(folder);
  if (!names) return;
  for (const std::string& name : *names) {
    if (share_of(name) != share) continue;
    const auto removed = posix_file_system().remove(folder + "/" + name);
    if (!removed && removed.error().code != ErrorCode::kNotFound) {
      log::warn("a file of a share that has ended could not be removed",
                {{"share", share.to_string()}, {"error", removed.error().message}});
    }
  }
}

void sweep_frozen(const std::string& folder, catalog::Catalog& catalog, bool at_start) {
  for (const Id128& id : frozen_shares(folder)) {
    const auto share = catalog.share_by_id(id);
    const bool unknown = !share && share.error().code == ErrorCode::kNotFound;
    if ((unknown && at_start) || (share && share->has_ended(catalog.clock().wall_us())))
      remove_frozen(folder, id);
  }
}

}  // namespace sd::api
