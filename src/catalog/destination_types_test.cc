#include "catalog/destination_types.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sd::catalog {
namespace {

using testing::HasSubstr;

const TypeSpec& duckdb() {
  return **find_type("duckdb");
}

std::string refusal(const auto& result) {
  return result ? "taken" : result.error().message;
}

std::string together(const TypeSpec& type, std::vector<std::pair<std::string, std::string>> given) {
  Settings settings;
  for (auto& [name, value] : given) settings[name] = {.value = std::move(value)};
  return refusal(check_together(type, settings));
}

TEST(DestinationTypes, NameOnlySettingsThatThereAre) {
  for (const TypeSpec& type : destination_types()) {
    for (const SettingSpec& spec : type.settings) {
      const bool alone = spec.only_with.empty();
      EXPECT_TRUE(alone || type.find(spec.only_with) != nullptr) << spec.only_with;
      EXPECT_EQ(spec.choice.empty(), spec.not_with.empty()) << spec.name;
      for (const std::string_view other : spec.not_with) {
        ASSERT_NE(type.find(other), nullptr) << other;
        EXPECT_THAT(type.find(other)->not_with, testing::Contains(spec.name)) << "both say it";
        EXPECT_EQ(type.find(other)->choice, spec.choice) << "one choice has one name";
      }
    }
  }
}

TEST(DestinationTypes, AnUnknownSettingNamesTheNearestThatItsGiverMaySet) {
  EXPECT_EQ(refusal(find_setting(duckdb(), "tokn", Giver::kApi)),
            "unknown setting of a duckdb destination \"tokn\"; did you mean \"token\"?");
  EXPECT_THAT(refusal(find_setting(duckdb(), "extension_repository", Giver::kApi)),
              HasSubstr("configuration file only"));
  EXPECT_EQ(refusal(find_setting(duckdb(), "extension_repository", Giver::kConfiguration)),
            "taken");
  EXPECT_EQ(refusal(find_setting(duckdb(), "extension_repositry", Giver::kApi)),
            "unknown setting of a duckdb destination \"extension_repositry\"");
  EXPECT_THAT(refusal(find_setting(duckdb(), "extension_repositry", Giver::kConfiguration)),
              HasSubstr("did you mean \"extension_repository\"?"));
}

TEST(DestinationTypes, BooleansAreReadAsPeopleWriteThem) {
  const SettingSpec& memory = *duckdb().find("in_memory");
  EXPECT_EQ(*setting_value(memory, "Yes"), "true");
  EXPECT_EQ(*setting_value(memory, "off"), "false");
  EXPECT_EQ(refusal(setting_value(memory, "perhaps")),
            "the setting \"in_memory\" is true or false");
  EXPECT_EQ(*setting_value(*duckdb().find("token"), "Yes"), "Yes");
}

TEST(DestinationTypes, SettingsThatExcludeEachOtherAreNotTakenTogether) {
  EXPECT_EQ(together(duckdb(), {{"file", "a"}, {"token", "t"}}),
            "a duckdb destination takes only one of file, in_memory and token");
  EXPECT_EQ(together(duckdb(), {{"file", "a"}, {"in_memory", "false"}, {"token", ""}}), "taken");
  EXPECT_EQ(together(duckdb(), {{"database", "d"}}),
            "the setting \"database\" means nothing without \"token\", which is missing");
  EXPECT_EQ(together(duckdb(), {{"database", "d"}, {"token", "t"}}), "taken");
}

TEST(DestinationTypes, ARequiredSettingIsMissed) {
  const TypeSpec type{
      .name = "other",
      .label = "Other",
      .help = "",
      .settings = {{.name = "host", .kind = "text", .label = "Host", .required = true}}};
  EXPECT_EQ(together(type, {}), "the setting \"host\" is missing");
  EXPECT_EQ(together(type, {{"host", "h"}}), "taken");
}

TEST(DestinationTypes, TellSecretsByTypeByNameAndByMark) {
  EXPECT_TRUE(is_secret("duckdb", "token", {}));
  EXPECT_TRUE(is_secret("duckdb", "my_password", {}));
  EXPECT_TRUE(is_secret("duckdb", "other", {.value = "x", .secret = true}));
  EXPECT_FALSE(is_secret("duckdb", "file", {}));
}

}  // namespace
}  // namespace sd::catalog
