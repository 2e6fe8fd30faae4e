#include "catalog/model.h"

#include <algorithm>
#include <cctype>
#include <filesystem>

#include "base/words.h"

namespace sd::catalog {
namespace {

constexpr std::array kScopes = {Scope::kInsert, Scope::kQuery, Scope::kShare, Scope::kTail,
                                Scope::kAdmin};

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

std::string normalised(const std::filesystem::path& path) {
  return std::filesystem::absolute(path).lexically_normal().string();
}

}  // namespace

std::string_view to_string(Scope scope) {
  switch (scope) {
    case Scope::kInsert:
      return "insert";
    case Scope::kQuery:
      return "query";
    case Scope::kShare:
      return "share";
    case Scope::kTail:
      return "tail";
    case Scope::kAdmin:
      return "admin";
  }
  return "?";
}

std::string to_string(Scopes scopes) {
  std::string out;
  for (const Scope scope : kScopes) {
    if (!scopes.has(scope)) continue;
    if (!out.empty()) out += ',';
    out += to_string(scope);
  }
  return out;
}

Result<Scopes> parse_scopes(std::string_view text) {
  Scopes scopes;
  while (true) {
    const std::size_t comma = text.find(',');
    const std::string_view word = trimmed(text.substr(0, comma));
    if (word == "all") {
      scopes = Scopes::all();
    } else {
      const auto found = std::ranges::find(kScopes, word, [](Scope s) { return to_string(s); });
      if (found == kScopes.end()) {
        return fail(invalid("unknown scope \"" + std::string(word) +
                            "\"; the scopes are insert, query, share, tail, admin, all"));
      }
      scopes = scopes | Scopes::of(*found);
    }
    if (comma == std::string_view::npos) return scopes;
    text.remove_prefix(comma + 1);
  }
}

std::string_view to_string(Origin origin) {
  switch (origin) {
    case Origin::kApi:
      return "api";
    case Origin::kConfig:
      return "config";
    case Origin::kBuiltin:
      return "builtin";
    case Origin::kEnvironment:
      return "environment";
  }
  return "?";
}

std::string_view to_string(DestinationState state) {
  switch (state) {
    case DestinationState::kActive:
      return "active";
    case DestinationState::kDetached:
      return "detached";
    case DestinationState::kDeleting:
      return "deleting";
  }
  return "?";
}

bool is_secret_setting(std::string_view name) {
  std::string lower(name);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
  for (const std::string_view part :
       {"token", "password", "secret", "credential", "dsn", "private_key", "access_key", "api_key",
        "connection_string"}) {
    // The id of an access key is no secret, and people need to see it.
    if (lower.find(part) != std::string::npos && !lower.ends_with("_id")) return true;
  }
  return false;
}

std::string Destination::log_name() const {
  return id.to_string() + "." + std::to_string(log_generation);
}

const std::string& Destination::setting(const std::string& wanted) const {
  static const std::string kEmpty;
  const auto found = settings.find(wanted);
  return found == settings.end() ? kEmpty : found->second.value;
}

bool Destination::has(const std::string& wanted) const {
  const auto found = settings.find(wanted);
  return found != settings.end() && found->second.is_set();
}

std::optional<Error> unreadable_secret(const Destination& destination) {
  for (const auto& [name, setting] : destination.settings) {
    if (setting.unreadable.empty()) continue;
    return Error{
        .code = ErrorCode::kUnavailable,
        .message = "the setting \"" + name +
                   "\" was encrypted with a secret key that the server does not have: enter it "
                   "again, or start the server with that key (the setting secret_key, or the file "
                   "secret.key in the data directory)",
        .slug = "secret-unreadable"};
  }
  return std::nullopt;
}

std::string destination_folder(std::string_view data_dir, Id128 id) {
  return normalised(std::filesystem::path(data_dir) / "destinations" / id.to_string());
}

std::string frozen_folder(std::string_view data_dir, Id128 id) {
  return normalised(std::filesystem::path(data_dir) / "shares" / id.to_string());
}

std::optional<std::string> target_file(std::string_view data_dir, const Destination& destination) {
  if (destination.type != "duckdb") return std::nullopt;
  if (parse_bool(destination.setting("in_memory")) == true) return std::nullopt;
  const std::string& file = destination.setting("file");
  if (file == ":memory:") return std::nullopt;
  if (file.empty()) {
    if (destination.has("token")) return std::nullopt;
    return destination_folder(data_dir, destination.id) + "/data.duckdb";
  }
  if (destination.origin != Origin::kApi) return normalised(file);
  return normalised(std::filesystem::path(destination_folder(data_dir, destination.id)) / file);
}

bool is_in_memory(std::string_view data_dir, const Destination& destination) {
  return !target_file(data_dir, destination) && !destination.has("token");
}

std::string target_of(std::string_view data_dir, const Destination& destination) {
  if (const auto file = target_file(data_dir, destination)) return "file:" + *file;
  std::string target = destination.type;
  for (const auto& [name, setting] : destination.settings) {
    // A new password opens the same place.
    if (setting.secret) continue;
    target += '\n';
    target += name;
    target += '=';
    target += setting.value;
  }
  return target;
}

std::string make_secret() {
  return "sd_" + random_base62(43);
}

std::string display_prefix(std::string_view secret) {
  constexpr std::size_t kMadeLength = 46;
  if (secret.size() == kMadeLength && secret.starts_with("sd_")) {
    return std::string(secret.substr(0, 7));
  }
  // Cut at a character's start, so that the prefix is UTF-8 where the secret is.
  std::size_t size = std::min<std::size_t>(7, secret.size() / 4);
  while (size > 0 && (static_cast<unsigned char>(secret[size]) & 0xC0) == 0x80) --size;
  return std::string(secret.substr(0, size));
}

std::span<const std::string_view> well_known_secrets() {
  static constexpr std::array<std::string_view, 17> kWellKnown = {
      "local",   "admin",  "test",     "demo",    "dev",        "key",
      "token",   "secret", "password", "root",    "changeme",   "default",
      "api_key", "apikey", "example",  "scratch", "scratchdata"};
  return kWellKnown;
}

bool is_well_known_secret(std::string_view secret) {
  std::string lower(secret.substr(0, 32));
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
  const auto known = well_known_secrets();
  return std::ranges::find(known, lower) != known.end();
}

Sha256Digest hash_secret(std::string_view secret) {
  return sha256(secret);
}

}  // namespace sd::catalog
