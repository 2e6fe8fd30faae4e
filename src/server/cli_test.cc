#include "server/cli.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

namespace sd::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;

Command parse(std::vector<const char*> words) {
  words.insert(words.begin(), "scratchdata");
  return parse_command_line(static_cast<int>(words.size()), words.data());
}

ExitCommand refused(std::vector<const char*> words) {
  const Command command = parse(std::move(words));
  EXPECT_TRUE(std::holds_alternative<ExitCommand>(command));
  return std::holds_alternative<ExitCommand>(command) ? std::get<ExitCommand>(command)
                                                      : ExitCommand{.code = -1};
}

TEST(CommandLine, ServeTakesItsSettingsAsFlags) {
  const auto serve = std::get<ServeCommand>(
      parse({"serve", "--config", "c.yaml", "--data-dir", "/d", "--listen", "127.0.0.1:1",
             "--listen", "[::1]:2", "--api-max-body-bytes=5M"}));
  EXPECT_EQ(serve.settings.config_file, "c.yaml");
  EXPECT_THAT(serve.settings.flags,
              testing::UnorderedElementsAre(
                  Pair("data_dir", "/d"), Pair("api.listen", "127.0.0.1:1"),
                  Pair("api.listen", "[::1]:2"), Pair("api.max_body_bytes", "5M")));
  const auto bare = std::get<ServeCommand>(parse({"serve"}));
  EXPECT_EQ(bare.settings.config_file, std::nullopt);
  EXPECT_THAT(bare.settings.flags, IsEmpty());
}

TEST(CommandLine, WhatServeReadsMakesAConfiguration) {
  const auto serve = std::get<ServeCommand>(
      parse({"serve", "--listen", "127.0.0.1:1", "--logging-json-format", "true"}));
  const LoadedConfig loaded = load_config({.flags = serve.settings.flags});
  EXPECT_THAT(loaded.errors, IsEmpty());
  EXPECT_THAT(loaded.config.api.listen, ElementsAre("127.0.0.1:1"));
  EXPECT_EQ(loaded.config.logging.format, log::Format::kJson);
}

