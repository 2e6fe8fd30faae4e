// The data directory belongs to one server at a time, and to nobody who changes what a running server has read.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "base/file.h"

namespace sd::server {

// For as long as the result lives. A server that has just died may hold it a moment yet: kUnavailable after `patience`.
Result<std::unique_ptr<File>> lock_data_directory(const std::string& directory,
                                                  std::chrono::milliseconds patience);

}  // namespace sd::server
