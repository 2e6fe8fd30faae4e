// `scratchdata key create | list | revoke`, `scratchdata sign-in`.
#include <algorithm>
#include <memory>

#include "api/endpoint_key.h"
#include "catalog/catalog.h"
#include "json/document_flattener.h"
#include "server/commands.h"

namespace sd::server {
namespace {

using catalog::Catalog;
using catalog::Key;

// The catalog of the data directory that flags, environment and file name; null after a line on
// err.
std::unique_ptr<Catalog> open_catalog(const SettingSources& settings, CommandContext& context,
                                      int& code, Config* config = nullptr) {
  const auto read = read_config(settings, context);
  if (!read) {
    code = kExitUsage;
    return nullptr;
  }
  auto opened = Catalog::open(
      {.data_dir = read->data_dir, .must_exist = true, .secret_key = read->secret_key});
  if (!opened) {
    code = refuse_catalog(context.err, *read, opened.error());
    return nullptr;
  }
  if (config != nullptr) *config = *read;
  return std::move(*opened);
}

Result<catalog::Destination> find_destination(Catalog& catalog, const std::string& text) {
  const auto id = Id128::parse(text);
  auto found = id ? catalog.destination(*id) : catalog.destination_named(text);
  if (found || found.error().code != ErrorCode::kNotFound) return found;
  std::string known;
  if (const auto all = catalog.list_destinations({.limit = 20})) {
    for (const auto& each : all->items) known += (known.empty() ? "" : ", ") + each.name;
  }
  return fail(ErrorCode::kNotFound, "there is no destination \"" + text + "\"" +
                                        (known.empty() ? "" : "; there are: " + known));
}

// Characters of a UTF-8 text. (Letters that are two columns wide may shift a line; nothing is
// lost.)
std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

// Columns as wide as their widest cell.
void print_table(std::ostream& out, const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width(row[i]));
  }
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) line.append(widths[i] - width(row[i]) + 2, ' ');
    }
    out << line << "\n";
  }
}

// Names come from people: nothing in them may move the terminal's cursor.
std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    out += byte < 0x20 || byte == 0x7F ? '?' : c;
  }
  return out;
}

std::string time_text(const std::optional<Micros>& at) {
  if (!at) return "-";
  return format_rfc3339(*at / kMicrosPerSecond * kMicrosPerSecond);
}

std::string destination_text(Catalog& catalog, const Key& key) {
  if (key.is_admin()) return "(every one)";
  const auto home = catalog.destination(*key.destination_id);
  return home ? printable(home->name) : "(deleted)";
}

// "tables a,b; endpoints orders with {"user":"alice"}; 120/min".
std::string restrictions_text(const Key& key) {
  std::string out;
  const auto add = [&](const std::string& text) { out += (out.empty() ? "" : "; ") + text; };
  const auto names = [](const std::vector<std::string>& all) {
    std::string list;
    for (const std::string& name : all) list += (list.empty() ? "" : ",") + printable(name);
    return list;
  };
  if (key.tables) add("tables " + names(*key.tables));
  if (key.endpoints) {
    add("endpoints " + names(*key.endpoints) +
        (key.parameters.empty() ? "" : " with " + printable(key.parameters)));
  }
  if (key.max_rows != 0) add(std::to_string(key.max_rows) + " rows");
  if (key.max_bytes != 0) add(std::to_string(key.max_bytes) + " bytes");
  if (key.requests_per_minute != 0) add(std::to_string(key.requests_per_minute) + "/min");
  return out.empty() ? "-" : out;
}

// Id, beginning of an id, prefix of a secret, or a whole secret.
Result<Key> find_key(Catalog& catalog, const std::string& text) {
  if (auto by_secret = catalog.key_by_secret(text)) return by_secret;
  if (text.size() < 4) return fail(invalid("give at least 4 characters of the key's id or prefix"));
  TRY_ASSIGN(std::vector<Key> found, catalog.keys_beginning(text));
  if (found.size() > 1) {
    std::erase_if(found, [](const Key& key) { return key.revoked_at.has_value(); });
  }
  if (found.empty()) return fail(ErrorCode::kNotFound, "there is no such key");
  if (found.size() > 1) return fail(invalid("more than one key begins like that; give its id"));
  return found.front();
}

}  // namespace

namespace {

// What the command asks for, but for the destination.
Result<catalog::NewKey> read_new_key(const KeyCreateCommand& command) {
  const char* usual = command.endpoints.empty() ? "insert,query,share" : "query";
  TRY_ASSIGN(const catalog::Scopes scopes,
             catalog::parse_scopes(command.scopes.empty() ? usual : command.scopes));
  catalog::NewKey spec{.name = command.name,
                       .scopes = command.admin ? catalog::Scopes::all() : scopes};
  if (!command.tables.empty()) spec.tables = command.tables;
  spec.max_rows = command.max_rows;
  spec.max_bytes = command.max_bytes;
  spec.requests_per_minute = command.requests_per_minute;
  if (!command.flatten.empty()) {
    const auto mode = json::parse_flatten(command.flatten);
    if (!mode) return fail(invalid("--flatten: horizontal, vertical, multitable or none"));
    spec.flatten = json::to_string(*mode);
  }
  if (command.endpoints.empty()) return spec;
  if (command.admin) return fail(invalid("an admin key cannot be for --endpoints only"));
  json::Value params;
  if (!command.params.empty()) {
    TRY_ASSIGN(params, json::parse_document(command.params));
  }
  TRY(api::lock_to_endpoints(spec, command.endpoints, params));
  return spec;
}

}  // namespace