TEST(CommandLine, HasTheCommandsForKeysAndConfiguration) {
  EXPECT_EQ(std::get<ConfigCheckCommand>(parse({"config", "check", "x.yaml"})).file, "x.yaml");
  EXPECT_EQ(std::get<SecretRotateCommand>(parse({"secret", "rotate"})).new_key_env, "");
  EXPECT_EQ(std::get<SecretRotateCommand>(parse({"secret", "rotate", "--new-key-env", "NEW"}))
                .new_key_env,
            "NEW");
  const auto create = std::get<KeyCreateCommand>(
      parse({"key", "create", "--destination", "local", "--scopes", "insert", "--name", "for me",
             "--tables", "a,b", "--flatten", "none", "--data-dir", "/d"}));
  EXPECT_EQ(create.destination, "local");
  EXPECT_EQ(create.scopes, "insert");
  EXPECT_EQ(create.name, "for me");
  EXPECT_THAT(create.tables, ElementsAre("a", "b"));
  EXPECT_EQ(create.flatten, "none");
  EXPECT_THAT(refused({"key", "create", "--admin", "--flatten", "up"}).err,
              HasSubstr("multitable"));
  EXPECT_THAT(create.settings.flags, ElementsAre(Pair("data_dir", "/d")));
  const auto locked = std::get<KeyCreateCommand>(
      parse({"key", "create", "--destination", "x", "--endpoints", "a,b", "--params",
             R"({"user":"alice"})", "--requests-per-minute", "60"}));
  EXPECT_EQ(locked.endpoints, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(locked.params, R"({"user":"alice"})");
  EXPECT_EQ(locked.requests_per_minute, 60U);
  EXPECT_EQ(refused({"key", "create", "--destination", "x", "--params", "{}"}).code, kExitUsage);
  EXPECT_EQ(std::get<KeyCreateCommand>(parse({"key", "create", "--destination", "x"})).scopes, "");
  EXPECT_TRUE(std::get<KeyCreateCommand>(parse({"key", "create", "--admin"})).admin);
  EXPECT_EQ(refused({"key", "create", "--admin", "--destination", "x"}).code, kExitUsage);
  EXPECT_EQ(std::get<KeyListCommand>(parse({"key", "list", "--destination", "x"})).destination,
            "x");
  EXPECT_EQ(std::get<KeyRevokeCommand>(parse({"key", "revoke", "sd_ab12"})).key, "sd_ab12");
}

TEST(CommandLine, HasTheCommandsThatTalkToAServer) {
  const auto insert = std::get<InsertCommand>(
      parse({"insert", "t", "a.json", "b.json", "--url", "http://h:1", "--key", "k"}));
  EXPECT_EQ(insert.table, "t");
  EXPECT_THAT(insert.files, ElementsAre("a.json", "b.json"));
  EXPECT_EQ(insert.url, "http://h:1");
  EXPECT_EQ(insert.key, "k");
  const auto query =
      std::get<QueryCommand>(parse({"query", "select 1", "--key", "k", "--format", "csv"}));
  EXPECT_EQ(query.sql, "select 1");
  EXPECT_EQ(query.url, "http://localhost:8080");
  EXPECT_EQ(query.format, "csv");
  EXPECT_THAT(refused({"query", "select 1", "--key", "k", "--format", "xml"}).err,
              HasSubstr("xml"));
  EXPECT_EQ(std::get<QueryCommand>(parse({"query", "select 1"})).key, "local");
  ::setenv("SCRATCHDATA_KEY", "from the environment", 1);
  EXPECT_EQ(std::get<QueryCommand>(parse({"query", "select 1"})).key, "from the environment");
  ::unsetenv("SCRATCHDATA_KEY");
}

TEST(CommandLine, HasTheRest) {
  EXPECT_EQ(std::get<JournalInspectCommand>(parse({"journal", "inspect", "/d/j"})).directory,
            "/d/j");
  EXPECT_EQ(std::get<EngineCommand>(parse({"engine", "--control-fd", "7"})).control_fd, 7);
  EXPECT_TRUE(std::holds_alternative<VersionCommand>(parse({"--version"})));
}

TEST(CommandLine, HelpGoesToStandardOutputAndHidesTheEngine) {
  const ExitCommand help = refused({"--help"});
  EXPECT_EQ(help.code, kExitOk);
  EXPECT_THAT(help.out,
              testing::AllOf(HasSubstr("serve"), HasSubstr("journal"), Not(HasSubstr("engine"))));
  EXPECT_THAT(help.err, IsEmpty());
  const ExitCommand serve = refused({"serve", "--help"});
  EXPECT_EQ(serve.code, kExitOk);
  EXPECT_THAT(serve.out, testing::AllOf(HasSubstr("--listen"), HasSubstr("SCRATCH_API_LISTEN"),
                                        HasSubstr("--journal-max-bytes"), HasSubstr("10GiB"),
                                        Not(HasSubstr("password"))));
}

TEST(CommandLine, WrongCallsExitWithTwo) {
  for (const auto& words :
       std::vector<std::vector<const char*>>{{},
                                             {"sevre"},
                                             {"serve", "extra"},
                                             {"serve", "--lisen", "x"},
                                             {"serve", "--listen"},
                                             {"config"},
                                             {"config", "check"},
                                             {"key"},
                                             {"key", "revoke"},
                                             {"insert", "--key", "k"},
                                             {"journal"},
                                             {"engine"},
                                             {"engine", "--control-fd", "x"},
                                             {"engine", "--control-fd", "-1"}}) {
    const ExitCommand exit = refused(words);
    EXPECT_EQ(exit.code, kExitUsage) << (words.empty() ? "" : words[0]);
    EXPECT_THAT(exit.err, Not(IsEmpty()));
    EXPECT_THAT(exit.out, IsEmpty());
  }
}

}  // namespace
}  // namespace sd::server
