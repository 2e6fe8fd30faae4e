#include "catalog/sealed_rows.h"

#include <signal.h>
#include <sys/wait.h>

#include <algorithm>

#include "base/file.h"
#include "catalog/testing/catalog_fixture.h"

namespace sd::catalog {
namespace {

using testing::Not;

constexpr const char* kToken = "token-that-nobody-may-see";
const std::string kOneKey(64, 'a');
const std::string kOtherKey(64, 'b');

class SealedRowsTest : public CatalogTest {
 protected:
  std::unique_ptr<Catalog> open_with(const std::string& key) {
    auto opened = Catalog::open({.data_dir = dir_.path(), .secret_key = key, .clock = &clock_});
    EXPECT_TRUE(opened) << opened.error().message;
    return opened ? std::move(*opened) : nullptr;
  }
  CatalogOptions options(const std::string& key = {}) {
    return {.data_dir = dir_.path(), .secret_key = key, .clock = &clock_};
  }
  // A destination with a token, and a share of it.
  void fill(Catalog& catalog) {
    const auto made = catalog.create_destination(
        {.name = "cloud", .settings = {{"token", {kToken}}, {"database", {"d"}}}});
    ASSERT_TRUE(made) << made.error().message;
    id_ = made->id;
    const auto share = catalog.create_share(
        {.destination_id = id_, .query = "q", .expires_at = clock_.wall_us() + 1000});
    ASSERT_TRUE(share);
    share_ = share->id;
    share_token_ = *share->token;
  }
  // "all", "nothing", or what of it can be read.
  std::string readable(Catalog& catalog) {
    const auto destination = catalog.destination(id_);
    const auto share = catalog.share_by_id(share_);
    if (!destination || !share) return "no rows";
    const bool token = destination->setting("token") == kToken;
    const bool link = share->token == share_token_;
    EXPECT_EQ(destination->settings.at("token").unreadable.empty(), token);
    return token && link ? "all" : token ? "the token" : link ? "the link" : "nothing";
  }
  std::string sealed_text() {
    auto connection = Connection::open(file());
    std::string text;
    (*connection)->sql() << "SELECT text FROM destination_settings WHERE secret = 1",
        soci::into(text);
    return text;
  }
  bool has_next_key() const {
    return std::filesystem::exists(dir_.path() + "/" + std::string(kNextKeyFile));
  }

