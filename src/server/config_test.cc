#include "server/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <set>

#include "server/config_table.h"
#include "server/config_text.h"

namespace sd::server {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

LoadedConfig load(std::string yaml, std::map<std::string, std::string> environment = {},
                  std::vector<std::pair<std::string, std::string>> flags = {}) {
  return load_config(
      {.text = std::move(yaml), .environment = std::move(environment), .flags = std::move(flags)});
}

std::vector<std::string> texts(const std::vector<Problem>& problems) {
  std::vector<std::string> out;
  for (const Problem& problem : problems) out.push_back(problem.to_string());
  return out;
}

Config loaded(const LoadedConfig& result) {
  EXPECT_THAT(texts(result.errors), IsEmpty());
  return result.config;
}

// ---- defaults

TEST(Config, WithoutAnythingListensOnBothLoopbacksAndHasOneDestination) {
  const LoadedConfig result = load_config({});
  const Config config = loaded(result);
  EXPECT_THAT(texts(result.warnings), IsEmpty());
  EXPECT_THAT(config.api.listen, ElementsAre("127.0.0.1:8080", "[::1]:8080"));
  EXPECT_TRUE(config.api.ipv6_optional);
  EXPECT_EQ(config.data_dir, "./data");
  ASSERT_EQ(config.destinations.size(), 1U);
  EXPECT_EQ(config.destinations[0].name, "local");
  EXPECT_EQ(config.destinations[0].type, "duckdb");
  EXPECT_EQ(config.destinations[0].origin, catalog::Origin::kBuiltin);
  EXPECT_THAT(config.destinations[0].api_keys, ElementsAre("local"));
  EXPECT_EQ(config.query.timeout, Millis(300'000));
}

TEST(Config, AnEmptyFileIsTheDefaults) {
  for (const char* text : {"", "# nothing\n", "---\n", "api:\n", "api: {port: }\n"}) {
    const LoadedConfig result = load(text);
    EXPECT_THAT(loaded(result).api.listen, ElementsAre("127.0.0.1:8080", "[::1]:8080")) << text;
    EXPECT_THAT(texts(result.warnings), IsEmpty()) << text;
  }
}

TEST(Config, MotherDuckTokenMakesADestination) {
  const LoadedConfig result = load("", {{"motherduck_token", "sesame"}});
  const Config config = loaded(result);
  ASSERT_EQ(config.destinations.size(), 2U);
  EXPECT_EQ(config.destinations[0].name, "local");
  EXPECT_EQ(config.destinations[1].type, "duckdb");
  EXPECT_EQ(config.destinations[1].origin, catalog::Origin::kEnvironment);
  EXPECT_EQ(config.destinations[1].settings.at("token"), "sesame");
  EXPECT_EQ(config.destinations[1].settings.at("database"), "my_db");
  EXPECT_EQ(load("", {{"motherduck_token", ""}}).config.destinations.size(), 1U);
}

// ---- the order of sources

TEST(Config, FlagBeatsEnvironmentBeatsFileBeatsDefault) {
  const std::string file = "query: {timeout_ms: 1000}\n";
  const std::map<std::string, std::string> environment = {{"SCRATCH_QUERY_TIMEOUT_MS", "2000"}};
  EXPECT_EQ(loaded(load("")).query.timeout, Millis(300'000));
  EXPECT_EQ(loaded(load(file)).query.timeout, Millis(1000));
  EXPECT_EQ(loaded(load(file, environment)).query.timeout, Millis(2000));
  EXPECT_EQ(loaded(load(file, environment, {{"query.timeout_ms", "3000"}})).query.timeout,
            Millis(3000));
}

TEST(Config, EverySettingHasAVariableAndAFlagNamedAfterIt) {
  EXPECT_EQ(environment_name("api.port"), "SCRATCH_API_PORT");
  EXPECT_EQ(flag_name("api.max_body_bytes"), "--api-max-body-bytes");
  std::set<std::string> names;
  for (const SettingSpec& spec : setting_specs()) {
    EXPECT_TRUE(names.insert(environment_name(spec.key)).second) << spec.key;
    EXPECT_EQ(find_spec(spec.key), &spec) << "a key stands twice: " << spec.key;
    const bool renamed = !spec.now_called.empty();
    EXPECT_TRUE(!renamed || find_spec(spec.now_called) != nullptr) << spec.key;
    const bool means_something = !std::holds_alternative<std::monostate>(spec.target);
    EXPECT_EQ(means_something, spec.replaced.empty()) << spec.key;
    EXPECT_EQ(means_something, !spec.help.empty()) << spec.key;
  }
}

TEST(Config, EveryDefaultIsAValueThatItsOwnRowTakes) {
  const Draft defaults;
  for (const SettingSpec& spec : setting_specs()) {
    if (!spec.replaced.empty() || spec.is_list()) continue;
    std::string text = spell(spec, defaults);
    if (text.starts_with('"')) text = text.substr(1, text.size() - 2);
    Draft draft;
    EXPECT_EQ(assign(spec, draft, {text}), std::nullopt) << spec.key << " = " << text;
    EXPECT_EQ(spell(spec, draft), spell(spec, defaults)) << spec.key;
  }
}

TEST(Config, ListsComeFromCommasInTheEnvironmentAndFromRepeatedFlags) {
  const Config by_variable = loaded(load("", {{"SCRATCH_API_LISTEN", "127.0.0.1:1, [::1]:2"}}));
  EXPECT_THAT(by_variable.api.listen, ElementsAre("127.0.0.1:1", "[::1]:2"));
  const Config by_flag = loaded(load("api: {listen: [127.0.0.1:7]}\n", {},
                                     {{"api.listen", "127.0.0.1:3"}, {"api.listen", "[::1]:4"}}));
  EXPECT_THAT(by_flag.api.listen, ElementsAre("127.0.0.1:3", "[::1]:4"));
  const Config keys = loaded(load("", {{"SCRATCH_API_KEYS", "one-key-here,another"}}));
  EXPECT_THAT(keys.api_keys, ElementsAre("one-key-here", "another"));
}

TEST(Config, AVariableThatIsNearlyRightGetsAWarning) {
  EXPECT_THAT(texts(load("", {{"SCRATCH_API_PROT", "1"}}).warnings),
              ElementsAre(HasSubstr("did you mean SCRATCH_API_PORT?")));
  EXPECT_THAT(texts(load("", {{"SCRATCH_PORT_8080_TCP_ADDR", "1"}, {"OTHER", "2"}}).warnings),
              IsEmpty());
}

// ---- where it listens

TEST(Config, APortWithoutAHostIsOnLoopbackWithOneWarning) {
  const LoadedConfig result = load("api:\n  port: 9000\n");
  EXPECT_THAT(loaded(result).api.listen, ElementsAre("127.0.0.1:9000", "[::1]:9000"));
  EXPECT_THAT(texts(result.warnings),
              ElementsAre(AllOf(StartsWith("config.yaml:2: api.port: "), HasSubstr("api.host"))));
}

TEST(Config, HostAndPortMayComeFromDifferentPlaces) {
  const LoadedConfig result = load("api: {host: 0.0.0.0}\n", {{"SCRATCH_API_PORT", "9000"}});
  EXPECT_THAT(loaded(result).api.listen, ElementsAre("0.0.0.0:9000"));
  EXPECT_FALSE(result.config.api.ipv6_optional);
  EXPECT_THAT(texts(result.warnings), IsEmpty());
  EXPECT_THAT(loaded(load("api: {host: '::'}\n")).api.listen, ElementsAre("[::]:8080"));
  EXPECT_THAT(loaded(load("api: {host: localhost}\n")).api.listen,
              ElementsAre("127.0.0.1:8080", "[::1]:8080"));
}

TEST(Config, AStrongerListBeatsHostAndPort) {
  const LoadedConfig result = load("api: {port: 9000}\n", {}, {{"api.listen", "127.0.0.1:5000"}});
  EXPECT_THAT(loaded(result).api.listen, ElementsAre("127.0.0.1:5000"));
  EXPECT_THAT(texts(result.warnings), IsEmpty());
  EXPECT_THAT(texts(load("api: {port: 9000, listen: ['127.0.0.1:1']}\n").errors),
              ElementsAre(HasSubstr("give either")));
}

TEST(Config, AddressesMustBeAddresses) {
  for (const char* bad :
       {"8080", "127.0.0.1", ":8080", "::1:8080", "a b:1", "h:65536", "h:-1", "h:x"}) {
    EXPECT_THAT(texts(load("", {}, {{"api.listen", bad}}).errors),
                ElementsAre(HasSubstr("must be HOST:PORT")))
        << bad;
  }
  EXPECT_THAT(texts(load("api: {listen: []}\n").errors), ElementsAre(HasSubstr("at least one")));
  EXPECT_THAT(texts(load("api: {host: 'a b'}\n").errors), ElementsAre(HasSubstr("host name")));
}

TEST(Config, LoopbackIsTold) {
  const auto only = [](std::vector<std::string> listen) {
    Config config;
    config.api.listen = std::move(listen);
    return listens_on_loopback_only(config);
  };
  EXPECT_TRUE(only({"127.0.0.1:1", "[::1]:1", "localhost:1", "127.8.9.10:0"}));
  for (const char* other : {"0.0.0.0:1", "[::]:1", "10.0.0.1:1", "127.evil.example:1", "127.0.1:1",
                            "[::ffff:127.0.0.1]:1", "example.com:1"}) {
    EXPECT_FALSE(only({"127.0.0.1:1", other})) << other;
  }
}

// ---- well-known keys

TEST(Config, WellKnownKeysKeepTheServerFromListeningOutside) {
  const Config config =
      loaded(load("api: {host: 0.0.0.0}\n"
                  "api_keys: [{key: admin}]\n"
                  "destinations: [{type: duckdb, name: d, api_keys: [Local]}]\n"));
  EXPECT_TRUE(check_well_known_keys(config, true));
  const auto refused = check_well_known_keys(config, false);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(refused.error().message,
              AllOf(HasSubstr("\"admin\" in api_keys"), HasSubstr("\"Local\""), HasSubstr("\"d\""),
                    HasSubstr("openssl rand"), HasSubstr("api.host")));
}

TEST(Config, TheBuiltInKeyIsOnlyLeftOutWhereItWouldBeReachable) {
  const Config config = loaded(load("api: {host: 0.0.0.0}\n"));
  EXPECT_TRUE(check_well_known_keys(config, false));
  EXPECT_THAT(usable_keys(config.destinations[0], false), IsEmpty());
  EXPECT_THAT(usable_keys(config.destinations[0], true), ElementsAre("local"));
  const Config own = loaded(load("destinations: [{type: duckdb, name: d, api_keys: [k-1]}]\n"));
  EXPECT_THAT(usable_keys(own.destinations[0], false), ElementsAre("k-1"));
}

// ---- what is wrong

TEST(Config, AnUnknownKeyIsNamedWithItsLineAndTheNearestKnownOne) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"api:\n  prot: 1\n", "config.yaml:2: api.prot: unknown key; did you mean api.port?"},
      {"apis:\n  port: 1\n", "config.yaml:1: apis: unknown key; did you mean api?"},
      {"\nport: 1\n", "config.yaml:2: port: unknown key; did you mean api.port?"},
      {"destination: []\n", "config.yaml:1: destination: unknown key; did you mean destinations?"},
      {"queue:\n  tpye: x\n", "config.yaml:2: queue.tpye: unknown key; did you mean queue.type?"},
      {"destinations:\n- type: duckdb\n  nmae: x\n  name: y\n",
       "config.yaml:3: destinations[].nmae: unknown key; did you mean destinations[].name?"},
      {"destinations:\n- type: duckdb\n  name: y\n  settings:\n    flie: x\n",
       "config.yaml:5: destinations[].settings.flie: unknown setting of a duckdb destination "
       "\"flie\"; did you mean \"file\"?"},
      {"api_keys:\n- kye: x\n  key: y\n",
       "config.yaml:2: api_keys[].kye: unknown key; did you mean api_keys[].key?"}};
  for (const auto& [yaml, message] : cases) {
    EXPECT_THAT(texts(load(yaml).errors), ElementsAre(message));
  }
}

TEST(Config, EveryErrorIsReported) {
  const auto errors = texts(load("api:\n"
                                 "  port: eighty\n"
                                 "  threads: -1\n"
                                 "logging:\n"
                                 "  level: loud\n"
                                 "  json_format: maybe\n"
                                 "journal:\n"
                                 "  max_bytes: 12parsecs\n"
                                 "engine:\n"
                                 "  idle_timeout: [1]\n"
                                 "query: 7\n"
                                 "nonsense: 1\n")
                                .errors);
  EXPECT_THAT(errors,
              ElementsAre(HasSubstr(":2: api.port: must be a whole number from 0 to 65535, not "
                                    "\"eighty\""),
                          HasSubstr(":3: api.threads: "),
                          HasSubstr(":5: logging.level: must be trace, debug, info"),
                          HasSubstr(":6: logging.json_format: must be true or false"),
                          HasSubstr(":8: journal.max_bytes: must be a size from 1MiB"),
                          HasSubstr(":10: engine.idle_timeout: must be a time"),
                          HasSubstr(":11: query: must be a section"),
                          HasSubstr(":12: nonsense: unknown key")));
}

TEST(Config, ValuesOutOfRangeAreRefusedWhereverTheyComeFrom) {
  EXPECT_EQ(load("api: {port: 65536}\n").errors.size(), 1U);
  EXPECT_THAT(texts(load("", {{"SCRATCH_API_PORT", "x"}}).errors),
              ElementsAre(StartsWith("environment: api.port: ")));
  EXPECT_THAT(texts(load("", {}, {{"api.port", "99999999999999999999"}}).errors),
              ElementsAre(StartsWith("command line: api.port: ")));
  EXPECT_THAT(texts(load("", {}, {{"api.potr", "1"}}).errors),
              ElementsAre(HasSubstr("did you mean api.port?")));
}

TEST(Config, BrokenYamlIsNamedWithItsLine) {
  EXPECT_THAT(texts(load("api:\n  port: [1\n").errors),
              ElementsAre(AllOf(StartsWith("config.yaml:"), HasSubstr("not valid YAML"))));
  EXPECT_THAT(texts(load("api:\n  port: 1\n  port: 2\n").errors),
              ElementsAre(StartsWith("config.yaml:3: port: stands twice")));
  EXPECT_THAT(texts(load("- a\n- b\n").errors), ElementsAre(HasSubstr("must be a section")));
  EXPECT_THAT(texts(load("api: {}\n---\napi: {}\n").errors),
              ElementsAre(HasSubstr("more than one YAML document")));
  EXPECT_THAT(texts(load("? [a]\n: 1\n").errors), ElementsAre(HasSubstr("must be a word")));
  EXPECT_THAT(texts(load("a: &a [*a]\n").errors), testing::Not(IsEmpty()));
  EXPECT_THAT(texts(load_config({.file = "/nowhere/x.yaml"}).errors),
              ElementsAre(AllOf(StartsWith("x.yaml: cannot be read"))));
}

TEST(Config, DestinationsAreChecked) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"destinations: {a: b}\n", "must be a list"},
      {"destinations: [x]\n", "must be a section"},
      {"destinations: [{name: a}]\n", "destinations[].type: is missing"},
      {"destinations: [{type: duckbd, name: a}]\n", "there is: duckdb"},
      {"destinations: [{type: duckdb, name: a, api_keys: local}]\n", "must be a list"},
      {"destinations: [{type: duckdb, name: a, api_keys: ['']}]\n", "1 to 255"},
      {"destinations: [{type: duckdb, name: a, api_keys: ['a b']}]\n", "without blanks"},
      {"destinations: [{type: duckdb, name: a, settings: {file: [x]}}]\n",
       "the setting \"file\" is a text"},
      {"destinations: [{type: duckdb, name: a, settings: [x]}]\n", "must be a section"},
      {"destinations: [{type: duckdb, name: a, settings: {in_memory: maybe}}]\n",
       "the setting \"in_memory\" is true or false"},
      {"destinations: [{type: duckdb, name: a, settings: {database: d}}]\n",
       "the setting \"database\" means nothing without \"token\", which is missing"},
      {"destinations: [{type: duckdb, name: " + std::string(256, 'x') + "}]\n", "1 to 255 bytes"},
      {"destinations: [{type: duckdb, name: a}, {type: duckdb, name: a}]\n", "another destination"},
      {"destinations: [{type: duckdb, name: a, settings: {file: ./x}}, "
       "{type: duckdb, name: b, settings: {file: y/../x}}]\n",
       "is also the file of \"a\""},
      {"destinations: [{type: duckdb, name: a, api_keys: [k]}, "
       "{type: duckdb, name: b, api_keys: [k]}]\n",
       "stands also in \"a\""},
      {"api_keys: [{key: k}]\ndestinations: [{type: duckdb, name: a, api_keys: [k]}]\n",
       "stands also in \"api_keys\""},
      {"api_keys: [{key: [k]}]\n", "1 to 255"}};
  for (const auto& [yaml, message] : cases) {
    EXPECT_THAT(texts(load(yaml).errors), ElementsAre(HasSubstr(message))) << yaml;
  }
}

