#include "catalog/catalog.h"
#include "catalog/testing/catalog_fixture.h"

namespace sd::catalog {
namespace {

TEST_F(CatalogTest, AnEndpointBelongsToItsDestination) {
  auto catalog = open();
  const Id128 mine = catalog->create_destination({.name = "a"})->id;
  const Id128 other = catalog->create_destination({.name = "b"})->id;
  const auto made = catalog->create_endpoint(
      {.destination_id = mine, .name = "top", .definition = "{\"query\":\"select 'x; --'\"}"});
  ASSERT_TRUE(made);
  EXPECT_EQ(made->version.number, 1);
  EXPECT_EQ(catalog->endpoint(mine, "top")->version.definition, made->version.definition);
  EXPECT_EQ(code(catalog->endpoint(other, "top")), ErrorCode::kNotFound);
  EXPECT_EQ(code(catalog->endpoint(mine, "TOP")), ErrorCode::kNotFound);
  EXPECT_EQ(code(catalog->delete_endpoint(other, "top")), ErrorCode::kNotFound);
  EXPECT_EQ(code(catalog->create_endpoint({.destination_id = mine, .name = "top"})),
            ErrorCode::kAlreadyExists);
  EXPECT_TRUE(catalog->create_endpoint({.destination_id = other, .name = "top"}));
  EXPECT_TRUE(catalog->list_endpoints(other, {.after = made->id}).error().code ==
              ErrorCode::kNotFound);
  EXPECT_EQ(catalog->list_endpoints(mine)->items.size(), 1U);
  ASSERT_TRUE(catalog->delete_destination(mine));
  EXPECT_EQ(code(catalog->endpoint(mine, "top")), ErrorCode::kNotFound);
}

TEST_F(CatalogTest, EachChangeOfAnEndpointIsAVersion) {
  auto catalog = open();
  const Id128 home = catalog->create_destination({.name = "a"})->id;
  const auto change = [&](const char* definition, bool is_public = false) {
    return catalog->change_endpoint(
        {.destination_id = home, .name = "e", .is_public = is_public, .definition = definition});
  };
  EXPECT_EQ(code(change("1")), ErrorCode::kNotFound);
  ASSERT_TRUE(catalog->create_endpoint({.destination_id = home, .name = "e", .definition = "1"}));
  clock_.advance(5);
  EXPECT_EQ(change("2")->newest, 2);
  EXPECT_EQ(change("2")->newest, 2) << "the same is no change";
  EXPECT_EQ(change("2", true)->newest, 2) << "who may read it is no part of a version";
  EXPECT_TRUE(catalog->endpoint(home, "e")->is_public);
  EXPECT_EQ(catalog->endpoint(home, "e", 1)->version.definition, "1");
  EXPECT_EQ(code(catalog->endpoint(home, "e", 3)), ErrorCode::kNotFound);
  EXPECT_EQ(code(catalog->retire_endpoint_version(home, "e", 2)), ErrorCode::kInvalidArgument);
  ASSERT_TRUE(catalog->retire_endpoint_version(home, "e", 1));
  EXPECT_EQ(code(catalog->endpoint(home, "e", 1)), ErrorCode::kNotFound);
  EXPECT_EQ(catalog->endpoint(home, "e")->version.definition, "2");
  const auto versions = catalog->endpoint_versions(catalog->endpoint(home, "e")->id);
  ASSERT_EQ(versions->size(), 2U);
  EXPECT_TRUE(versions->at(0).retired_at);
  EXPECT_FALSE(versions->at(1).retired_at);
  // A number that was given out is not given again, whatever has been deleted in between.
  ASSERT_TRUE(catalog->delete_endpoint(home, "e"));
  EXPECT_EQ(code(catalog->endpoint(home, "e")), ErrorCode::kNotFound);
  EXPECT_EQ(
      catalog->create_endpoint({.destination_id = home, .name = "e", .definition = "9"})->newest,
      3);
  EXPECT_EQ(code(catalog->endpoint(home, "e", 1)), ErrorCode::kNotFound);
}

TEST_F(CatalogTest, PublicEndpointsAreFoundByTheirNameAlone) {
  auto catalog = open();
  const Id128 a = catalog->create_destination({.name = "a"})->id;
  const Id128 b = catalog->create_destination({.name = "b"})->id;
  ASSERT_TRUE(catalog->create_endpoint(
      {.destination_id = a, .name = "e", .is_public = true, .definition = "a"}));
  ASSERT_TRUE(catalog->create_endpoint({.destination_id = b, .name = "e", .definition = "b"}));
  const auto found = [&](const char* name) {
    return catalog->destinations_of_public_endpoint(name).value();
  };
  EXPECT_EQ(found("e"), std::vector{a});
  EXPECT_TRUE(found("f").empty());
  ASSERT_TRUE(catalog->change_endpoint(
      {.destination_id = b, .name = "e", .is_public = true, .definition = "b"}));
  EXPECT_EQ(found("e"), (std::vector{a, b}));
  ASSERT_TRUE(catalog->set_destination_state(a, DestinationState::kDetached));
  EXPECT_EQ(found("e"), std::vector{b});
  ASSERT_TRUE(catalog->delete_endpoint(b, "e"));
  EXPECT_TRUE(found("e").empty());
}

TEST_F(CatalogTest, UsageOfEndpointsAddsUp) {
  auto catalog = open();
  const Id128 home = catalog->create_destination({.name = "a"})->id;
  const Id128 id = catalog->create_endpoint({.destination_id = home, .name = "e"})->id;
  const Id128 key = catalog->create_key({.destination_id = home})->key.id;
  const std::vector<EndpointUsage> usage = {
      {.endpoint_id = id, .key_id = key, .day = 20'000, .calls = 2, .errors = 1, .bytes = 10},
      {.endpoint_id = id, .day = 20'000, .calls = 1}};
  ASSERT_TRUE(catalog->add_endpoint_usage(usage));
  ASSERT_TRUE(catalog->add_endpoint_usage(usage));
  const auto read = catalog->endpoint_usage(id, 20'000);
  ASSERT_EQ(read->size(), 2U);
  EXPECT_EQ(read->at(0).calls, 2);
  EXPECT_FALSE(read->at(0).key_id);
  EXPECT_EQ(read->at(1).calls, 4);
  EXPECT_EQ(read->at(1).errors, 2);
  EXPECT_EQ(read->at(1).bytes, 20);
  EXPECT_EQ(read->at(1).key_id, key);
  EXPECT_TRUE(catalog->endpoint_usage(id, 20'001)->empty());
}

TEST_F(CatalogTest, AKeyKeepsWhatItFixesOfParameters) {
  auto catalog = open();
  const Id128 home = catalog->create_destination({.name = "a"})->id;
  const auto made = catalog->create_key({.destination_id = home,
                                         .endpoints = std::vector<std::string>{"e"},
                                         .parameters = "{\"user\":\"alice\"}",
                                         .requests_per_minute = 60});
  const auto read = catalog->key(made->key.id);
  EXPECT_EQ(read->parameters, "{\"user\":\"alice\"}");
  EXPECT_EQ(read->requests_per_minute, 60U);
  EXPECT_EQ(read->endpoints, std::vector<std::string>{"e"});
}

}  // namespace
}  // namespace sd::catalog
