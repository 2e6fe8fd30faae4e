#include "catalog/catalog.h"
#include "catalog/testing/catalog_fixture.h"

namespace sd::catalog {
namespace {

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
  EXPECT_TRUE(catalog->share(*made->token)->is_live(clock_.wall_us()));
  ASSERT_TRUE(catalog->revoke_share(mine, made->id));
  EXPECT_FALSE(catalog->share(*made->token)->is_live(clock_.wall_us()));
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
  EXPECT_EQ(catalog->share(*made->token)->downloads, 2);
  const auto brief = catalog->create_share(
      {.destination_id = home, .query = "q", .expires_at = clock_.wall_us() + 100});
  clock_.advance(100);
  EXPECT_FALSE(catalog->share(*brief->token)->is_live(clock_.wall_us()));
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

// ---- tokens

TEST_F(CatalogTest, ATokenOfAShareIsNowhereInTheFiles) {
  Id128 home;
  Id128 token;
  {
    auto catalog = open();
    home = catalog->create_destination({.name = "a"})->id;
    const auto made = catalog->create_share({.destination_id = home,
                                             .name = "find me in the file",
                                             .query = "q",
                                             .expires_at = clock_.wall_us() + 100});
    token = made->token.value();
    EXPECT_NE(token, made->id);
    EXPECT_EQ(code(catalog->share(made->id)), ErrorCode::kNotFound) << "the id is no capability";
    EXPECT_EQ(catalog->share(token)->token, token);
    EXPECT_EQ(catalog->list_shares(home)->items.front().token, token);
  }
  const std::string bytes = all_bytes();
  EXPECT_THAT(bytes, HasSubstr("find me in the file"));
  EXPECT_THAT(bytes, testing::Not(HasSubstr(token.to_string())));
  const std::string raw(reinterpret_cast<const char*>(token.bytes.data()), token.bytes.size());
  EXPECT_THAT(bytes, testing::Not(HasSubstr(raw)));
}

TEST_F(CatalogTest, WithAnotherSecretKeyLinksServeAndCannotBeShownAgain) {
  Id128 home;
  Share made;
  {
    auto catalog = open();
    home = catalog->create_destination({.name = "a"})->id;
    made = *catalog->create_share(
        {.destination_id = home, .query = "q", .expires_at = clock_.wall_us() + 100});
  }
  auto opened = Catalog::open(
      {.data_dir = dir_.path(), .secret_key = std::string(64, '7'), .clock = &clock_});
  ASSERT_TRUE(opened);
  Catalog& catalog = **opened;
  EXPECT_EQ(catalog.share(*made.token)->id, made.id);
  const Share listed = catalog.list_shares(home)->items.front();
  EXPECT_EQ(listed.token, std::nullopt);
  ASSERT_TRUE(catalog.revoke_share(home, listed.id)) << "its owner revokes it by its own id";
  EXPECT_FALSE(catalog.share(*made.token)->is_live(clock_.wall_us()));
  EXPECT_EQ(code(Catalog::open({.data_dir = dir_.path(), .secret_key = "short"})),
            ErrorCode::kInvalidArgument);
}

TEST_F(CatalogTest, SharesOfAnOlderCatalogKeepTheirLinks) {
  const Id128 home = Id128::make();
  const Id128 token = Id128::make();
  std::ofstream(file()).close();
  {
    auto connection = Connection::open(file());
    ASSERT_TRUE(connection);
    soci::session& sql = (*connection)->sql();
    sql << "CREATE TABLE schema_migrations (version INTEGER PRIMARY KEY, applied_at BIGINT NOT "
           "NULL)";
    for (const Migration& migration : migrations()) {
      if (migration.version > 3) break;
      std::string_view rest = migration.statements;
      for (std::size_t end; (end = rest.find(";\n")) != std::string_view::npos;
           rest.remove_prefix(end + 2)) {
        sql << std::string(rest.substr(0, end));
      }
      sql << "INSERT INTO schema_migrations VALUES (:v, 0)", soci::use(migration.version);
    }
    const std::string home_text = home.to_string(), token_text = token.to_string();
    sql << "INSERT INTO destinations VALUES (:id, 'a', 'duckdb', 0, 0, NULL, 1, 1, 0, 0, NULL)",
        soci::use(home_text);
    sql << "INSERT INTO shares VALUES (:id, :home, NULL, 'old', 'select 1', 'csv,json', 7, 9000, "
           "NULL, 5, 2)",
        soci::use(token_text), soci::use(home_text);
  }
  {
    auto catalog = open();
    const auto share = catalog->share(token);
    ASSERT_TRUE(share) << share.error().message;
    EXPECT_EQ(share->name, "old");
    EXPECT_EQ(share->query, "select 1");
    EXPECT_THAT(share->formats, ElementsAre("csv", "json"));
    EXPECT_EQ(share->expires_at, 9000);
    EXPECT_EQ(share->max_downloads, 5);
    EXPECT_EQ(share->downloads, 2);
    EXPECT_FALSE(share->frozen);
    EXPECT_TRUE(share->password_hash.empty());
    EXPECT_EQ(catalog->list_shares(home)->items.front().token, token);
  }
  EXPECT_THAT(all_bytes(), testing::Not(HasSubstr(token.to_string())));
}

TEST_F(CatalogTest, SharesKeepWhatElseTheyHave) {
  auto catalog = open();
  const Id128 home = catalog->create_destination({.name = "a"})->id;
  const NewShare spec{.destination_id = home,
                      .query = "q",
                      .expires_at = clock_.wall_us() + 100,
                      .password_hash = "$argon2id$x",
                      .frozen = Frozen{.rows = 3, .bytes = 1'000},
                      .max_rows = 10,
                      .timeout_ms = 20,
                      .max_running = 30,
                      .embed = {"https://a.example", "http://localhost:3000"}};
  ASSERT_TRUE(catalog->create_share(spec));
  const auto share = catalog->share_by_id(spec.id);
  EXPECT_EQ(share->password_hash, "$argon2id$x");
  EXPECT_EQ(share->frozen->rows, 3);
  EXPECT_EQ(share->frozen->bytes, 1'000);
  EXPECT_EQ(share->max_rows, 10);
  EXPECT_EQ(share->timeout_ms, 20);
  EXPECT_EQ(share->max_running, 30);
  EXPECT_THAT(share->embed, ElementsAre("https://a.example", "http://localhost:3000"));
  NewShare bad{.destination_id = home, .query = "q", .expires_at = clock_.wall_us() + 100};
  bad.embed = {"https://a.example; script-src *"};
  EXPECT_EQ(code(catalog->create_share(bad)), ErrorCode::kInvalidArgument);
}

// ---- downloads

TEST_F(CatalogTest, DownloadsAreListedPageByPageForTheirShareAlone) {
  auto catalog = open();
  const Id128 home = catalog->create_destination({.name = "a"})->id;
  const auto make = [&] {
    return catalog
        ->create_share({.destination_id = home, .query = "q", .expires_at = clock_.wall_us() + 100})
        ->id;
  };
  const Id128 mine = make();
  const Id128 other = make();
  for (int i = 0; i < 5; ++i) {
    clock_.advance(i % 2);
    ASSERT_TRUE(catalog->log_download({.share_id = mine,
                                       .at = clock_.wall_us(),
                                       .format = "csv",
                                       .bytes = i,
                                       .whole = i != 3,
                                       .address = i == 0 ? "127.0.0.1" : ""}));
  }
  const auto first = catalog->list_downloads(mine, {.limit = 3});
  ASSERT_EQ(first->items.size(), 3U);
  const auto rest = catalog->list_downloads(mine, {.limit = 3, .after = first->next});
  ASSERT_EQ(rest->items.size(), 2U);
  EXPECT_EQ(rest->next, std::nullopt);
  std::int64_t sum = 0;
  for (const auto* page : {&*first, &*rest}) {
    for (const Download& each : page->items) {
      sum += each.bytes;
      EXPECT_EQ(each.whole, each.bytes != 3);
      EXPECT_EQ(each.address, each.bytes == 0 ? "127.0.0.1" : "");
    }
  }
  EXPECT_EQ(sum, 0 + 1 + 2 + 3 + 4);
  EXPECT_TRUE(catalog->list_downloads(other)->items.empty());
  EXPECT_EQ(code(catalog->list_downloads(other, {.after = first->next})), ErrorCode::kNotFound);
}

}  // namespace
}  // namespace sd::catalog
