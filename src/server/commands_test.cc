#include "server/commands.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <thread>

#include "catalog/key_cache.h"
#include "catalog/testing.h"

namespace sd::server {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::Not;
using testing::StartsWith;

class CommandsTest : public testing::Test {
 protected:
  CommandContext context() {
    out_.str("");
    err_.str("");
    return {in_, out_, err_, environment_};
  }
  SettingSources here() const { return {.config_file = {}, .flags = {{"data_dir", dir_.path()}}}; }
  std::unique_ptr<catalog::Catalog> catalog() {
    return std::move(*catalog::Catalog::open({.data_dir = dir_.path()}));
  }
  // Without the newline at its end.
  std::string create(KeyCreateCommand command) {
    command.settings = here();
    EXPECT_EQ(run_key_create(command, context()), kExitOk) << err_.str();
    const std::string text = out_.str();
    return text.substr(0, text.size() - 1);
  }

  catalog::TempDir dir_;
  std::istringstream in_;
  std::ostringstream out_;
  std::ostringstream err_;
  std::map<std::string, std::string> environment_;
};

// ---- config check

TEST_F(CommandsTest, CheckSaysThatAGoodFileIsFine) {
  in_.str("api: {host: 127.0.0.1, port: 1}\n");
  EXPECT_EQ(run_config_check({.file = "-"}, context()), kExitOk);
  EXPECT_EQ(out_.str(), "The configuration is fine: 0 errors, 0 warnings.\n");
}

TEST_F(CommandsTest, CheckNamesEveryProblemWithItsLine) {
  const std::string path = dir_.path() + "/mine.yaml";
  std::ofstream(path) << "api:\n  prot: 1\nworkers:\n  count: 2\n";
  EXPECT_EQ(run_config_check({.file = path}, context()), kExitUsage);
  EXPECT_THAT(out_.str(), AllOf(HasSubstr("error: mine.yaml:2: api.prot: unknown key; did you mean "
                                          "api.port?\n"),
                                HasSubstr("warning: mine.yaml:4: workers.count: "),
                                HasSubstr("is wrong: 1 error, 1 warning.\n")));
}

TEST_F(CommandsTest, CheckExitsWithZeroOnWarnings) {
  in_.str("api: {port: 9}\n");
  EXPECT_EQ(run_config_check({.file = "-"}, context()), kExitOk);
  EXPECT_THAT(out_.str(), HasSubstr("fine: 0 errors, 1 warning.\n"));
}

TEST_F(CommandsTest, CheckFindsWellKnownKeysThatOthersCouldReach) {
  in_.str("api: {host: 0.0.0.0}\napi_keys: [{key: admin}]\n");
  EXPECT_EQ(run_config_check({.file = "-"}, context()), kExitUsage);
  EXPECT_THAT(out_.str(), HasSubstr("everybody knows"));
}

TEST_F(CommandsTest, CheckOfAMissingFileFails) {
  EXPECT_EQ(run_config_check({.file = dir_.path() + "/no.yaml"}, context()), kExitUsage);
  EXPECT_THAT(out_.str(), HasSubstr("error: no.yaml: cannot be read"));
}

// ---- key

TEST_F(CommandsTest, CreatePrintsTheSecretAloneAndOnce) {
  const Id128 home = catalog()->create_destination({.name = "local"})->id;
  const std::string secret = create({.destination = "local", .name = "n"});
  EXPECT_THAT(secret, MatchesRegex("sd_[0-9A-Za-z]+"));
  EXPECT_EQ(secret.size(), 46U);
  EXPECT_THAT(err_.str(), AllOf(HasSubstr("insert,query,share"), Not(HasSubstr(secret))));
  const auto key = catalog()->key_by_secret(secret);
  ASSERT_TRUE(key);
  EXPECT_EQ(key->destination_id, home);
  EXPECT_EQ(key->name, "n");
  const std::string limited =
      create({.destination = home.to_string(), .scopes = "insert", .name = "", .tables = {"t"}});
  EXPECT_EQ(catalog()->key_by_secret(limited)->tables->front(), "t");
  EXPECT_TRUE(catalog()->key_by_secret(create({.admin = true}))->is_admin());
}

TEST_F(CommandsTest, CreateKeepsHowRowsOfTheKeyBecomeRowsAndListShowsIt) {
  catalog()->create_destination({.name = "local"}).value();
  const std::string secret = create({.destination = "local", .name = "n", .flatten = "explode"});
  EXPECT_EQ(catalog()->key_by_secret(secret)->flatten, "vertical");
  ASSERT_EQ(run_key_list({.settings = here(), .destination = ""}, context()), kExitOk);
  EXPECT_THAT(out_.str(), AllOf(HasSubstr("  FLATTEN  "), HasSubstr("  vertical  ")));
  EXPECT_EQ(catalog()->key_by_secret(create({.destination = "local"}))->flatten, "");
}

TEST_F(CommandsTest, AKeyForEndpointsIsMadeOfWhatThereIsAndListShowsWhatItIsFor) {
  const Id128 home = catalog()->create_destination({.name = "local"}).value().id;
  ASSERT_TRUE(catalog()->create_endpoint(
      {.destination_id = home,
       .name = "orders",
       .definition = R"({"query":"SELECT $user","params":[{"name":"user","type":"string"}]})"}));
  const std::string secret = create({.destination = "local",
                                     .endpoints = {"orders"},
                                     .params = R"({"user":"alice"})",
                                     .requests_per_minute = 60});
  const auto key = catalog()->key_by_secret(secret);
  EXPECT_EQ(to_string(key->scopes), "query");
  EXPECT_EQ(key->parameters, R"({"user":"alice"})");
  ASSERT_EQ(run_key_list({.settings = here(), .destination = ""}, context()), kExitOk);
  EXPECT_THAT(out_.str(), HasSubstr(R"(  endpoints orders with {"user":"alice"}; 60/min  )"));
  const auto refused = [&](KeyCreateCommand command) {
    command.settings = here();
    if (!command.admin) command.destination = "local";
    EXPECT_EQ(run_key_create(command, context()), kExitUsage);
    return err_.str();
  };
  EXPECT_THAT(refused({.endpoints = {"never"}}), HasSubstr("there is no endpoint \"never\""));
  EXPECT_THAT(refused({.endpoints = {"orders"}, .params = R"({"usr":"alice"})"}),
              HasSubstr("is no parameter of the endpoint orders"));
  EXPECT_THAT(refused({.endpoints = {"orders"}, .params = R"({"user":1})"}), HasSubstr("a text"));
  EXPECT_THAT(refused({.endpoints = {"orders"}, .params = "[1]"}), HasSubstr("an object"));
  EXPECT_THAT(refused({.endpoints = {"orders"}, .params = "{"}), HasSubstr("scratchdata: "));
  EXPECT_THAT(refused({.scopes = "share", .endpoints = {"orders"}}), HasSubstr("scopes"));
  EXPECT_THAT(refused({.admin = true, .endpoints = {"orders"}}), HasSubstr("admin key"));
}

TEST_F(CommandsTest, SignInPrintsALinkThatWorksOnce) {
  auto open = catalog();
  const Id128 home = open->create_destination({.name = "local"}).value().id;
  const auto link = [&](const std::string& key) {
    out_.str("");
    EXPECT_EQ(run_sign_in({.settings = here(), .key = key}, context()), kExitOk) << err_.str();
    const std::string line = out_.str();
    EXPECT_THAT(line, StartsWith("http://127.0.0.1:8080/#sign-in=sd_"));
    return line.substr(line.find('=') + 1, 46);
  };
  const auto made = open->redeem_sign_in_link(link(""), kMicrosPerSecond);
  ASSERT_TRUE(made);
  EXPECT_TRUE(open->key(made->session.key_id)->is_admin());
  const auto again = open->redeem_sign_in_link(link(""), kMicrosPerSecond);
  EXPECT_EQ(again->session.key_id, made->session.key_id) << "the key is made once";
  const auto own = open->create_key({.destination_id = home}).value();
  EXPECT_EQ(open->redeem_sign_in_link(link(own.key.prefix), kMicrosPerSecond)->session.key_id,
            own.key.id);
  const auto locked = open->create_key({.destination_id = home, .endpoints = {{"orders"}}}).value();
  EXPECT_EQ(run_sign_in({.settings = here(), .key = locked.key.prefix}, context()), kExitUsage);
  EXPECT_EQ(run_sign_in({.settings = here(), .key = "sd_never"}, context()), kExitUsage);
}

TEST_F(CommandsTest, CreateRefusesWhatCannotBe) {
  catalog()->create_destination({.name = "local"}).value();
  const auto refused = [&](const KeyCreateCommand& command) {
    EXPECT_EQ(run_key_create(command, context()), kExitUsage);
    EXPECT_THAT(out_.str(), IsEmpty());
    const std::string line = err_.str();
    EXPECT_EQ(std::ranges::count(line, '\n'), 1) << line;
    return line;
  };
  EXPECT_THAT(refused({.settings = here(), .destination = "locla"}),
              HasSubstr("no destination \"locla\"; there are: local"));
  EXPECT_THAT(refused({.settings = here(), .destination = "local", .scopes = "everything"}),
              HasSubstr("unknown scope"));
  EXPECT_THAT(refused({.settings = here()}), HasSubstr("--destination"));
  const SettingSources nowhere{.config_file = {}, .flags = {{"data_dir", dir_.path() + "/no"}}};
  EXPECT_THAT(refused({.settings = nowhere, .destination = "local"}),
              HasSubstr("the data directory does not exist"));
  EXPECT_FALSE(std::filesystem::exists(dir_.path() + "/no"));
}

TEST_F(CommandsTest, TheDataDirectoryMayComeFromTheFileOrTheEnvironment) {
  catalog()->create_destination({.name = "local"}).value();
  const std::string path = dir_.path() + "/c.yaml";
  std::ofstream(path) << "data_dir: " << dir_.path() << "\n";
  EXPECT_EQ(run_key_create({.settings = {.config_file = path, .flags = {}}, .destination = "local"},
                           context()),
            kExitOk)
      << err_.str();
  environment_["SCRATCH_DATA_DIR"] = dir_.path();
  EXPECT_EQ(run_key_list({}, context()), kExitOk) << err_.str();
  EXPECT_THAT(out_.str(), HasSubstr("local"));
  std::ofstream(path) << "nonsense: 1\n";
  EXPECT_EQ(
      run_key_list({.settings = {.config_file = path, .flags = {}}, .destination = ""}, context()),
      kExitUsage);
  EXPECT_THAT(err_.str(), HasSubstr("c.yaml:1: nonsense: unknown key"));
}

TEST_F(CommandsTest, ListShowsAnAlignedTableWithoutSecrets) {
  auto open = catalog();
  open->create_destination({.name = "local"}).value();
  open->create_destination({.name = "größer"}).value();
  const std::string one = create({.destination = "local", .name = "first"});
  const std::string two = create({.destination = "größer", .name = "\x1b[2Jtwo"});
  create({.admin = true});
  ASSERT_EQ(run_key_list({.settings = here(), .destination = ""}, context()), kExitOk);
  const std::string table = out_.str();
  EXPECT_THAT(table, AllOf(StartsWith("ID "), HasSubstr(one.substr(0, 7)), HasSubstr("(every one)"),
                           HasSubstr("first"), HasSubstr("?[2Jtwo"), Not(HasSubstr(one)),
                           Not(HasSubstr(two))));
  EXPECT_EQ(std::ranges::count(table, '\n'), 4);
  // The column SCOPES begins at the same character in every line.
  std::istringstream lines(table);
  std::string line;
  std::set<std::ptrdiff_t> columns;
  while (std::getline(lines, line)) {
    const std::size_t at = std::min(line.find("SCOPES"), line.find("insert"));
    columns.insert(std::count_if(line.begin(), line.begin() + static_cast<std::ptrdiff_t>(at),
                                 [](char c) { return (c & 0xC0) != 0x80; }));
  }
  EXPECT_EQ(columns.size(), 1U) << table;
  ASSERT_EQ(run_key_list({.settings = here(), .destination = "local"}, context()), kExitOk);
  EXPECT_EQ(std::ranges::count(out_.str(), '\n'), 2);
}

TEST_F(CommandsTest, RevokeTakesAnIdAPrefixOrASecret) {
  auto open = catalog();
  open->create_destination({.name = "local"}).value();
  const auto revoke = [&](const std::string& text) {
    return run_key_revoke({.settings = here(), .key = text}, context());
  };
  for (const int way : {0, 1, 2, 3}) {
    const std::string secret = create({.destination = "local"});
    const auto key = open->key_by_secret(secret);
    const std::string id = key->id.to_string();
    const std::string given[] = {id, id.substr(0, 13), key->prefix, secret};
    EXPECT_EQ(revoke(given[way]), kExitOk) << err_.str();
    EXPECT_THAT(out_.str(), HasSubstr(id));
    EXPECT_FALSE(open->key_by_secret(secret));
    EXPECT_EQ(revoke(id), kExitOk);
    EXPECT_THAT(out_.str(), HasSubstr("before"));
  }
  EXPECT_EQ(revoke("sd_never"), kExitUsage);
  EXPECT_THAT(err_.str(), HasSubstr("no such key"));
  EXPECT_EQ(revoke("sd_"), kExitUsage);
}

TEST_F(CommandsTest, RevokeRefusesToGuess) {
  auto open = catalog();
  open->put_configured_keys(
          {{.secret = std::string(40, 'x') + "1"}, {.secret = std::string(40, 'x')}})
      .value();
  EXPECT_EQ(run_key_revoke({.settings = here(), .key = "xxxx"}, context()), kExitUsage);
  EXPECT_THAT(err_.str(), HasSubstr("more than one key"));
  EXPECT_EQ(run_key_revoke({.settings = here(), .key = std::string(40, 'x')}, context()),
            kExitUsage);
  EXPECT_THAT(err_.str(), HasSubstr("comes from the configuration"));
}

TEST_F(CommandsTest, ARunningServerSeesARevokedKeyWithinASecond) {
  auto open = catalog();
  open->create_destination({.name = "local"}).value();
  auto cache = std::move(*catalog::KeyCache::start(*open));
  const std::string secret = create({.destination = "local"});
  const auto wait_until = [&](bool known) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(1);
    while ((cache->find_key(secret) != nullptr) != known) {
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return true;
  };
  EXPECT_TRUE(wait_until(true));
  ASSERT_EQ(run_key_revoke({.settings = here(), .key = secret}, context()), kExitOk);
  EXPECT_TRUE(wait_until(false));
}

}  // namespace
}  // namespace sd::server
