// What the catalog holds, as plain values: destinations, API keys, shares, saved endpoints.
//
// Times are wall microseconds (base/clock.h). Ids are random UUIDs. Text is UTF-8 without NUL.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/checksum.h"
#include "base/clock.h"
#include "base/ids.h"
#include "base/result.h"

namespace sd::catalog {

// ---- scopes -------------------------------------------------------------------------------------

enum class Scope : std::uint8_t {
  kInsert = 1,  // insert, its receipts, dry run
  kQuery = 2,   // query, GET tables
  kShare = 4,   // shares
  kTail = 8,    // live tail
  kAdmin = 16,  // contracts, failed rows, keys, table changes of the key's destination
};

// A set of scopes; stored as the sum of the numbers above.
struct Scopes {
  std::uint8_t bits = 0;

  static Scopes all() { return {31}; }
  static Scopes of(Scope scope) { return {static_cast<std::uint8_t>(scope)}; }
  bool has(Scope scope) const { return (bits & static_cast<std::uint8_t>(scope)) != 0; }
  Scopes operator|(Scopes other) const { return {static_cast<std::uint8_t>(bits | other.bits)}; }
  friend bool operator==(const Scopes&, const Scopes&) = default;
};

std::string_view to_string(Scope scope);
// "insert,query", in a fixed order; empty for none.
std::string to_string(Scopes scopes);
// Comma-separated names, blanks around them allowed, "all" for every one; empty text and unknown
// names are kInvalidArgument, which names the known ones.
Result<Scopes> parse_scopes(std::string_view text);

// ---- destinations -------------------------------------------------------------------------------

// Who made a row. Only what the API made may be changed through the API.
enum class Origin : std::uint8_t {
  kApi = 0,          // API, dashboard or command line
  kConfig = 1,       // the configuration file
  kBuiltin = 2,      // the destination `local` of a first start
  kEnvironment = 3,  // motherduck_token in the environment
};
std::string_view to_string(Origin origin);

struct Setting {
  std::string value;
  bool secret = false;  // goes in, never comes out of the API
  // Of a secret that was sealed with a key that is not here: as the catalog holds it. Then `value` is empty, and what is
  // written back is this.
  std::string unreadable = {};
  bool is_set() const { return !value.empty() || !unreadable.empty(); }
  friend bool operator==(const Setting&, const Setting&) = default;
};
using Settings = std::map<std::string, Setting>;

// True for the names of settings that hold secrets (token, password, secret, credentials, dsn …).
// The catalog marks those itself, whatever the caller said.
bool is_secret_setting(std::string_view name);

enum class DestinationState : std::uint8_t {
  kActive = 0,
  kDetached =
      1,  // its entry in the configuration is gone; rows and journal stay, its keys are dead
  kDeleting = 2,  // takes no inserts; what it has accepted is being loaded or discarded
};
std::string_view to_string(DestinationState state);

struct Destination {
  Id128 id;
  std::string name;  // unique among those not deleted, 1–255 bytes
  std::string type;  // "duckdb"
  Settings settings;
  Origin origin = Origin::kApi;
  DestinationState state = DestinationState::kActive;
  // Numbers the journal logs that this destination has had: a change of target starts a new one.
  std::int64_t log_generation = 1;
  // Raised by every change of this row, so that holders of an old copy can tell.
  std::int64_t generation = 1;
  Micros created_at = 0;
  Micros updated_at = 0;

