// What a server looks at before it starts engines: whether this kernel can lock them in, whom they
// run as, and whether a file of the configuration lies where its engine would be let into more than
// its own.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "catalog/model.h"
#include "engine/sandbox.h"
#include "server/config.h"

namespace sd::server {

// The user of engine.user; nullopt where there is none. An error is one of the configuration.
Result<std::optional<engine::UserIds>> engine_user(const std::string& name, bool is_root);

// Brings the data directory into reach of the user.
Result<> open_data_directory(const std::string& data_dir, const std::string& name,
                             const engine::UserIds& user);

// One line for each gap that the engines' walls have; empty: they are whole.
std::vector<std::string> sandbox_gaps(const engine::KernelParts& kernel,
                                      const std::string& data_dir,
                                      const std::vector<catalog::Destination>& destinations);

}  // namespace sd::server
