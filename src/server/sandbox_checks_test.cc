#include "server/sandbox_checks.h"

#include <gtest/gtest.h>

namespace sd::server {
namespace {

constexpr engine::KernelParts kWhole{
    .landlock_abi = 1, .seccomp_filters = true, .no_new_privileges = true};

catalog::Destination with_file(const std::string& name, const std::string& file) {
  catalog::Destination d;
  d.id = Id128::make();
  d.name = name;
  d.type = "duckdb";
  d.origin = catalog::Origin::kConfig;
  if (!file.empty()) d.settings["file"].value = file;
  return d;
}

std::vector<std::string> gaps_of(const std::vector<catalog::Destination>& destinations) {
  return sandbox_gaps(kWhole, "/srv/data", destinations);
}

TEST(SandboxChecks, WholeWallsHaveNoGaps) {
  EXPECT_TRUE(gaps_of({}).empty());
  EXPECT_TRUE(gaps_of({with_file("own", ""), with_file("memory", ":memory:"),
                       with_file("a", "/srv/a/a.duckdb"), with_file("b", "/srv/b/b.duckdb")})
                  .empty());
}

TEST(SandboxChecks, WhatTheKernelLacksIsOneGap) {
  const auto gaps = sandbox_gaps({.landlock_abi = 0, .seccomp_filters = false}, "/srv/data", {});
  ASSERT_EQ(gaps.size(), 1U);
  for (const char* part : {"no_new_privs", "Landlock", "seccomp"}) {
    EXPECT_NE(gaps[0].find(part), std::string::npos) << gaps[0];
  }
}

TEST(SandboxChecks, AFileAboveTheDataDirectoryIsAGap) {
  for (const char* file : {"/srv/a.duckdb", "/a.duckdb", "/srv/data/a.duckdb"}) {
    const auto gaps = gaps_of({with_file("wide", file)});
    ASSERT_EQ(gaps.size(), 1U) << file;
    EXPECT_NE(gaps[0].find("destination wide can change the data directory"), std::string::npos)
        << gaps[0];
  }
}

TEST(SandboxChecks, AFileAmongTheServersOwnIsAGap) {
  const auto gaps = gaps_of({with_file("wide", "/srv/data/journals/a.duckdb")});
  ASSERT_EQ(gaps.size(), 1U);
  EXPECT_NE(gaps[0].find("in a folder of the server's"), std::string::npos) << gaps[0];
}

TEST(SandboxChecks, FilesInOneFolderAreAGapForEach) {
  const auto gaps = gaps_of({with_file("a", "/srv/x/a.duckdb"), with_file("b", "/srv/x/b.duckdb")});
  ASSERT_EQ(gaps.size(), 2U);
  EXPECT_NE(gaps[0].find("destination a can change the file of destination b"), std::string::npos);
  EXPECT_NE(gaps[1].find("destination b can change the file of destination a"), std::string::npos);
}

TEST(SandboxChecks, OnlyRootGivesEnginesAUser) {
  EXPECT_FALSE(engine_user("nobody", false));
  const auto nobody = engine_user("nobody", true);
  ASSERT_TRUE(nobody && *nobody);
  EXPECT_NE((*nobody)->uid, 0U);
  const auto unset = engine_user("", false);
  EXPECT_TRUE(unset && !*unset);
}

}  // namespace
}  // namespace sd::server