int run_key_create(const KeyCreateCommand& command, CommandContext context) {
  auto spec = read_new_key(command);
  if (!spec) return refuse(context.err, spec.error());
  if (command.destination.empty() && !command.admin) {
    return refuse(context.err, "name the destination with --destination, or give --admin");
  }
  int code = kExitOk;
  const auto catalog = open_catalog(command.settings, context, code);
  if (!catalog) return code;
  if (!command.admin) {
    const auto home = find_destination(*catalog, command.destination);
    if (!home) return refuse(context.err, home.error());
    spec->destination_id = home->id;
  }
  if (const auto fits = api::check_endpoint_key(*catalog, *spec); !fits)
    return refuse(context.err, fits.error());
  const auto made = catalog->create_key(*spec);
  if (!made) return refuse(context.err, made.error());
  context.out << made->secret << "\n";
  context.err << "Key " << made->key.id.to_string() << " for "
              << (command.admin ? "every destination" : printable(command.destination))
              << ", scopes " << to_string(made->key.scopes) << ". It is shown only this once.\n";
  return kExitOk;
}

int run_key_list(const KeyListCommand& command, CommandContext context) {
  int code = kExitOk;
  const auto catalog = open_catalog(command.settings, context, code);
  if (!catalog) return code;
  std::optional<Id128> destination;
  if (!command.destination.empty()) {
    const auto home = find_destination(*catalog, command.destination);
    if (!home) return refuse(context.err, home.error());
    destination = home->id;
  }
  std::vector<std::vector<std::string>> rows = {{"ID", "PREFIX", "DESTINATION", "SCOPES", "FLATTEN",
                                                 "ONLY", "CREATED", "LAST USED", "REVOKED",
                                                 "NAME"}};
  catalog::PageRequest page{.limit = 1000};
  do {
    const auto keys = catalog->list_keys(destination, page);
    if (!keys) return refuse(context.err, keys.error());
    for (const Key& key : keys->items) {
      rows.push_back({key.id.to_string(), key.prefix + "…", destination_text(*catalog, key),
                      to_string(key.scopes), key.flatten.empty() ? "-" : key.flatten,
                      restrictions_text(key), time_text(key.created_at),
                      time_text(key.last_used_at), time_text(key.revoked_at), printable(key.name)});
    }
    page.after = keys->next;
  } while (page.after);
  print_table(context.out, rows);
  return kExitOk;
}

int run_key_revoke(const KeyRevokeCommand& command, CommandContext context) {
  int code = kExitOk;
  const auto catalog = open_catalog(command.settings, context, code);
  if (!catalog) return code;
  const auto key = find_key(*catalog, command.key);
  if (!key) return refuse(context.err, key.error());
  const auto revoked = catalog->revoke_key(key->id);
  if (!revoked) return refuse(context.err, revoked.error());
  context.out << (key->revoked_at ? "Key " + key->id.to_string() + " was revoked before.\n"
                                  : "Key " + key->id.to_string() + " is revoked.\n");
  return kExitOk;
}

namespace {

// A key for everything that nobody outside knows of already; one is made where there is none.
Result<Key> any_admin_key(Catalog& catalog) {
  catalog::PageRequest page{.limit = 1000};
  do {
    TRY_ASSIGN(const auto keys, catalog.list_keys(std::nullopt, page));
    for (const Key& key : keys.items) {
      if (key.is_admin() && !key.revoked_at && key.origin == catalog::Origin::kApi) return key;
    }
    page.after = keys.next;
  } while (page.after);
  TRY_ASSIGN(auto made, catalog.create_key({.name = "for signing in"}));
  return std::move(made.key);
}

// Where a browser on this machine finds the server.
std::string dashboard_url(const Config& config) {
  if (!config.api.base_url.empty()) return config.api.base_url;
  std::string address = config.api.listen.empty() ? "127.0.0.1:8080" : config.api.listen.front();
  for (const std::string_view any : {"0.0.0.0:", "[::]:"}) {
    if (address.starts_with(any)) address = "localhost:" + address.substr(any.size());
  }
  return "http://" + address;
}

}  // namespace

int run_sign_in(const SignInCommand& command, CommandContext context) {
  int code = kExitOk;
  Config config;
  const auto catalog = open_catalog(command.settings, context, code, &config);
  if (!catalog) return code;
  const auto key = command.key.empty() ? any_admin_key(*catalog) : find_key(*catalog, command.key);
  if (!key) return refuse(context.err, key.error());
  if (key->endpoints)
    return refuse(context.err, "this key is for saved endpoints: there is nothing for it to see");
  constexpr Micros kLifetime = 24LL * 3600 * kMicrosPerSecond;
  const auto link = catalog->create_sign_in_link(key->id, kLifetime);
  if (!link) return refuse(context.err, link.error());
  context.out << dashboard_url(config) << "/#sign-in=" << link->secret << "\n";
  context.err << "It works once, within a day, and does what the key " << key->prefix << "… ("
              << printable(key->name) << ") may do.\n";
  return kExitOk;
}

}  // namespace sd::server
