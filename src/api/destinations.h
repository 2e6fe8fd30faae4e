// Destinations, their keys, and the types that there are.
//
//   GET|POST           /api/destinations                     admin key
//   GET|PATCH|DELETE   /api/destinations/{id}                {id} is an id or a name
//   POST               /api/destinations/test                see destination_probe.h
//   POST               /api/destinations/{id}/test
//   GET                /api/destination-types
//   GET|POST           /api/destinations/{id}/keys
//   DELETE             /api/destinations/{id}/keys/{key}     204
//
// An admin key may do all of it. A key of a destination with the scope admin may GET its own
// destination and the types, and see, make and revoke keys of it; what it makes can do no more than
// itself. For every other destination it gets the answer of one that does not exist.
//
// An answer: {"id","name","type","settings","state","origin","read_only","created_at","updated_at",
// "health"}, see destination_health.h. GET of one adds "keys", "shares" and "endpoints", how many would
// end with it. POST adds "api_key", a first key with every scope, shown this once; so does POST …/keys with the key's
// own. Secrets are never shown: they read {"secret":true,"set":true}, and sent back so they stay.
//
// PATCH {"name"?,"settings"?}: settings not named stay, null removes one. What does not change where the
// rows go (a name, a new token) is done at once; the old name stays in metrics and logs until the server
// starts again. Where it does, every accepted row is loaded into the old target first (30 s, else 409 and
// nothing has changed); what is there stays there, and a memory's content ends with it.
//
// DELETE: 409 while accepted rows are not loaded, unless ?pending=drain (30 s for it) or
// ?pending=discard. Keys and shares end, the journal is removed; the database file stays in the data
// directory for its owner to keep or remove.
//
// One change of a destination at a time: the second gets 409.
#pragma once

#include "api/access.h"
#include "api/destination_types.h"

namespace sd::api {

Task<void> handle_list_destinations(App& app, http::Exchange& exchange);
Task<void> handle_create_destination(App& app, http::Exchange& exchange);
Task<void> handle_get_destination(App& app, http::Exchange& exchange);
Task<void> handle_change_destination(App& app, http::Exchange& exchange);
Task<void> handle_delete_destination(App& app, http::Exchange& exchange);
Task<void> handle_destination_types(App& app, http::Exchange& exchange);
Task<void> handle_list_keys(App& app, http::Exchange& exchange);
Task<void> handle_create_key(App& app, http::Exchange& exchange);
Task<void> handle_revoke_key(App& app, http::Exchange& exchange);

// Who asks, and the destination that the path names.
struct Managed {
  std::shared_ptr<const catalog::KeyInfo> key;
  std::shared_ptr<const catalog::Destination> destination;
};
enum class Who { kAdminKey, kOwnToo };
Result<Managed> manage(App& app, const http::Exchange& exchange, const Query& query, Who who);

Error owned_by_configuration();

// The members "type" and "settings" of a body that makes a destination, checked; it has no name yet.
Result<catalog::NewDestination> read_type_and_settings(const json::Value& body);
// The member "settings" of a body that changes one, checked together with what it has.
Result<SettingChanges> read_setting_changes(const json::Value& body,
                                            const catalog::Destination& before);

// A destination as answers show it, and what some of them say more.
struct Extras {
  std::string api_key = {};  // a new key of it, shown once
  std::optional<catalog::Catalog::Belongings> belongings = {};
};
std::string destination_json(App& app, const catalog::Destination& destination,
                             const catalog::KeyInfo& key,
                             const std::vector<engine::EngineInfo>& engines,
                             const Extras& extras = {});

}  // namespace sd::api
