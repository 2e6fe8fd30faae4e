// The catalog: destinations, keys, shares, saved endpoints and a few settings of the program, in SQLite
// (<data_dir>/catalog.sqlite), written as SQL that Postgres takes too.
//
// Several processes may hold it open: the server, and the command line beside it. WAL,
// synchronous=FULL (an answered change survives a power cut), foreign keys on, 5 s of patience with
// another writer.
//
// Invariants:
//  - Secrets of keys are stored only as SHA-256; the file never held one. Those of shares are stored as SHA-256 and
//    sealed (seal.h), those of destinations sealed, passwords of shares as Argon2id.
//  - What was sealed with a key that is not here is kept as it is, and keeps nothing else from working.
//  - Names of destinations are unique among those not deleted; so are their files.
//  - Every change that the key cache must see raises the *epoch* in the same transaction.
//  - Rows are never removed, only marked: an id once given out never means something else. (Sessions are, a month after.)
//
// Schema versions are numbered migrations (migrations.cc), each applied in one transaction with its
// record. A catalog newer than the program is refused.
//
// Threading: every method from any thread. They block on disk (writers also on each other, for as
// long as an fdatasync takes): never call them on an I/O thread; the hot path asks KeyCache.
//
// Errors: kInvalidArgument bad names and values; kNotFound; kAlreadyExists name, file or key taken;
// kPermissionDenied a change to what the configuration owns; kUnavailable another process holds the
// file for too long; kResourceExhausted disk full; kCorruption damaged file.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "catalog/model.h"

namespace sd::catalog {

struct CatalogOptions {
  std::string data_dir;     // must exist
  bool must_exist = false;  // kNotFound instead of making a new one
  std::string secret_key =
      {};  // what sealed texts are sealed with, 64 hex digits; empty: <data_dir>/secret.key
  const Clock* clock = &system_clock();
};

// Everything that the hot path needs, read in one transaction.
struct KeyTable {
  struct Row {
    Key key;
    Sha256Digest hash;
  };
  struct SessionRow {
    Session session;
    Sha256Digest hash;
  };
  std::int64_t epoch = 0;
  std::vector<Row> keys;                  // those not revoked
  std::vector<SessionRow> sessions;       // those not ended
  std::vector<Destination> destinations;  // those not deleted
};

class Catalog {
 public:
  // Opens or makes the file and brings its schema up to date.
  static Result<std::unique_ptr<Catalog>> open(CatalogOptions options);
  ~Catalog();
  Catalog(const Catalog&) = delete;
  Catalog& operator=(const Catalog&) = delete;

  // ---- destinations
  // origin kApi: the setting `file`, if any, is a plain name in the destination's own folder.
  Result<Destination> create_destination(const NewDestination& spec);
  // For the configuration, all at once: destinations of these names are made, or brought to this
  // shape and back to kActive; those not from the API that are not named become kDetached. A new
  // name with the file of one that would be detached renames that one: a file keeps its destination
  // and journal. kAlreadyExists if a name or file belongs to one made through the API, or stands
  // twice in the list. Answers in the order given. log_generation is raised where the target became
  // another one.
  Result<std::vector<Destination>> put_configured_destinations(
      const std::vector<NewDestination>& specs);
  // Raises log_generation if the target (file, MotherDuck database, type) becomes another one.
  Result<Destination> change_destination(Id128 id, const DestinationChange& change);
  Result<Destination> set_destination_state(Id128 id, DestinationState state);
  // Marks it deleted, revokes its keys and shares, frees its name and its file.
  Result<> delete_destination(Id128 id);
  Result<Destination> destination(Id128 id);
  Result<Destination> destination_named(std::string_view name);
  Result<Page<Destination>> list_destinations(PageRequest page = {});
  // What would end with it.
  struct Belongings {
    std::uint64_t keys = 0;    // in force
    std::uint64_t shares = 0;  // that can be opened
    std::uint64_t endpoints = 0;
  };
  Result<Belongings> belongings(Id128 destination_id);

  // ---- keys
  Result<CreatedKey> create_key(const NewKey& spec);
  // The keys of the configuration, all at once: new ones are made, changed ones changed, those that
  // are no longer in the list revoked. kAlreadyExists if one is also a key made through the API.
  Result<> put_configured_keys(const std::vector<ConfiguredKey>& keys);
  // Already revoked: fine, nothing changes. Keys of the configuration: kPermissionDenied.
  Result<Key> revoke_key(Id128 id);
  Result<Key> key(Id128 id);
  // By hash, then compared in constant time; revoked and unknown are kNotFound.
  Result<Key> key_by_secret(std::string_view secret);
  // Keys whose id or prefix begins with this text (revoked ones too), at most 10.
  Result<std::vector<Key>> keys_beginning(std::string_view text);
  // Of one destination, or every key (admin keys too) without. Revoked ones too.
  Result<Page<Key>> list_keys(std::optional<Id128> destination_id, PageRequest page = {});
  // Coarse last use, batched by KeyCache; never moves a time backwards.
  Result<> touch_keys(const std::vector<std::pair<Id128, Micros>>& uses);

