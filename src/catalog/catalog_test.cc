#include "catalog/catalog.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <soci/soci.h>
#include <sys/stat.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "catalog/migrations.h"
#include "catalog/testing.h"

namespace sd::catalog {
namespace {

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

// ---- the file

TEST_F(CatalogTest, MakesAFileThatOnlyItsOwnerMayRead) {
  open();
  struct stat status {};
  ASSERT_EQ(::stat(file().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
}

TEST_F(CatalogTest, KeepsEverythingWhenReopened) {
  Id128 id;
  Id128 share;
  {
    auto catalog = open();
    id = catalog
             ->create_destination(
                 {.name = "events",
                  .settings = {{"file", {.value = "x.duckdb"}}, {"password", {.value = "t0p"}}}})
             ->id;
    ASSERT_TRUE(catalog->create_key({.destination_id = id, .tables = {{"a", "b"}}}));
    share = catalog
                ->create_share({.destination_id = id,
                                .name = "n",
                                .query = "select 1",
                                .formats = {"csv", "json"},
                                .expires_at = clock_.wall_us() + 5,
                                .max_downloads = 3})
                ->id;
    ASSERT_TRUE(catalog->set_meta("node", "7"));
  }
  auto catalog = open();
  const auto destination = catalog->destination(id);
  ASSERT_TRUE(destination);
  EXPECT_EQ(destination->name, "events");
  EXPECT_EQ(destination->setting("file"), "x.duckdb");
  EXPECT_FALSE(destination->settings.at("file").secret);
  EXPECT_TRUE(destination->settings.at("password").secret);
  EXPECT_EQ(destination->created_at, clock_.wall_us());
  const auto keys = catalog->list_keys(id);
  ASSERT_EQ(keys->items.size(), 1U);
  EXPECT_THAT(*keys->items[0].tables, ElementsAre("a", "b"));
  EXPECT_EQ(keys->items[0].endpoints, std::nullopt);
  const auto kept = catalog->share(share);
  EXPECT_THAT(kept->formats, ElementsAre("csv", "json"));
  EXPECT_EQ(kept->max_downloads, 3);
  EXPECT_EQ(*catalog->meta("node"), "7");
  EXPECT_EQ(*catalog->meta("other"), std::nullopt);
}

TEST_F(CatalogTest, TakesAnEmptyFileForANewOne) {
  std::ofstream(file()).close();
  ASSERT_NE(open(), nullptr);
}

TEST_F(CatalogTest, RefusesAFileOfANewerProgram) {
  open();
  {
    auto connection = Connection::open(file());
    ASSERT_TRUE(connection);
    const int next = newest_schema_version() + 1;
    (*connection)->sql() << "INSERT INTO schema_migrations (version, applied_at) VALUES (:v, 0)",
        soci::use(next);
  }
  const auto opened = Catalog::open({.data_dir = dir_.path()});
  ASSERT_EQ(code(opened), ErrorCode::kInvalidArgument);
  EXPECT_THAT(opened.error().message, HasSubstr("written by a newer version"));
}

TEST_F(CatalogTest, RecordsEveryMigrationOnce) {
  open();
  open();
  auto connection = Connection::open(file());
  int rows = 0;
  (*connection)->sql() << "SELECT count(*) FROM schema_migrations", soci::into(rows);
  EXPECT_EQ(rows, static_cast<int>(migrations().size()));
}

TEST_F(CatalogTest, RefusesTheDatabaseOfAnotherProgram) {
  std::ofstream(file()).close();
  {
    auto connection = Connection::open(file());
    (*connection)->sql() << "CREATE TABLE theirs (x INTEGER)";
  }
  const auto opened = Catalog::open({.data_dir = dir_.path()});
  ASSERT_EQ(code(opened), ErrorCode::kInvalidArgument);
  EXPECT_THAT(opened.error().message, HasSubstr("belongs to another program"));
}

TEST_F(CatalogTest, SaysThatADamagedFileIsDamaged) {
  std::ofstream(file()) << std::string(8192, 'x');
  EXPECT_EQ(code(Catalog::open({.data_dir = dir_.path()})), ErrorCode::kCorruption);
}

TEST_F(CatalogTest, FindsDamageInsideOfAFile) {
  {
    auto catalog = open();
    for (int i = 0; i < 50; ++i) ASSERT_TRUE(catalog->create_key({.name = std::string(200, 'n')}));
  }
  const auto size = std::filesystem::file_size(file());
  std::fstream out(file(), std::ios::in | std::ios::out | std::ios::binary);
  for (std::uintmax_t page = 1; page < size / 4096; ++page) {
    out.seekp(static_cast<std::streamoff>(page * 4096));
    out << std::string(100, '\xAA');
  }
  out.close();
  EXPECT_EQ(code(Catalog::open({.data_dir = dir_.path()})), ErrorCode::kCorruption);
}

TEST_F(CatalogTest, SaysThatAnUnreadableFileIsNoFile) {
  std::filesystem::create_directory(file());
  const auto opened = Catalog::open({.data_dir = dir_.path()});
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().message, HasSubstr("is not a file"));
}

TEST_F(CatalogTest, NeedsItsDataDirectory) {
  EXPECT_EQ(code(Catalog::open({.data_dir = dir_.path() + "/no"})), ErrorCode::kNotFound);
  EXPECT_EQ(code(Catalog::open({.data_dir = dir_.path(), .must_exist = true})),
            ErrorCode::kNotFound);
  EXPECT_FALSE(std::filesystem::exists(file()));
}

TEST_F(CatalogTest, TakesADirectoryWithStrangeLetters) {
  const std::string strange = dir_.path() + "/a b='c';db=x ä";
  std::filesystem::create_directory(strange);
  ASSERT_TRUE(Catalog::open({.data_dir = strange}));
  EXPECT_TRUE(std::filesystem::exists(strange + "/" + std::string(kCatalogFileName)));
  const std::string quoted = dir_.path() + "/a\"b";
  std::filesystem::create_directory(quoted);
  EXPECT_EQ(code(Catalog::open({.data_dir = quoted})), ErrorCode::kInvalidArgument);
}

// ---- destinations

TEST_F(CatalogTest, NamesOfDestinationsAreUniqueUntilDeleted) {
  auto catalog = open();
  const auto first = catalog->create_destination({.name = "a"});
  EXPECT_EQ(code(catalog->create_destination({.name = "a"})), ErrorCode::kAlreadyExists);
  const auto other = catalog->create_destination({.name = "b"});
  EXPECT_EQ(code(catalog->change_destination(other->id, {.name = "a"})), ErrorCode::kAlreadyExists);
  ASSERT_TRUE(catalog->delete_destination(first->id));
  EXPECT_EQ(code(catalog->destination(first->id)), ErrorCode::kNotFound);
  EXPECT_EQ(code(catalog->delete_destination(first->id)), ErrorCode::kNotFound);
  const auto again = catalog->create_destination({.name = "a"});
  ASSERT_TRUE(again);
  EXPECT_NE(again->id, first->id);
  EXPECT_EQ(catalog->destination_named("a")->id, again->id);
}

TEST_F(CatalogTest, HostileNamesAreOnlyNames) {
  auto catalog = open();
  for (const std::string& name :
       {std::string("'; DROP TABLE destinations; --"), std::string("\"x\""),
        std::string("größe 🦆"), std::string("a\nb"), std::string(":name"),
        std::string(255, 'x')}) {
    const auto made = catalog->create_destination({.name = name});
    ASSERT_TRUE(made) << name << ": " << made.error().message;
    EXPECT_EQ(catalog->destination_named(name)->id, made->id);
  }
  for (const std::string& name : {std::string(), std::string(256, 'x'), std::string("a\0b", 3),
                                  std::string("\xff"), Id128::make().to_string()}) {
    EXPECT_EQ(code(catalog->create_destination({.name = name})), ErrorCode::kInvalidArgument);
  }
  EXPECT_EQ(catalog->list_destinations()->items.size(), 6U);
}

TEST_F(CatalogTest, TwoDestinationsCannotNameTheSameFile) {
  auto catalog = open();
  const auto put = catalog->put_configured_destinations(
      {{.name = "a",
        .settings = {{"file", {.value = "./x/../y.duckdb"}}},
        .origin = Origin::kConfig},
       {.name = "b", .settings = {{"file", {.value = "y.duckdb"}}}, .origin = Origin::kConfig}});
  ASSERT_EQ(code(put), ErrorCode::kAlreadyExists);
  EXPECT_THAT(put.error().message, HasSubstr("same file"));
  EXPECT_TRUE(catalog->list_destinations()->items.empty()) << "nothing of a refused list stays";
}

TEST_F(CatalogTest, DestinationsOfTheApiStayInTheirFolders) {
  auto catalog = open();
  for (const char* file : {"/etc/passwd", "../x", "a/b", ".hidden", "..", ""}) {
    EXPECT_EQ(code(catalog->create_destination({.name = "n", .settings = {{"file", {file}}}})),
              ErrorCode::kInvalidArgument)
        << file;
  }
  const auto made = catalog->create_destination({.name = "n", .settings = {{"file", {"my.db"}}}});
  EXPECT_EQ(target_file(dir_.path(), *made), destination_folder(dir_.path(), made->id) + "/my.db");
  EXPECT_EQ(code(catalog->change_destination(made->id, {.settings = {{"file", Setting{"../x"}}}})),
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(catalog->destination(made->id)->setting("file"), "my.db");
}

TEST_F(CatalogTest, ADuckdbDestinationOfTheApiIsInOnePlace) {
  auto catalog = open();
  const std::vector<Settings> bad = {{{"in_memory", {"maybe"}}},
                                     {{"in_memory", {"true"}}, {"file", {"a"}}},
                                     {{"token", {"t"}}, {"file", {"a"}}},
                                     {{"extension_repository", {"http://x"}}}};
  for (const Settings& settings : bad) {
    EXPECT_EQ(code(catalog->create_destination({.name = "n", .settings = settings})),
              ErrorCode::kInvalidArgument);
  }
  const auto memory =
      catalog->create_destination({.name = "m", .settings = {{"in_memory", {"true"}}}});
  EXPECT_EQ(target_file(dir_.path(), *memory), std::nullopt);
}

TEST_F(CatalogTest, AChangeKeepsTheSettingsThatItDoesNotName) {
  auto catalog = open();
  const auto made = catalog->create_destination(
      {.name = "md", .settings = {{"token", {"geheim"}}, {"database", {"one"}}}});
  clock_.advance(10);
  auto changed = catalog->change_destination(made->id, {.settings = {{"extra", Setting{"1"}}}});
  EXPECT_EQ(changed->setting("token"), "geheim");
  EXPECT_EQ(changed->generation, made->generation + 1);
  EXPECT_EQ(changed->updated_at, made->updated_at + 10);
  changed = catalog->change_destination(made->id, {.settings = {{"extra", std::nullopt}}});
  EXPECT_FALSE(changed->settings.contains("extra"));
  EXPECT_EQ(catalog->destination(made->id)->settings, made->settings);
}

TEST_F(CatalogTest, AnotherTargetStartsAnotherLog) {
  auto catalog = open();
  const auto made = catalog->create_destination(
      {.name = "md", .settings = {{"token", {"geheim"}}, {"database", {"one"}}}});
  EXPECT_EQ(made->log_name(), made->id.to_string() + ".1");
  const auto renamed = catalog->change_destination(
      made->id, {.name = "other", .settings = {{"token", Setting{"new"}}}});
  EXPECT_EQ(renamed->log_generation, 1) << "a new password opens the same place";
  const auto moved =
      catalog->change_destination(made->id, {.settings = {{"database", Setting{"two"}}}});
  EXPECT_EQ(moved->log_name(), made->id.to_string() + ".2");
}

TEST_F(CatalogTest, ConfiguredDestinationsAreReadOnlyForTheApi) {
  auto catalog = open();
  const auto put =
      catalog->put_configured_destinations({{.name = "local", .origin = Origin::kBuiltin}});
  ASSERT_TRUE(put);
  EXPECT_TRUE(put->front().read_only());
  EXPECT_EQ(code(catalog->change_destination(put->front().id, {.name = "x"})),
            ErrorCode::kPermissionDenied);
}

TEST_F(CatalogTest, PuttingTheSameConfigurationChangesNothing) {
  auto catalog = open();
  const std::vector<NewDestination> specs = {
      {.name = "a", .settings = {{"file", {"/tmp/a.duckdb"}}}, .origin = Origin::kConfig},
      {.name = "b", .settings = {{"token", {"t"}}}, .origin = Origin::kEnvironment}};
  const auto first = catalog->put_configured_destinations(specs);
  clock_.advance(1000);
  const auto second = catalog->put_configured_destinations(specs);
  ASSERT_TRUE(second);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ((*second)[i].id, (*first)[i].id);
    EXPECT_EQ((*second)[i].generation, 1);
    EXPECT_EQ((*second)[i].updated_at, (*first)[i].updated_at);
  }
  EXPECT_EQ(
      code(catalog->put_configured_destinations(
          {specs[0], {.name = "c", .settings = specs[0].settings, .origin = Origin::kConfig}})),
      ErrorCode::kAlreadyExists)
      << "the file still belongs to the one that did not change";
}

TEST_F(CatalogTest, ADestinationThatLeavesTheConfigurationIsDetachedAndComesBack) {
  auto catalog = open();
  const NewDestination spec{
      .name = "a", .settings = {{"file", {"/tmp/a"}}}, .origin = Origin::kConfig};
  const Id128 id = catalog->put_configured_destinations({spec})->front().id;
  ASSERT_TRUE(catalog->put_configured_destinations({}));
  EXPECT_EQ(catalog->destination(id)->state, DestinationState::kDetached);
  const auto back = catalog->put_configured_destinations({spec});
  EXPECT_EQ(back->front().id, id);
  EXPECT_EQ(catalog->destination(id)->state, DestinationState::kActive);
}

TEST_F(CatalogTest, AFileKeepsItsDestinationWhenTheConfigurationRenamesIt) {
  auto catalog = open();
  const Settings file = {{"file", {"/tmp/a"}}};
  const auto before = catalog->put_configured_destinations(
      {{.name = "old", .settings = file, .origin = Origin::kConfig}});
  const auto after = catalog->put_configured_destinations(
      {{.name = "new", .settings = file, .origin = Origin::kConfig}});
  ASSERT_TRUE(after) << after.error().message;
  EXPECT_EQ(after->front().id, before->front().id);
  EXPECT_EQ(after->front().log_generation, 1);
  EXPECT_EQ(catalog->list_destinations()->items.size(), 1U);
}

TEST_F(CatalogTest, ADetachedDestinationLetsGoOfItsFile) {
  auto catalog = open();
  const auto spec = [](const char* name, const char* file) {
    return NewDestination{.name = name, .settings = {{"file", {file}}}, .origin = Origin::kConfig};
  };
  ASSERT_TRUE(catalog->put_configured_destinations({spec("a", "/tmp/1"), spec("b", "/tmp/2")}));
  const auto moved = catalog->put_configured_destinations({spec("b", "/tmp/1")});
  ASSERT_TRUE(moved) << moved.error().message;
  EXPECT_EQ(catalog->destination_named("a")->state, DestinationState::kDetached);
  EXPECT_EQ(code(catalog->put_configured_destinations({spec("a", "/tmp/1"), spec("b", "/tmp/1")})),
            ErrorCode::kAlreadyExists);
}

TEST_F(CatalogTest, TwoConfiguredDestinationsMaySwapTheirFiles) {
  auto catalog = open();
  const auto specs = [](const char* a, const char* b) {
    return std::vector<NewDestination>{
        {.name = "a", .settings = {{"file", {a}}}, .origin = Origin::kConfig},
        {.name = "b", .settings = {{"file", {b}}}, .origin = Origin::kConfig}};
  };
  ASSERT_TRUE(catalog->put_configured_destinations(specs("/tmp/1", "/tmp/2")));
  const auto swapped = catalog->put_configured_destinations(specs("/tmp/2", "/tmp/1"));
  ASSERT_TRUE(swapped) << swapped.error().message;
  EXPECT_EQ((*swapped)[0].log_generation, 2);
  EXPECT_EQ(catalog->destination_named("a")->setting("file"), "/tmp/2");
}

TEST_F(CatalogTest, TheConfigurationCannotTakeWhatTheApiMade) {
  auto catalog = open();
  const auto made = catalog->create_destination({.name = "a"});
  EXPECT_EQ(code(catalog->put_configured_destinations({{.name = "a", .origin = Origin::kConfig}})),
            ErrorCode::kAlreadyExists);
  EXPECT_EQ(code(catalog->put_configured_destinations(
                {{.name = "b",
                  .settings = {{"file", {*target_file(dir_.path(), *made)}}},
                  .origin = Origin::kConfig}})),
            ErrorCode::kAlreadyExists);
}

TEST_F(CatalogTest, ListsComeInPagesAndOrder) {
  auto catalog = open();
  std::vector<std::string> made;
  for (int i = 0; i < 7; ++i) {
    clock_.advance(i % 2);  // some at the same microsecond
    made.push_back(catalog->create_destination({.name = "d" + std::to_string(i)})->id.to_string());
  }
  std::vector<std::string> seen;
  std::vector<Micros> times;
  PageRequest page{.limit = 3};
  do {
    const auto part = catalog->list_destinations(page);
    ASSERT_TRUE(part);
    for (const auto& item : part->items) {
      seen.push_back(item.id.to_string());
      times.push_back(item.created_at);
    }
    page.after = part->next;
  } while (page.after);
  EXPECT_THAT(seen, testing::UnorderedElementsAreArray(made));
  EXPECT_TRUE(std::ranges::is_sorted(times));
  for (const int limit : {0, -1, 1001}) {
    EXPECT_EQ(code(catalog->list_destinations({.limit = limit})), ErrorCode::kInvalidArgument);
  }
  EXPECT_EQ(code(catalog->list_destinations({.after = Id128::make()})),
            ErrorCode::kInvalidArgument);
}

TEST_F(CatalogTest, DeletingADestinationEndsItsKeysAndSharesAndForgetsItsSecrets) {
  Id128 id;
  {
    auto catalog = open();
    id = catalog->create_destination({.name = "a", .settings = {{"token", {"wxyz-very-secret"}}}})
             ->id;
    const auto key = catalog->create_key({.destination_id = id});
    const auto share = catalog->create_share(
        {.destination_id = id, .query = "q", .expires_at = clock_.wall_us() + 100});
    ASSERT_TRUE(catalog->delete_destination(id));
    EXPECT_EQ(code(catalog->key_by_secret(key->secret)), ErrorCode::kNotFound);
    EXPECT_TRUE(catalog->key(key->key.id)->revoked_at.has_value());
    EXPECT_FALSE(catalog->share(share->id)->is_live(clock_.wall_us()));
    EXPECT_EQ(code(catalog->create_key({.destination_id = id})), ErrorCode::kNotFound);
    EXPECT_EQ(code(catalog->create_share(
                  {.destination_id = id, .query = "q", .expires_at = clock_.wall_us() + 100})),
              ErrorCode::kNotFound);
  }
}

// ---- keys

TEST_F(CatalogTest, AKeysSecretIsNeverInTheFile) {
  std::string secret;
  {
    auto catalog = open();
    const auto made = catalog->create_key({.name = "find me in the file"});
    secret = made->secret;
    ASSERT_EQ(secret.size(), 46U);
    EXPECT_EQ(made->key.prefix, secret.substr(0, 7));
    EXPECT_EQ(catalog->key_by_secret(secret)->id, made->key.id);
    ASSERT_TRUE(catalog->put_configured_keys({{.secret = "chosen-by-a-person-1234"}}));
    EXPECT_EQ(catalog->key_by_secret("chosen-by-a-person-1234")->origin, Origin::kConfig);
  }
  const std::string bytes = all_bytes();
  EXPECT_THAT(bytes, HasSubstr("find me in the file"));
  EXPECT_THAT(bytes, testing::Not(HasSubstr(secret)));
  EXPECT_THAT(bytes, testing::Not(HasSubstr(secret.substr(7))));
  EXPECT_THAT(bytes, testing::Not(HasSubstr("chosen-by-a-person")));
}

TEST_F(CatalogTest, ARevokedKeyIsUnknown) {
  auto catalog = open();
  const auto made = catalog->create_key({});
  const auto revoked = catalog->revoke_key(made->key.id);
  EXPECT_EQ(revoked->revoked_at, clock_.wall_us());
  EXPECT_EQ(code(catalog->key_by_secret(made->secret)), ErrorCode::kNotFound);
  clock_.advance(5);
  EXPECT_EQ(catalog->revoke_key(made->key.id)->revoked_at, revoked->revoked_at);
  EXPECT_EQ(code(catalog->revoke_key(Id128::make())), ErrorCode::kNotFound);
}

TEST_F(CatalogTest, KeysKeepTheirScopesAndLimits) {
  auto catalog = open();
  const auto home = catalog->create_destination({.name = "a"});
  const auto made = catalog->create_key({.destination_id = home->id,
                                         .name = "n",
                                         .scopes = *parse_scopes("insert, tail"),
                                         .tables = std::vector<std::string>{},
                                         .endpoints = {{"e,1", "e\n2"}}});
  const auto key = catalog->key(made->key.id);
  EXPECT_EQ(to_string(key->scopes), "insert,tail");
  EXPECT_TRUE(key->tables->empty());
  EXPECT_THAT(*key->endpoints, ElementsAre("e,1", "e\n2"));
  EXPECT_FALSE(key->is_admin());
  EXPECT_EQ(code(catalog->create_key({.destination_id = Id128::make()})), ErrorCode::kNotFound);
  EXPECT_EQ(code(catalog->create_key({.name = std::string(256, 'x')})),
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(code(catalog->create_key({.scopes = {}})), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code(catalog->create_key({.tables = {{""}}})), ErrorCode::kInvalidArgument);
}

TEST_F(CatalogTest, ConfiguredKeysAreThoseOfTheListAndNoOthers) {
  auto catalog = open();
  const auto homes = catalog->put_configured_destinations(
      {{.name = "a", .origin = Origin::kConfig}, {.name = "b", .origin = Origin::kConfig}});
  const Id128 a = (*homes)[0].id;
  const Id128 b = (*homes)[1].id;
  ASSERT_TRUE(catalog->put_configured_keys(
      {{.secret = "one", .destination_id = a}, {.secret = "two", .destination_id = a}}));
  const Id128 one = catalog->key_by_secret("one")->id;
  ASSERT_TRUE(catalog->put_configured_keys({{.secret = "one", .destination_id = b}}));
  EXPECT_EQ(catalog->key_by_secret("one")->destination_id, b);
  EXPECT_EQ(code(catalog->key_by_secret("two")), ErrorCode::kNotFound);
  ASSERT_TRUE(catalog->put_configured_keys({}));
  EXPECT_EQ(code(catalog->key_by_secret("one")), ErrorCode::kNotFound);
  ASSERT_TRUE(catalog->put_configured_keys({{.secret = "one", .destination_id = a}}));
  EXPECT_EQ(catalog->key_by_secret("one")->id, one) << "an old key comes back as itself";
  EXPECT_EQ(code(catalog->revoke_key(one)), ErrorCode::kPermissionDenied);
}

TEST_F(CatalogTest, ConfiguredKeysMustBeDifferent) {
  auto catalog = open();
  EXPECT_EQ(code(catalog->put_configured_keys({{.secret = "x"}, {.secret = "x"}})),
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(code(catalog->put_configured_keys({{.secret = std::string("a\0b", 3)}})),
            ErrorCode::kInvalidArgument);
  const auto made = catalog->create_key({});
  EXPECT_EQ(code(catalog->put_configured_keys({{.secret = "y"}, {.secret = made->secret}})),
            ErrorCode::kAlreadyExists);
  EXPECT_EQ(code(catalog->key_by_secret("y")), ErrorCode::kNotFound) << "all or nothing";
}

TEST_F(CatalogTest, KeysAreFoundByTheBeginningOfIdOrPrefix) {
  auto catalog = open();
  const auto made = catalog->create_key({});
  ASSERT_TRUE(catalog->create_key({}));
  const auto by_id = catalog->keys_beginning(made->key.id.to_string().substr(0, 13));
  ASSERT_EQ(by_id->size(), 1U);
  EXPECT_EQ(by_id->front().id, made->key.id);
  EXPECT_FALSE(catalog->keys_beginning(made->key.prefix)->empty());
  EXPECT_TRUE(catalog->keys_beginning("%")->empty());
  EXPECT_EQ(catalog->keys_beginning("sd_")->size(), 2U);
}

TEST_F(CatalogTest, LastUseOnlyMovesForward) {
  auto catalog = open();
  const Id128 id = catalog->create_key({})->key.id;
  EXPECT_EQ(catalog->key(id)->last_used_at, std::nullopt);
  ASSERT_TRUE(catalog->touch_keys({{id, 500}, {Id128::make(), 900}}));
  ASSERT_TRUE(catalog->touch_keys({{id, 400}}));
  EXPECT_EQ(catalog->key(id)->last_used_at, 500);
}

TEST(Secrets, PrefixesTellLittle) {
  const std::string made = make_secret();
  EXPECT_EQ(display_prefix(made), made.substr(0, 7));
  EXPECT_EQ(display_prefix("local"), "l");
  EXPECT_EQ(display_prefix("abc"), "");
  EXPECT_EQ(display_prefix(std::string(100, 'x')), "xxxxxxx");
  EXPECT_EQ(display_prefix("ääääää"), "ä");
  EXPECT_NE(make_secret(), made);
}

TEST(Secrets, WellKnownOnesAreKnownInAnyCase) {
  EXPECT_TRUE(is_well_known_secret("local"));
  EXPECT_TRUE(is_well_known_secret("Admin"));
  EXPECT_FALSE(is_well_known_secret("local2"));
  EXPECT_FALSE(is_well_known_secret(make_secret()));
}

TEST(Scopes, AreReadAndWrittenByName) {
  EXPECT_EQ(to_string(*parse_scopes("share,insert")), "insert,share");
  EXPECT_EQ(*parse_scopes("all"), Scopes::all());
  for (const char* bad : {"", "insert,", "inserts", "insert;query"}) {
    EXPECT_FALSE(parse_scopes(bad)) << bad;
  }
}

TEST(Settings, SecretOnesAreKnownByTheirNames) {
  for (const char* name : {"token", "password", "redshift_password", "s3_secret_access_key",
                           "credentials_json", "Motherduck_Token", "dsn"}) {
    EXPECT_TRUE(is_secret_setting(name)) << name;
  }
  for (const char* name : {"file", "database", "host", "s3_access_key_id", "port"}) {
    EXPECT_FALSE(is_secret_setting(name)) << name;
  }
}

// ---- shares

TEST_F(CatalogTest, SharesBelongToTheirDestination) {
  auto catalog = open();
  const Id128 mine = catalog->create_destination({.name = "a"})->id;
  const Id128 other = catalog->create_destination({.name = "b"})->id;
  const auto made = catalog->create_share(
      {.destination_id = mine, .query = "select 'x; --'", .expires_at = clock_.wall_us() + 100});
  EXPECT_EQ(code(catalog->revoke_share(other, made->id)), ErrorCode::kNotFound);
  EXPECT_TRUE(catalog->list_shares(other)->items.empty());
  EXPECT_EQ(code(catalog->list_shares(other, {.after = made->id})), ErrorCode::kNotFound);
  EXPECT_EQ(catalog->list_shares(mine)->items.front().query, "select 'x; --'");
  EXPECT_TRUE(catalog->share(made->id)->is_live(clock_.wall_us()));
  ASSERT_TRUE(catalog->revoke_share(mine, made->id));
  EXPECT_FALSE(catalog->share(made->id)->is_live(clock_.wall_us()));
  EXPECT_EQ(code(catalog->share(Id128::make())), ErrorCode::kNotFound);
}

TEST_F(CatalogTest, SharesExpireAndCountTheirDownloads) {
  auto catalog = open();
  const Id128 home = catalog->create_destination({.name = "a"})->id;
  const auto made = catalog->create_share({.destination_id = home,
                                           .query = "q",
                                           .expires_at = clock_.wall_us() + 100,
                                           .max_downloads = 2});
  EXPECT_TRUE(catalog->count_download(made->id));
  EXPECT_TRUE(catalog->count_download(made->id));
  EXPECT_EQ(code(catalog->count_download(made->id)), ErrorCode::kNotFound);
  EXPECT_EQ(catalog->share(made->id)->downloads, 2);
  const auto brief = catalog->create_share(
      {.destination_id = home, .query = "q", .expires_at = clock_.wall_us() + 100});
  clock_.advance(100);
  EXPECT_FALSE(catalog->share(brief->id)->is_live(clock_.wall_us()));
  EXPECT_EQ(code(catalog->count_download(brief->id)), ErrorCode::kNotFound);
}

TEST_F(CatalogTest, SharesAreCheckedWhenTheyAreMade) {
  auto catalog = open();
  const Id128 home = catalog->create_destination({.name = "a"})->id;
  const Micros later = clock_.wall_us() + 100;
  const std::vector<NewShare> bad = {
      {.destination_id = home, .query = "", .expires_at = later},
      {.destination_id = home, .query = std::string("a\0b", 3), .expires_at = later},
      {.destination_id = home, .query = "q", .expires_at = clock_.wall_us()},
      {.destination_id = home, .query = "q", .formats = {"c,sv"}, .expires_at = later},
      {.destination_id = home, .query = "q", .expires_at = later, .max_downloads = 0}};
  for (const NewShare& spec : bad) {
    EXPECT_EQ(code(catalog->create_share(spec)), ErrorCode::kInvalidArgument);
  }
}

// ---- many at once

TEST_F(CatalogTest, EightThreadsAndTwoProcessesWorthOfCatalogsAgree) {
  auto one = open();
  auto two = open();
  std::atomic<int> failures{0};
  std::atomic<int> made{0};
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 8; ++t) {
      threads.emplace_back([&, t] {
        Catalog& catalog = t % 2 == 0 ? *one : *two;
        for (int i = 0; i < 10; ++i) {
          const std::string name = "d" + std::to_string(i);  // everybody wants the same ten
          const auto created = catalog.create_destination({.name = name});
          if (created) ++made;
          if (!created && created.error().code != ErrorCode::kAlreadyExists) ++failures;
          const auto key = catalog.create_key({.name = name});
          if (!key || !catalog.key_by_secret(key->secret)) ++failures;
          if (!catalog.list_keys(std::nullopt, {.limit = 5})) ++failures;
        }
      });
    }
  }
  EXPECT_EQ(failures, 0);
  EXPECT_EQ(made, 10);
  EXPECT_EQ(one->key_table()->keys.size(), 80U);
  EXPECT_EQ(*one->epoch(), *two->epoch());
}

}  // namespace
}  // namespace sd::catalog
