// Rows that were taken in, into the journal or through a dry run, and what is said of them.
#pragma once

#include <optional>
#include <string>

#include "api/ask.h"
#include "api/insert_body.h"
#include "api/insert_options.h"

namespace sd::api {

inline constexpr std::uint64_t kMaxDryRunBytes = 16U << 20;

struct Accepted {
  std::string table;
  json::BodySummary summary;
  journal::Position end = 0;  // the rows can be queried when the destination has come so far
  Id128 receipt;
  bool replayed = false;  // accepted before, with the same Idempotency-Key; nothing was stored now
};

// With strict, one bad row refuses the request. `kept`: too late for nothing to be stored: all of its rows are failed
// rows, under that receipt.
Result<> check_strict(const json::BodySummary& summary, bool strict, const Id128* kept = nullptr);

// All of the rows or none: durable when this returns. `key` is the hash of an Idempotency-Key,
// whose turn the caller holds.
Task<Result<Accepted>> store(App& app, http::Exchange& exchange, Tenant& tenant, std::string table,
                             const InsertOptions& options, Rows rows, std::optional<Id128> key);

// Waits until the rows can be queried; false after half a minute. What loading refused is added to
// the summary.
Task<bool> wait_visible(App& app, http::Exchange& exchange, const Tenant& tenant,
                        Accepted& accepted);

std::string answer_json(const Accepted& accepted, std::optional<bool> visible);

// What storing the rows would do: the answer to the request.
Task<Result<std::string>> dry_run(App& app, http::Exchange& exchange, Tenant& tenant,
                                  std::string table, const InsertOptions& options, Rows rows);

}  // namespace sd::api
