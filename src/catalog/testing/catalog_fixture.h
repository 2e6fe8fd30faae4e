// A catalog in a directory of its own, for the tests of the catalog.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <soci/soci.h>
#include <sys/stat.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "catalog/catalog.h"
#include "catalog/migrations.h"
#include "catalog/testing.h"

namespace sd::catalog {

using testing::ElementsAre;
using testing::HasSubstr;

class CatalogTest : public testing::Test {
 protected:
  std::unique_ptr<Catalog> open() {
    auto opened = Catalog::open({.data_dir = dir_.path(), .clock = &clock_});
    EXPECT_TRUE(opened) << opened.error().message;
    return opened ? std::move(*opened) : nullptr;
  }
  std::string file() const { return dir_.path() + "/" + std::string(kCatalogFileName); }
  // Everything that SQLite wrote, log included. Only while no catalog is open.
  std::string all_bytes() const {
    std::string out;
    for (const auto& entry : std::filesystem::directory_iterator(dir_.path())) {
      std::ifstream in(entry.path(), std::ios::binary);
      out.append(std::istreambuf_iterator<char>(in), {});
    }
    return out;
  }
  static ErrorCode code(const auto& result) {
    EXPECT_FALSE(result);
    return result ? ErrorCode::kInternal : result.error().code;
  }

  TempDir dir_;
  ManualClock clock_;
};

}  // namespace sd::catalog
