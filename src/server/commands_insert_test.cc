#include "server/commands_insert.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <sstream>

namespace sd::server {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

template <typename... Words>
Command parse(Words... words) {
  const char* const argv[] = {"scratchdata", words...};
  return parse_command_line(static_cast<int>(std::size(argv)), argv);
}

TEST(InsertCommandLine, HasDefaultsForEverythingButTheTable) {
  const auto insert = std::get<InsertCommand>(parse("insert", "t"));
  EXPECT_EQ(insert.table, "t");
  EXPECT_TRUE(insert.files.empty());
  EXPECT_EQ(insert.url, "http://localhost:8080");
  EXPECT_EQ(insert.key, "local");
  EXPECT_EQ(insert.concurrency, 4U);
  EXPECT_EQ(insert.chunk_bytes, 4U << 20);
  EXPECT_EQ(insert.retries, std::nullopt);
  EXPECT_EQ(insert.resume_key, std::nullopt);
}

TEST(InsertCommandLine, TakesItsOptions) {
  const auto insert = std::get<InsertCommand>(
      parse("insert", "t", "-", "--format", "csv", "--flatten", "multitable", "--flatten-depth",
            "2", "--strict", "--wait", "--gzip", "--concurrency", "9", "--timeout", "1.5",
            "--retries", "0", "--chunk-bytes", "64KiB", "--resume-key", "x", "--quiet"));
  EXPECT_EQ(insert.files, std::vector<std::string>{"-"});
  EXPECT_EQ(insert.format, "csv");
  EXPECT_EQ(insert.flatten, "multitable");
  EXPECT_EQ(insert.flatten_depth, 2U);
  EXPECT_TRUE(insert.strict && insert.wait && insert.gzip && insert.quiet);
  EXPECT_EQ(insert.concurrency, 9U);
  EXPECT_EQ(insert.timeout_s, 1.5);
  EXPECT_EQ(insert.retries, 0U);
  EXPECT_EQ(insert.chunk_bytes, 64U << 10);
  EXPECT_EQ(insert.resume_key, "x");
}

TEST(InsertCommandLine, TakesServerAndKeyFromTheEnvironmentAndShowsNoKey) {
  ::setenv("SCRATCHDATA_URL", "http://h:1", 1);
  ::setenv("SCRATCHDATA_KEY", "sd_secret", 1);
  const auto insert = std::get<InsertCommand>(parse("insert", "t"));
  const auto given = std::get<InsertCommand>(parse("insert", "t", "--key", "other"));
  const auto help = std::get<ExitCommand>(parse("insert", "--help"));
  ::unsetenv("SCRATCHDATA_URL");
  ::unsetenv("SCRATCHDATA_KEY");
  EXPECT_EQ(insert.url, "http://h:1");
  EXPECT_EQ(insert.key, "sd_secret");
  EXPECT_EQ(given.key, "other");
  EXPECT_THAT(help.out, AllOf(HasSubstr("--resume-key"), Not(HasSubstr("sd_secret"))));
}

TEST(InsertCommandLine, WrongValuesExitWithTwo) {
  for (const auto& [name, value] :
       {std::pair{"--format", "xml"}, std::pair{"--flatten", "sideways"},
        std::pair{"--concurrency", "0"}, std::pair{"--timeout", "0"}, std::pair{"--retries", "-1"},
        std::pair{"--chunk-bytes", "0"}, std::pair{"--chunk-bytes", "4 apples"}}) {
    const Command command = parse("insert", "t", name, value);
    ASSERT_TRUE(std::holds_alternative<ExitCommand>(command)) << name << " " << value;
    EXPECT_EQ(std::get<ExitCommand>(command).code, kExitUsage);
  }
}

TEST(InsertCommandRun, SaysInOneLineWhatCannotBeAndSendsNothing) {
  std::istringstream in;
  std::ostringstream out;
  std::ostringstream err;
  EXPECT_EQ(
      run_insert(
          {.table = "t", .files = {"/no/such/file.json"}, .url = "http://127.0.0.1:1", .key = "k"},
          {in, out, err, {}}),
      kExitUsage);
  EXPECT_EQ(err.str(), "scratchdata: /no/such/file.json: No such file or directory\n");
  EXPECT_EQ(out.str(), "");
}

}  // namespace
}  // namespace sd::server