TEST(Config, OfSeveralPlacesTheOriginalsFirstCounts) {
  const LoadedConfig result = load(
      "destinations:\n- type: duckdb\n  name: a\n  settings: {token: t, file: f, in_memory: no}\n");
  const auto settings = loaded(result).destinations[0].settings;
  EXPECT_EQ(settings, (std::map<std::string, std::string>{{"file", "f"}}));
  EXPECT_THAT(texts(result.warnings), ElementsAre(HasSubstr("token: is not used, because file")));
  EXPECT_EQ(loaded(load("destinations: [{type: duckdb, name: a, settings: {in_memory: Yes}}]\n"))
                .destinations[0]
                .settings.at("in_memory"),
            "true");
}

TEST(Config, ADestinationWithoutANameGetsOne) {
  const LoadedConfig result = load("destinations:\n- type: duckdb\n- type: duckdb\n");
  EXPECT_EQ(loaded(result).destinations[0].name, "duckdb");
  EXPECT_EQ(result.config.destinations[1].name, "duckdb-2");
  EXPECT_EQ(result.warnings.size(), 2U);
}

TEST(Config, BaseUrlIsAnAddress) {
  EXPECT_EQ(loaded(load("api: {base_url: 'https://x.example/data//'}\n")).api.base_url,
            "https://x.example/data");
  for (const char* bad : {"x.example", "ftp://x", "https://", "https:///", "https://x/?q"}) {
    EXPECT_THAT(texts(load("", {}, {{"api.base_url", bad}}).errors),
                ElementsAre(HasSubstr("api.base_url")))
        << bad;
  }
}

