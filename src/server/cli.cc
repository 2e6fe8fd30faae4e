#include "server/cli.h"

#include <CLI/CLI.hpp>
#include <map>
#include <memory>
#include <sstream>

namespace sd::server {
namespace {

constexpr const char* kDescription =
    "Scratch Data: post any JSON, it is kept; ask for it with SQL, a moment later.";

// Values of the setting flags, by key, until the parse is over.
using FlagValues = std::map<std::string, std::vector<std::string>>;

void add_setting(CLI::App& app, const SettingHelp& setting, FlagValues& values) {
  // The everyday ones have a short name too.
  const std::string names = setting.key == "api.listen" ? "--listen," + setting.flag : setting.flag;
  app.add_option(names, values[setting.key],
                 setting.help + " [" + setting.environment + "; " + setting.default_text + "]")
      ->type_name(setting.list ? "TEXT (repeatable)" : "VALUE")
      ->allow_extra_args(false)
      ->group("Settings");
}

void add_sources(CLI::App& app, SettingSources& sources, FlagValues& values, bool all_settings) {
  app.add_option("--config", sources.config_file, "configuration file (YAML) [SCRATCH_CONFIG]")
      ->type_name("FILE")
      ->envname("SCRATCH_CONFIG");
  for (const SettingHelp& setting : setting_helps()) {
    if (all_settings || setting.key == "data_dir") add_setting(app, setting, values);
  }
}

std::vector<std::pair<std::string, std::string>> flags_of(const FlagValues& values) {
  std::vector<std::pair<std::string, std::string>> out;
  for (const auto& [key, given] : values) {
    for (const std::string& value : given) out.emplace_back(key, value);
  }
  return out;
}

// A mode of json::Flatten, by its names.
void add_flatten(CLI::App& app, std::string& flatten, const std::string& help) {
  app.add_option("--flatten", flatten, "horizontal, vertical, multitable or none" + help)
      ->check(CLI::IsMember({"horizontal", "vertical", "explode", "multitable", "none"}));
}

// Keys never stand in a help text: CLI11 would show one that came from the environment as the default.
void add_server(CLI::App& app, std::string& url, std::string& key) {
  url = "http://localhost:8080";
  key = "local";
  app.add_option("--url", url, "the server: http:// or https:// [http://localhost:8080]")
      ->envname("SCRATCHDATA_URL");
  app.add_option("--key", key, "an API key; better in the environment than here [local]")
      ->envname("SCRATCHDATA_KEY");
}

void add_insert_options(CLI::App& app, InsertCommand& insert) {
  app.add_option("files", insert.files,
                 "NDJSON, JSON, CSV (each also .gz or .zst) or Parquet; - or none: standard input");
  add_server(app, insert.url, insert.key);
  app.add_option("--format", insert.format,
                 "ndjson, json, csv or parquet [by the file's name, else by its first bytes]")
      ->check(CLI::IsMember({"ndjson", "jsonl", "json", "csv", "parquet"}));
  add_flatten(app, insert.flatten, "");
  app.add_option("--flatten-depth", insert.flatten_depth, "deeper values stay JSON");
  app.add_flag("--strict", insert.strict,
               "one bad row refuses the whole chunk, and ends the upload");
  app.add_flag("--wait", insert.wait, "go on only when the rows can be queried");
  app.add_flag("--gzip", insert.gzip, "compress what is sent");
  app.add_option("--concurrency", insert.concurrency,
                 "connections; 1 keeps the order of the rows [4]")
      ->check(CLI::Range(1, 64));
  app.add_option("--timeout", insert.timeout_s, "seconds that one request may take [120]")
      ->check(CLI::Range(0.1, 86400.0));
  app.add_option("--retries", insert.retries,
                 "tries of a request after the first [as many as fit into 5 minutes]");
  app.add_option("--chunk-bytes", insert.chunk_bytes, "size of a request, before --gzip [4MiB]")
      ->transform(CLI::AsSizeValue(false))
      ->check(CLI::Range(std::size_t{1}, std::size_t{1} << 30));
  app.add_option("--resume-key", insert.resume_key,
                 "a name for the input: what was sent under it before is not stored again");
  app.add_flag("--quiet", insert.quiet, "no progress and no summary: only what went wrong");
}

// The parser, and the commands that it fills in.
struct Parser {
  CLI::App app{kDescription, "scratchdata"};
  bool version = false;
  FlagValues values;
  ServeCommand serve;
  ConfigCheckCommand check;
  KeyCreateCommand create;
  KeyListCommand list;
  KeyRevokeCommand revoke;
  SignInCommand sign_in;
  SecretRotateCommand rotate;
  JournalInspectCommand inspect;
  InsertCommand insert;
  QueryCommand query;
  EngineCommand engine;
  std::vector<std::pair<CLI::App*, Command (*)(Parser&)>> leaves;

