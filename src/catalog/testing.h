// A data directory that lives as long as a test.
#pragma once

#include <filesystem>
#include <string>

#include "base/ids.h"

namespace sd::catalog {

class TempDir {
 public:
  TempDir() : path_(std::filesystem::temp_directory_path() / ("catalog-" + random_base62(12))) {
    std::filesystem::create_directories(path_);
  }
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

}  // namespace sd::catalog
