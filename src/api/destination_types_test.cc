#include "api/destination_types.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sd::api {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Result<SettingChanges> read(std::string_view json) {
  const auto document = json::parse_document(json);
  EXPECT_TRUE(document);
  return read_settings(**type_of("duckdb"), *document);
}

std::string refusal(std::string_view json) {
  const auto changes = read(json);
  return changes ? "taken" : changes.error().message;
}

std::string shown(const catalog::Destination& destination, bool with_paths) {
  json::Writer w;
  w.begin_object();
  write_settings(w, destination, with_paths);
  return w.end_object().take();
}

TEST(DestinationTypes, AreToldWithEverySettingThatCanBeSet) {
  const std::string json = destination_types_json();
  const auto document = json::parse_document(json);
  ASSERT_TRUE(document);
  const json::Value& duckdb = document->find("data")->elements().at(0);
  EXPECT_EQ(duckdb.string_or("type", ""), "duckdb");
  EXPECT_EQ(duckdb.find("settings")->elements().size(), 4U);
  for (const json::Value& setting : duckdb.find("settings")->elements()) {
    for (const char* member : {"name", "kind", "label", "help"}) {
      EXPECT_NE(setting.string_or(member, ""), "") << member;
    }
    EXPECT_EQ(setting.bool_or("secret", false),
              catalog::is_secret_setting(setting.string_or("name", "")));
  }
  EXPECT_THAT(json, Not(HasSubstr("extension_repository")));
}

TEST(DestinationTypes, AnUnknownTypeNamesThoseThatThereAre) {
  EXPECT_THAT(type_of("oracle").error().message, HasSubstr("duckdb"));
}

TEST(DestinationSettings, AreReadAsTextWithTheirSecretsMarked) {
  const auto changes = read(R"({"token":"t","database":"d","in_memory":true,"file":null})");
  ASSERT_TRUE(changes);
  EXPECT_EQ(changes->at("token"), (catalog::Setting{"t", true}));
  EXPECT_EQ(changes->at("database"), (catalog::Setting{"d", false}));
  EXPECT_EQ(changes->at("in_memory")->value, "true");
  EXPECT_EQ(changes->at("file"), std::nullopt);
}

TEST(DestinationSettings, AnUnknownOneNamesTheNearest) {
  EXPECT_EQ(refusal(R"({"tokn":"x"})"),
            "unknown setting of a duckdb destination \"tokn\"; did you mean \"token\"?");
  EXPECT_THAT(refusal(R"({"extension_repository":"x"})"), HasSubstr("configuration file only"));
}

TEST(DestinationSettings, RefuseValuesOfAnotherKind) {
  EXPECT_THAT(refusal(R"({"in_memory":"yes"})"), HasSubstr("true or false"));
  EXPECT_THAT(refusal(R"({"token":5})"), HasSubstr("is a text"));
  EXPECT_THAT(refusal(R"({"database":""})"), HasSubstr("must not be empty"));
  EXPECT_THAT(refusal(R"({"database":{"secret":true}})"), HasSubstr("is a text"));
  EXPECT_THAT(refusal(R"(["x"])"), HasSubstr("must be an object"));
}

TEST(DestinationSettings, ASecretAsItWasShownStaysWhatItIs) {
  const auto changes = read(R"({"token":{"secret":true,"set":true}})");
  ASSERT_TRUE(changes);
  EXPECT_TRUE(changes->empty());
}

TEST(DestinationSettings, ChangesAreMergedAndNullRemoves) {
  const catalog::Settings before = {{"file", {"a", false}}, {"token", {"t", true}}};
  const auto after =
      with_changes(before, {{"file", std::nullopt}, {"database", catalog::Setting{"d", false}}});
  EXPECT_EQ(after, (catalog::Settings{{"database", {"d", false}}, {"token", {"t", true}}}));
}

TEST(DestinationSettings, NeverShowASecret) {
  catalog::Destination destination;
  destination.type = "duckdb";
  destination.settings = {{"token", {"hush", false}},
                          {"my_password", {"hush", false}},
                          {"other", {"hush", true}},
                          {"file", {"/srv/data/a.duckdb", false}},
                          {"in_memory", {"false", false}}};
  const std::string full = shown(destination, true);
  EXPECT_THAT(full, Not(HasSubstr("hush")));
  EXPECT_THAT(full, HasSubstr(R"("token":{"secret":true,"set":true})"));
  EXPECT_THAT(full, HasSubstr(R"("file":"/srv/data/a.duckdb")"));
  EXPECT_THAT(full, HasSubstr(R"("in_memory":false)"));
  EXPECT_THAT(shown(destination, false), HasSubstr(R"("file":"a.duckdb")"));
}

}  // namespace
}  // namespace sd::api