TEST(Config, MetricsPasswordAndNameBelongTogether) {
  EXPECT_THAT(texts(load("prometheus: {enabled: true, host: 127.0.0.1, username: u}\n").errors),
              ElementsAre(HasSubstr("give both")));
}

// ---- the original's configuration

TEST(OriginalConfig, RunsUnchangedWithOneWarningForEachKeyThatMeansNothing) {
  LoadedConfig result =
      load_config({.file = std::string(SD_SOURCE_DIR) + "/src/server/testdata/original.yaml"});
  const Config config = loaded(result);
  EXPECT_THAT(config.api.listen, ElementsAre("127.0.0.1:8080", "[::1]:8080"));
  EXPECT_EQ(config.api.healthcheck_fail_file, "./unhealthy");
  EXPECT_EQ(config.api.base_url, "https://data.example.com");
  EXPECT_EQ(config.journal.min_free_bytes, 1'000'000'000);
  EXPECT_EQ(config.logging.level, log::Level::kTrace);
  EXPECT_EQ(config.logging.format, log::Format::kConsole);
  EXPECT_TRUE(config.prometheus.enabled);
  EXPECT_THAT(config.api_keys, ElementsAre("admin"));
  ASSERT_EQ(config.destinations.size(), 2U);
  EXPECT_EQ(config.destinations[0].name, "Local DuckDB file");
  EXPECT_THAT(config.destinations[0].api_keys, ElementsAre("local"));
  EXPECT_EQ(config.destinations[0].settings.at("file"), "./data/data.duckdb");
  EXPECT_EQ(config.destinations[1].settings.at("token"), "sesame");
  EXPECT_EQ(config.destinations[1].settings.at("database"), "other_db");
  EXPECT_TRUE(check_well_known_keys(config, listens_on_loopback_only(config)));

  std::vector<std::string> keys;
  for (const Problem& warning : result.warnings) {
    EXPECT_GT(warning.line, 0) << warning.to_string();
    EXPECT_EQ(warning.source, "original.yaml");
    EXPECT_GT(warning.message.size(), 10U);
    keys.push_back(warning.key);
  }
  EXPECT_THAT(
      keys,
      testing::UnorderedElementsAre(
          "prometheus.enabled", "api.enabled", "api.port", "api.api_key_cache_ttl",
          "api.disable_auth", "workers.enabled", "workers.count", "workers.data_directory",
          "workers.free_space_required_bytes", "workers.max_bulk_query_size_bytes",
          "workers.bulk_chunk_size_bytes", "blob_store", "data_sink", "queue", "cache", "database",
          "dashboard.enabled", "dashboard.live_reload", "dashboard.csrf_secret",
          "dashboard.external_url", "dashboard.google_redirect_url", "dashboard.google_client_id",
          "dashboard.google_client_secret", "crypto.jwt_private_key", "destinations[].id",
          "destinations[].settings.max_open_conns"));
}

TEST(OriginalConfig, TheNewNameOfAKeyCountsMoreThanTheOld) {
  for (const char* yaml :
       {"workers: {free_space_required_bytes: 1}\njournal: {min_free_bytes: 2}\n",
        "journal: {min_free_bytes: 2}\nworkers: {free_space_required_bytes: 1}\n"}) {
    const LoadedConfig result = load(yaml);
    EXPECT_EQ(loaded(result).journal.min_free_bytes, 2) << yaml;
    EXPECT_EQ(result.warnings.size(), 1U) << yaml;
  }
}

TEST(OriginalConfig, AnOldKeyInTheEnvironmentWarnsOnceToo) {
  const LoadedConfig result =
      load("workers: {enabled: true}\n", {{"SCRATCH_WORKERS_ENABLED", "false"}});
  EXPECT_THAT(texts(result.warnings), ElementsAre(HasSubstr("workers.enabled")));
}

// ---- secrets

TEST(Config, NoSecretIsInADumpOrAMessage) {
  const LoadedConfig result = load(
      "api_keys: [{key: sesame-1}]\n"
      "prometheus: {enabled: true, username: u, password: sesame-2}\n"
      "destinations:\n"
      "- {type: duckdb, name: a, api_keys: [sesame-3], settings: {token: sesame-4}}\n"
      "- {type: duckdb, name: b, api_keys: [sesame-3, 'sesame 5']}\n"
      "crypto: {jwt_private_key: sesame-6}\n",
      {{"SCRATCH_PROMETHEUS_PASSWORD", "sesame-7"}});
  std::string all = dump_config(result.config);
  EXPECT_THAT(all, HasSubstr("api.listen: [\"127.0.0.1:8080\", \"[::1]:8080\"]\n"));
  EXPECT_THAT(all, HasSubstr("settings.token: (secret)"));
  for (const std::string& text : texts(result.errors)) all += text;
  for (const std::string& text : texts(result.warnings)) all += text;
  EXPECT_EQ(result.errors.size(), 2U);
  EXPECT_THAT(all, testing::Not(HasSubstr("sesame")));
}

// ---- words and numbers

TEST(ConfigText, ReadsSizes) {
  EXPECT_EQ(parse_bytes("0"), 0);
  EXPECT_EQ(parse_bytes("64MiB"), 64 << 20);
  EXPECT_EQ(parse_bytes("64m"), 64 << 20);
  EXPECT_EQ(parse_bytes("64MB"), 64'000'000);
  EXPECT_EQ(parse_bytes("2T"), 2LL << 40);
  EXPECT_EQ(parse_bytes("7b"), 7);
  for (const char* bad : {"", "M", "-1", "1.5G", "1 G", "1X", "1MiBs", "99999999T"}) {
    EXPECT_EQ(parse_bytes(bad), std::nullopt) << bad;
  }
}

TEST(ConfigText, ReadsTimes) {
  EXPECT_EQ(parse_duration("5", Millis(1000)), Millis(5000));
  EXPECT_EQ(parse_duration("5", Millis(1)), Millis(5));
  EXPECT_EQ(parse_duration("250ms", Millis(1000)), Millis(250));
  EXPECT_EQ(parse_duration("2m", Millis(1)), Millis(120'000));
  EXPECT_EQ(parse_duration("1d", Millis(1)), Millis(86'400'000));
  for (const char* bad : {"", "s", "-1s", "1y", "1 s", "99999999999999999d"}) {
    EXPECT_EQ(parse_duration(bad, Millis(1)), std::nullopt) << bad;
  }
}

TEST(ConfigText, DistanceCountsSlipsOfTheHand) {
  EXPECT_EQ(edit_distance("port", "port"), 0U);
  EXPECT_EQ(edit_distance("prot", "port"), 1U);
  EXPECT_EQ(edit_distance("pot", "port"), 1U);
  EXPECT_EQ(edit_distance("", "port"), 4U);
  EXPECT_EQ(nearest("x", {}), "");
}

TEST(ConfigDocs, EverySettingIsDescribed) {
  std::ifstream file(SD_SOURCE_DIR "/docs/configuration.md");
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  for (const SettingHelp& setting : setting_helps()) {
    EXPECT_NE(text.find("| `" + setting.key + "` | " + setting.kind + " |"), std::string::npos)
        << setting.key;
    EXPECT_NE(text.find("| " + setting.help + " |"), std::string::npos) << setting.key;
  }
  // Secrets have no flag, and a row all the same.
  for (const char* secret : {"api_keys", "prometheus.password", "secret_key"}) {
    EXPECT_NE(text.find("| `" + std::string(secret) + "` |"), std::string::npos) << secret;
  }
}

}  // namespace
}  // namespace sd::server