  // ---- sessions. kNotFound where the key is revoked, or never was. Lifetimes in microseconds.
  Result<CreatedSession> create_session(Id128 key_id, Micros lifetime);
  // Its secret signs in once: redeem_sign_in_link() makes a session of it. kNotFound: used, expired or unknown.
  Result<CreatedSession> create_sign_in_link(Id128 key_id, Micros lifetime);
  Result<CreatedSession> redeem_sign_in_link(std::string_view secret, Micros lifetime);
  // Ended already, or never there: fine.
  Result<> end_session(Id128 id);

  // ---- shares
  Result<Share> create_share(const NewShare& spec);
  // By its capability, whatever its state is: ask is_live().
  Result<Share> share(Id128 token);
  Result<Page<Share>> list_shares(Id128 destination_id, PageRequest page = {});
  // By its id or its token; kNotFound if it is not of this destination.
  Result<Share> share_of(Id128 destination_id, Id128 id_or_token);
  Result<> revoke_share(Id128 destination_id, Id128 id_or_token);
  // Counts one download, atomically; kNotFound if the share is not live (any more).
  Result<> count_download(Id128 id);
  // The newest kKeptDownloads of a share are kept.
  static constexpr int kKeptDownloads = 10'000;
  Result<> log_download(const Download& download);
  Result<Page<Download>> list_downloads(Id128 share_id, PageRequest page = {});
  // By its own id: for whoever cleans up behind it.
  Result<Share> share_by_id(Id128 id);

  // ---- saved endpoints
  // kAlreadyExists where the name is taken.
  Result<Endpoint> create_endpoint(const NewEndpoint& spec);
  // A new version, unless the definition is that of the newest. Where it becomes public, only this version does; where it
  // stops being that, all do.
  Result<Endpoint> change_endpoint(const NewEndpoint& spec);
  // With its newest version, or the one of that number; kNotFound also where it is retired, in other words than where there
  // is no such endpoint.
  Result<Endpoint> endpoint(Id128 destination_id, std::string_view name,
                            std::optional<std::int64_t> version = {});
  // The active destinations that have a public one of this name, two at most.
  Result<std::vector<Id128>> destinations_of_public_endpoint(std::string_view name);
  Result<Page<Endpoint>> list_endpoints(Id128 destination_id, PageRequest page = {});
  // Oldest first, retired ones too.
  Result<std::vector<EndpointVersion>> endpoint_versions(Id128 endpoint_id);
  Result<> delete_endpoint(Id128 destination_id, std::string_view name);
  // kInvalidArgument for the newest: there is always one to serve.
  Result<> retire_endpoint_version(Id128 destination_id, std::string_view name,
                                   std::int64_t version);
  // What its results were seen to have; see EndpointVersion.
  Result<> set_endpoint_columns(Id128 endpoint_id, std::int64_t version,
                                const std::string& columns);
  // Adds to what is there; forgets what is older than 400 days.
  Result<> add_endpoint_usage(const std::vector<EndpointUsage>& usage);
  // By day and key, oldest first, from this day on.
  Result<std::vector<EndpointUsage>> endpoint_usage(Id128 endpoint_id, std::int64_t from_day);

  // ---- sealed texts (seal.h), for others who have something to hide
  std::string seal(std::string_view plain, std::string_view what) const;
  Result<std::string> unseal(std::string_view sealed, std::string_view what) const;

  // Seals everything with another key, whatever moment the process ends in; see sealed_rows.h. `new_key`: 64 hex digits,
  // which the caller sees to that the options name from then on; empty: a random one in <data_dir>/secret.key, where
  // the options name none. What cannot be read with the present key stays as it is. No other Catalog of this data directory
  // may seal anything meanwhile. `at` is told each step, for tests. kInvalidArgument where it is no
  // key, or the present one.
  struct Rotated {
    std::size_t sealed = 0, unreadable = 0;
  };
  static Result<Rotated> rotate_secret_key(const CatalogOptions& options,
                                           const std::string& new_key = {},
                                           const std::function<void(const char*)>& at = {});

  // ---- settings of the program (node id, first start done …)
  Result<std::optional<std::string>> meta(std::string_view name);
  Result<> set_meta(std::string_view name, std::string_view value);

  // ---- for KeyCache
  Result<KeyTable> key_table();
  // Cheap: tells whether any process changed keys or destinations since a KeyTable was read.
  Result<std::int64_t> epoch();
  // Called on the changing thread, after the commit and before the method returns; at most one.
  void on_change(std::function<void()> listener);

  const std::string& data_dir() const;
  const Clock& clock() const;

 private:
  struct Impl;
  explicit Catalog(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Name of the file in the data directory.
inline constexpr std::string_view kCatalogFileName = "catalog.sqlite";

}  // namespace sd::catalog