  Parser() {
    app.add_flag("--version", version, "version of the program and of DuckDB");
    app.require_subcommand(0, 1);
    add_serve();
    add_config();
    add_keys();
    add_sign_in();
    add_secret();
    add_clients();
    add_rest();
  }

  void add_serve() {
    CLI::App* sub = app.add_subcommand("serve", "run the server");
    add_sources(*sub, serve.settings, values, true);
    leaves.emplace_back(sub, [](Parser& p) -> Command {
      p.serve.settings.flags = flags_of(p.values);
      return p.serve;
    });
  }

  void add_config() {
    CLI::App* config = app.add_subcommand("config", "look at a configuration");
    config->require_subcommand(1);
    CLI::App* sub = config->add_subcommand("check", "say what is wrong with a configuration file");
    sub->add_option("file", check.file, "the file; - for standard input")->required();
    leaves.emplace_back(sub, [](Parser& p) -> Command { return p.check; });
  }

  void add_keys() {
    CLI::App* key = app.add_subcommand("key", "API keys, server running or not");
    key->require_subcommand(1);

    CLI::App* sub = key->add_subcommand("create", "make a key and print it, once");
    add_sources(*sub, create.settings, values, false);
    CLI::Option* destination =
        sub->add_option("--destination", create.destination, "name or id of its destination");
    sub->add_flag("--admin", create.admin, "a key for every destination")->excludes(destination);
    sub->add_option("--scopes", create.scopes,
                    "insert, query, share, tail, admin, or all [insert,query,share; with "
                    "--endpoints query]");
    sub->add_option("--name", create.name, "what it is for");
    sub->add_option("--tables", create.tables, "the only tables it may use")->delimiter(',');
    sub->add_option("--max-rows", create.max_rows, "the most rows that a query of it may give");
    sub->add_option("--max-bytes", create.max_bytes, "the most bytes of a query's answer");
    CLI::Option* endpoints =
        sub->add_option("--endpoints", create.endpoints,
                        "the saved endpoints that it may call, and then nothing else")
            ->delimiter(',');
    sub->add_option("--params", create.params,
                    "what it fixes of their parameters, as JSON: '{\"user\":\"alice\"}'")
        ->needs(endpoints);
    sub->add_option("--requests-per-minute", create.requests_per_minute,
                    "how often it may be used");
    add_flatten(*sub, create.flatten,
                ": how rows sent with it become rows, where the request does not say");
    leaves.emplace_back(sub, [](Parser& p) -> Command {
      p.create.settings.flags = flags_of(p.values);
      return p.create;
    });

    sub = key->add_subcommand("list", "show the keys (never their secrets)");
    add_sources(*sub, list.settings, values, false);
    sub->add_option("--destination", list.destination, "only those of this destination");
    leaves.emplace_back(sub, [](Parser& p) -> Command {
      p.list.settings.flags = flags_of(p.values);
      return p.list;
    });

    sub = key->add_subcommand("revoke", "end a key; a running server knows within a second");
    add_sources(*sub, revoke.settings, values, false);
    sub->add_option("key", revoke.key, "id or prefix, as in the list")->required();
    leaves.emplace_back(sub, [](Parser& p) -> Command {
      p.revoke.settings.flags = flags_of(p.values);
      return p.revoke;
    });
  }