  bool read_only() const { return origin != Origin::kApi; }
  // Name of the journal's directory: "<id>.<log_generation>".
  std::string log_name() const;
  // The value of a setting, or an empty string.
  const std::string& setting(const std::string& name) const;
  bool has(const std::string& name) const;  // also where it cannot be read
};

// What keeps a destination from being opened: a secret of it that was sealed with a key that is not here. Says how that is
// mended.
std::optional<Error> unreadable_secret(const Destination& destination);

// The absolute, normalised path of the DuckDB file that a destination opens; nullopt where there is
// none (in memory, MotherDuck, another type). Precedence as in the original: `in_memory`, then
// `file`, then `token`; with none of them, and for a file named through the API, it is a file in
// the destination's own folder, <data_dir>/destinations/<id>/. Pure: looks at no disk.
std::optional<std::string> target_file(std::string_view data_dir, const Destination& destination);
// Neither a file nor MotherDuck.
bool is_in_memory(std::string_view data_dir, const Destination& destination);
// <data_dir>/destinations/<id>, absolute and normalised.
std::string destination_folder(std::string_view data_dir, Id128 id);
// <data_dir>/shares/<id>, the same: what its frozen shares hold.
std::string frozen_folder(std::string_view data_dir, Id128 id);

// What two shapes of a destination must share to be the same place: a change of it starts a new log.
std::string target_of(std::string_view data_dir, const Destination& destination);

struct NewDestination {
  std::string name;
  std::string type = "duckdb";
  Settings settings = {};
  Origin origin = Origin::kApi;
};

struct DestinationChange {
  std::optional<std::string> name = {};
  // Merged into the settings: nullopt removes one. Settings not named stay, secrets included.
  std::map<std::string, std::optional<Setting>> settings = {};
};

// ---- keys ---------------------------------------------------------------------------------------

struct Key {
  Id128 id;
  std::optional<Id128> destination_id;  // none: an admin key, for every destination
  std::string name;
  std::string prefix;  // first characters of the secret, for display: "sd_ab12"
  Scopes scopes;
  std::optional<std::vector<std::string>> tables;     // none: all; empty: not one
  std::optional<std::vector<std::string>> endpoints;  // saved endpoints; likewise
  std::string flatten = {};     // mode of rows whose request names none; empty: as the table says
  std::uint64_t max_rows = 0;   // of a query's result; 0: any number
  std::uint64_t max_bytes = 0;  // of a query's answer
  // JSON object: parameters of saved endpoints that this key cannot choose, and their values; empty: none.
  std::string parameters = {};
  std::uint64_t requests_per_minute = 0;  // 0: any number
  Origin origin = Origin::kApi;
  Micros created_at = 0;
  std::optional<Micros> last_used_at;  // coarse: minutes
  std::optional<Micros> revoked_at;

  bool is_admin() const { return !destination_id; }
};

struct NewKey {
  std::optional<Id128> destination_id = {};
  std::string name = {};
  Scopes scopes = Scopes::all();
  std::optional<std::vector<std::string>> tables = {};
  std::optional<std::vector<std::string>> endpoints = {};
  std::string flatten = {};
  std::uint64_t max_rows = 0;   // of a query's result; 0: any number
  std::uint64_t max_bytes = 0;  // of a query's answer
  std::string parameters = {};
  std::uint64_t requests_per_minute = 0;
};

struct CreatedKey {
  Key key;
  std::string secret;  // shown once, stored nowhere
};

// A browser that is signed in with a key: it may do what the key may, as long as the key does. Its secret stands in a
// cookie. (People with names of their own would stand here beside the key.)
struct Session {
  Id128 id;
  Id128 key_id;
  Micros expires_at = 0;
};

struct CreatedSession {
  Session session;
  std::string secret;  // shown once, stored nowhere
};

// A key whose secret a person chose in the configuration (`api_keys`).
struct ConfiguredKey {
  std::string secret;
  std::optional<Id128> destination_id = {};
  Scopes scopes = Scopes::all();
  Origin origin = Origin::kConfig;
};

// "sd_" and 43 base62 characters: 256 random bits.
std::string make_secret();
// What may be shown of a secret: 7 characters of one that make_secret() made, at most a quarter of
// one that a person chose.
std::string display_prefix(std::string_view secret);
// `local`, `admin` and other secrets that anybody would try first. They serve on loopback only.
bool is_well_known_secret(std::string_view secret);
std::span<const std::string_view> well_known_secrets();
// The hash that the catalog keeps of a secret.
Sha256Digest hash_secret(std::string_view secret);

// ---- shares -------------------------------------------------------------------------------------

// What a frozen share holds: its result as it was when it was made.
struct Frozen {
  std::int64_t rows = 0;
  std::int64_t bytes = 0;  // of its Parquet file
};

struct Share {
  Id128 id;  // names its files and its log; of no use to anybody outside
  // The capability itself: whoever knows it may read. Stored as its hash, and sealed for the owner to see again; none
  // where that was done with a secret key that is not here any more.
  std::optional<Id128> token;
  Id128 destination_id;
  std::optional<Id128> key_id;  // who made it
  std::string name;
  std::string query;
  std::vector<std::string> formats;  // empty: every format
  Micros created_at = 0;
  Micros expires_at = 0;
  std::optional<Micros> revoked_at;
  std::optional<std::int64_t> max_downloads;
  std::int64_t downloads = 0;
  std::string password_hash;     // empty: none
  std::optional<Frozen> frozen;  // none: live, it runs its query at each download
  // Of a live one's download; 0: as the server's settings say.
  std::int64_t max_rows = 0;
  std::int64_t timeout_ms = 0;
  std::int64_t max_running = 0;
  std::vector<std::string> embed;  // origins whose pages may hold its page in a frame

