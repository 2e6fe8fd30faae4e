#include "catalog/catalog.h"

#include "catalog/testing/catalog_fixture.h"

namespace sd::catalog {
namespace {

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
                ->token.value();
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
    EXPECT_FALSE(catalog->share(*share->token)->is_live(clock_.wall_us()));
    EXPECT_EQ(code(catalog->create_key({.destination_id = id})), ErrorCode::kNotFound);
    EXPECT_EQ(code(catalog->create_share(
                  {.destination_id = id, .query = "q", .expires_at = clock_.wall_us() + 100})),
              ErrorCode::kNotFound);
  }
}

}  // namespace
}  // namespace sd::catalog