  Id128 id_, share_, share_token_;
};

TEST_F(SealedRowsTest, SecretsOfDestinationsAreNotInTheFile) {
  {
    auto catalog = open();
    fill(*catalog);
    const auto changed = catalog->change_destination(
        id_, {.name = "other", .settings = {{"token", Setting{"another-secret-token"}}}});
    EXPECT_EQ(changed->setting("token"), "another-secret-token");
    clock_.advance(1);
    ASSERT_TRUE(
        catalog->put_configured_destinations({{.name = "mine",
                                               .settings = {{"token", {"configured-secret-token"}}},
                                               .origin = Origin::kConfig}}));
    EXPECT_EQ(catalog->destination_named("mine")->setting("token"), "configured-secret-token");
    const auto table = catalog->key_table();
    const auto other = std::ranges::find(table->destinations, id_, &Destination::id);
    ASSERT_NE(other, table->destinations.end());
    EXPECT_EQ(other->setting("token"), "another-secret-token");
  }
  const std::string bytes = all_bytes();
  for (const char* secret : {kToken, "another-secret-token", "configured-secret-token"})
    EXPECT_THAT(bytes, Not(HasSubstr(secret)));
  EXPECT_THAT(bytes, HasSubstr("database"));
}

TEST_F(SealedRowsTest, AFileOfVersion6IsSealedAndItsFreePagesAreCleared) {
  const std::string id = Id128::make().to_string();
  std::ofstream(file()).close();
  {
    auto connection = Connection::open(file());
    soci::session& sql = (*connection)->sql();
    sql << "PRAGMA journal_mode = WAL";
    sql << "PRAGMA secure_delete = OFF";
    sql << "CREATE TABLE schema_migrations (version INTEGER PRIMARY KEY, applied_at BIGINT NOT "
           "NULL)";
    const auto sealer = Sealer::from_hex(kOneKey);
    for (const Migration& migration : migrations()) {
      if (migration.version > 6) break;
      std::string_view statements = migration.statements;
      for (std::size_t end; (end = statements.find(";\n")) != std::string_view::npos;
           statements.remove_prefix(end + 2))
        sql << std::string(statements.substr(0, end));
      const bool converted =
          migration.convert == nullptr || migration.convert(sql, *sealer).has_value();
      ASSERT_TRUE(converted);
      sql << "INSERT INTO schema_migrations VALUES (:v, 0)", soci::use(migration.version);
    }
    sql << "INSERT INTO destinations VALUES (:id, 'cloud', 'duckdb', 0, 0, NULL, 1, 1, 5, 5, NULL)",
        soci::use(id);
    const std::string text = kToken;
    sql << "INSERT INTO destination_settings VALUES (:id, 'token', :text, 1)", soci::use(id),
        soci::use(text);
    sql << "INSERT INTO destination_settings VALUES (:id, 'database', 'd', 0)", soci::use(id);
    // Secrets of long ago, in pages that nobody uses any more.
    sql << "CREATE TABLE old (text TEXT)";
    for (int i = 0; i < 50; ++i) {
      const std::string old = "forgotten-secret-token" + std::string(1000, 'x');
      sql << "INSERT INTO old VALUES (:text)", soci::use(old);
    }
    sql << "DROP TABLE old";
  }
  EXPECT_THAT(all_bytes(), testing::AllOf(HasSubstr(kToken), HasSubstr("forgotten-secret-token")));
  {
    auto catalog = open();
    const auto destination = catalog->destination(*Id128::parse(id));
    ASSERT_TRUE(destination);
    EXPECT_EQ(destination->setting("token"), kToken);
    EXPECT_EQ(destination->setting("database"), "d");
    EXPECT_EQ(target_file(dir_.path(), *destination), std::nullopt);
  }
  EXPECT_THAT(all_bytes(), Not(HasSubstr(kToken)));
  EXPECT_THAT(all_bytes(), Not(HasSubstr("forgotten-secret-token")));
  EXPECT_EQ(open()->destination(*Id128::parse(id))->setting("token"), kToken);
}

TEST_F(SealedRowsTest, WithoutItsKeyASecretIsKeptAndEverythingElseWorks) {
  fill(*open_with(kOneKey));
  std::string target;
  {
    auto catalog = open_with(kOneKey);
    target = target_of(dir_.path(), *catalog->destination(id_));
  }
  const std::string sealed = sealed_text();
  {
    auto catalog = open_with(kOtherKey);
    EXPECT_EQ(readable(*catalog), "nothing");
    const auto destination = catalog->destination(id_);
    EXPECT_TRUE(destination->has("token"));
    EXPECT_EQ(target_of(dir_.path(), *destination), target) << "its rows go nowhere else";
    EXPECT_FALSE(is_in_memory(dir_.path(), *destination));
    EXPECT_THAT(unreadable_secret(*destination)->message, HasSubstr("\"token\""));
    const auto renamed = catalog->change_destination(id_, {.name = "renamed"});
    ASSERT_TRUE(renamed) << renamed.error().message;
    EXPECT_EQ(renamed->log_generation, 1);
  }
  EXPECT_EQ(sealed_text(), sealed);
  EXPECT_EQ(readable(*open_with(kOneKey)), "all") << "the key is back";
  {
    auto catalog = open_with(kOtherKey);
    ASSERT_TRUE(catalog->change_destination(id_, {.settings = {{"token", Setting{kToken}}}}));
    EXPECT_EQ(readable(*catalog), "the token") << "it was entered again";
    EXPECT_EQ(unreadable_secret(*catalog->destination(id_)), std::nullopt);
    EXPECT_EQ(catalog->destination(id_)->log_generation, 1);
  }
}

TEST_F(SealedRowsTest, TheConfigurationMendsItsOwnSecrets) {
  const std::vector<NewDestination> specs = {
      {.name = "mine", .settings = {{"token", {kToken}}}, .origin = Origin::kConfig}};
  const auto before = open_with(kOneKey)->put_configured_destinations(specs);
  auto catalog = open_with(kOtherKey);
  EXPECT_FALSE(catalog->destination_named("mine")->settings.at("token").unreadable.empty());
  const auto after = catalog->put_configured_destinations(specs);
  ASSERT_TRUE(after) << after.error().message;
  EXPECT_EQ(after->at(0).id, before->at(0).id);
  EXPECT_EQ(after->at(0).log_generation, 1);
  EXPECT_EQ(catalog->destination_named("mine")->setting("token"), kToken);
}

TEST_F(SealedRowsTest, ASealedTextOfAnotherDestinationOrSettingIsNotTaken) {
  {
    auto catalog = open();
    fill(*catalog);
    ASSERT_TRUE(catalog->create_destination(
        {.name = "mine", .settings = {{"token", {"mine"}}, {"my_secret", {"also mine"}}}}));
  }
  {
    auto connection = Connection::open(file());
    const std::string theirs = id_.to_string();
    (*connection)->sql() << "UPDATE destination_settings SET text = (SELECT text FROM "
                            "destination_settings WHERE destination_id = :id AND name = 'token') "
                            "WHERE secret = 1",
        soci::use(theirs);
  }
  auto catalog = open();
  EXPECT_EQ(readable(*catalog), "all");
  const auto mine = catalog->destination_named("mine");
  for (const char* name : {"token", "my_secret"}) {
    EXPECT_EQ(mine->setting(name), "");
    EXPECT_FALSE(mine->settings.at(name).unreadable.empty());
  }
}

TEST_F(SealedRowsTest, ANewKeyOpensEverythingAndTheOldOneNothing) {
  fill(*open());
  const std::string old_key = *read_file(posix_file_system(), dir_.path() + "/secret.key");
  const std::string old_text = sealed_text();
  const auto rotated = Catalog::rotate_secret_key(options());
  ASSERT_TRUE(rotated) << rotated.error().message;
  EXPECT_EQ(rotated->sealed, 2U);
  EXPECT_EQ(rotated->unreadable, 0U);
  EXPECT_FALSE(has_next_key());
  EXPECT_EQ(readable(*open()), "all");
  EXPECT_NE(*read_file(posix_file_system(), dir_.path() + "/secret.key"), old_key);
  EXPECT_THAT(all_bytes(), Not(HasSubstr(old_text))) << "nor in free pages or the log";
  EXPECT_EQ(readable(*open_with(old_key.substr(0, 64))), "nothing");
  struct stat status {};
  ASSERT_EQ(::stat((dir_.path() + "/secret.key").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
}

TEST_F(SealedRowsTest, AKeyOfTheConfigurationIsRotatedToTheOneThatIsGiven) {
  fill(*open_with(kOneKey));
  for (int again = 0; again < 2; ++again) {
    // Also where the first one was killed after its commit, and the configuration names the old key yet.
    const auto rotated = Catalog::rotate_secret_key(options(kOneKey), kOtherKey);
    ASSERT_TRUE(rotated) << rotated.error().message;
    EXPECT_EQ(rotated->sealed, 2U);
  }
  EXPECT_FALSE(std::filesystem::exists(dir_.path() + "/secret.key"));
  EXPECT_EQ(readable(*open_with(kOtherKey)), "all");
  EXPECT_EQ(readable(*open_with(kOneKey)), "nothing");
  EXPECT_EQ(code(Catalog::rotate_secret_key(options(kOtherKey), kOtherKey)),
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(code(Catalog::rotate_secret_key(options(kOtherKey), "abc")),
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(readable(*open_with(kOtherKey)), "all");
}

TEST_F(SealedRowsTest, WhatCannotBeReadStaysAsItIsThroughARotation) {
  fill(*open_with(kOneKey));
  const auto rotated = Catalog::rotate_secret_key(options(kOtherKey), std::string(64, 'c'));
  ASSERT_TRUE(rotated);
  EXPECT_EQ(rotated->unreadable, 2U);
  EXPECT_EQ(readable(*open_with(kOneKey)), "all");
}

TEST_F(SealedRowsTest, ARotationThatIsKilledAtAnyStepLosesNothing) {
  fill(*open());
  int killed = 0;
  for (const std::string step :
       {"begun", "key written", "sealed", "committed", "renamed", "rewritten"}) {
    const pid_t pid = ::fork();
    ASSERT_GE(pid, 0);
    if (pid == 0) {
      (void)Catalog::rotate_secret_key(options(), {}, [&](const char* at) {
        if (step == at) ::raise(SIGKILL);
      });
      ::_exit(0);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(pid, &status, 0), pid);
    killed += WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL ? 1 : 0;
    EXPECT_EQ(readable(*open()), "all") << "killed at: " << step;
    EXPECT_FALSE(has_next_key()) << "killed at: " << step;
    const std::string sealed = sealed_text();
    ASSERT_TRUE(Catalog::rotate_secret_key(options())) << "killed at: " << step;
    EXPECT_EQ(readable(*open()), "all");
    EXPECT_THAT(all_bytes(), Not(HasSubstr(sealed)));
  }
  EXPECT_EQ(killed, 6);
}

TEST_F(SealedRowsTest, ANextKeyThatWasWrittenInPartIsForgotten) {
  fill(*open());
  std::ofstream(dir_.path() + "/" + std::string(kNextKeyFile)) << "0123";
  EXPECT_EQ(readable(*open()), "all");
  EXPECT_FALSE(has_next_key());
}

}  // namespace
}  // namespace sd::catalog