  // Revoked or expired: for good.
  bool has_ended(Micros now) const { return revoked_at || now >= expires_at; }
  bool is_used_up() const { return max_downloads && downloads >= *max_downloads; }
  bool is_live(Micros now) const { return !has_ended(now) && !is_used_up(); }
};

struct NewShare {
  Id128 id = Id128::make();
  Id128 destination_id;
  std::optional<Id128> key_id = {};
  std::string name = {};
  std::string query;
  std::vector<std::string> formats = {};
  Micros expires_at = 0;
  std::optional<std::int64_t> max_downloads = {};
  std::string password_hash = {};
  std::optional<Frozen> frozen = {};
  std::int64_t max_rows = 0;
  std::int64_t timeout_ms = 0;
  std::int64_t max_running = 0;
  std::vector<std::string> embed = {};
};

// One download of a share, for its owner.
struct Download {
  Id128 id = Id128::make();
  Id128 share_id;
  Micros at = 0;
  std::string format;
  std::int64_t bytes = 0;  // sent
  bool whole = false;
  std::string address = {};  // empty where addresses are not kept
};

// ---- saved endpoints ----------------------------------------------------------------------------

// One version of a saved endpoint. A version never changes; a retired one is not served any more.
struct EndpointVersion {
  std::int64_t number = 0;   // from 1; goes on where an endpoint of that name was deleted
  std::string definition;    // JSON: see api/endpoint_definition.h
  std::string columns = {};  // of its results, as far as they are known: JSON, likewise
  bool is_public = false;    // so is the endpoint, and was when this was made
  Micros created_at = 0;
  std::optional<Micros> retired_at = {};
};

struct Endpoint {
  Id128 id;
  Id128 destination_id;
  std::string name;        // unique in its destination among those not deleted
  bool is_public = false;  // answers without a key
  Micros created_at = 0;
  Micros updated_at = 0;
  std::int64_t newest = 0;  // the number of its newest version
  EndpointVersion version;  // the one that was asked for
};

struct NewEndpoint {
  Id128 destination_id;
  std::string name;
  bool is_public = false;
  std::string definition;
  std::string columns = {};
};

// What calls of an endpoint came to on a day, by one key or by nobody known.
struct EndpointUsage {
  Id128 endpoint_id;
  std::optional<Id128> key_id = {};
  std::int64_t day = 0;  // since 1970-01-01, UTC
  std::int64_t calls = 0;
  std::int64_t errors = 0;  // of them, those that were no result
  std::int64_t bytes = 0;   // sent
};

// ---- lists --------------------------------------------------------------------------------------

// Part of a list, oldest first. `after` is the id of the last item seen.
struct PageRequest {
  int limit = 100;  // 1–1000
  std::optional<Id128> after = {};
};
template <typename T>
struct Page {
  std::vector<T> items;
  std::optional<Id128> next;  // `after` of the next page; none: this was the last
};

}  // namespace sd::catalog