  void add_sign_in() {
    CLI::App* sub =
        app.add_subcommand("sign-in", "print a link that signs in to the dashboard, once");
    add_sources(*sub, sign_in.settings, values, false);
    sub->add_option("--key", sign_in.key,
                    "with what this key may do, by its id or prefix [an admin key]");
    leaves.emplace_back(sub, [](Parser& p) -> Command {
      p.sign_in.settings.flags = flags_of(p.values);
      return p.sign_in;
    });
  }

  void add_secret() {
    CLI::App* secret =
        app.add_subcommand("secret", "the key that secrets are encrypted with at rest");
    secret->require_subcommand(1);
    CLI::App* sub = secret->add_subcommand(
        "rotate", "encrypt everything with a new key; the server must not run");
    add_sources(*sub, rotate.settings, values, false);
    sub->add_option("--new-key-env", rotate.new_key_env,
                    "environment variable that holds the new key, 64 hex digits [a random one in "
                    "secret.key, where no secret_key is configured]")
        ->type_name("NAME");
    leaves.emplace_back(sub, [](Parser& p) -> Command {
      p.rotate.settings.flags = flags_of(p.values);
      return p.rotate;
    });
  }

  void add_clients() {
    CLI::App* sub = app.add_subcommand("insert", "send files, or standard input, to a server");
    sub->add_option("table", insert.table, "the table")->required();
    add_insert_options(*sub, insert);
    leaves.emplace_back(sub, [](Parser& p) -> Command { return p.insert; });

    sub = app.add_subcommand("query", "ask a server and print the result");
    sub->add_option("sql", query.sql, "one SELECT; - reads it from standard input")->required();
    add_server(*sub, query.url, query.key);
    sub->add_option(
           "--format", query.format,
           "table, json, ndjson, csv, tsv, jsoncompact, html, arrow, parquet or xlsx [table on "
           "a terminal, else ndjson]")
        ->check(CLI::IsMember({"table", "json", "ndjson", "jsonl", "csv", "tsv", "jsoncompact",
                               "html", "arrow", "parquet", "xlsx"}));
    sub->add_option("--param", query.params,
                    "NAME=VALUE for $NAME; may be repeated. A VALUE that is JSON is that, any "
                    "other is text");
    sub->add_option("--timeout", query.timeout_s, "seconds, on the server [its own limit]")
        ->check(CLI::Range(0.001, 86400.0));
    leaves.emplace_back(sub, [](Parser& p) -> Command { return p.query; });
  }

  void add_rest() {
    CLI::App* journal = app.add_subcommand("journal", "look at a journal");
    journal->require_subcommand(1);
    CLI::App* sub = journal->add_subcommand("inspect", "show and verify segments and records");
    sub->add_option("directory", inspect.directory, "the journal's directory")->required();
    leaves.emplace_back(sub, [](Parser& p) -> Command { return p.inspect; });

    sub = app.add_subcommand("engine", "");
    sub->group("");  // not in the help: the server starts it
    sub->add_option("--control-fd", engine.control_fd)->required()->check(CLI::Range(0, 1 << 20));
    leaves.emplace_back(sub, [](Parser& p) -> Command { return p.engine; });
  }
};

}  // namespace

Command parse_command_line(int argc, const char* const* argv) {
  Parser parser;
  try {
    parser.app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::ostringstream out;
    std::ostringstream err;
    const int code = parser.app.exit(error, out, err);
    return ExitCommand{
        .code = code == 0 ? kExitOk : kExitUsage, .out = out.str(), .err = err.str()};
  }
  if (parser.version) return VersionCommand{};
  for (const auto& [sub, make] : parser.leaves) {
    if (sub->parsed()) return make(parser);
  }
  return ExitCommand{.code = kExitUsage, .out = "", .err = parser.app.help()};
}

}  // namespace sd::server
