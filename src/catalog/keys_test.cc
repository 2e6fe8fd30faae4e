#include "catalog/catalog.h"
#include "catalog/testing/catalog_fixture.h"

namespace sd::catalog {
namespace {

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
