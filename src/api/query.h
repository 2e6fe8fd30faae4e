// GET and POST /api/data/query: SQL in, a stream of rows out. Also the path that share downloads take.
#pragma once

#include <functional>
#include <string>

#include "api/access.h"

namespace sd::api {

Task<void> handle_query(App& app, http::Exchange& exchange);

struct StreamRequest {
  engine::QueryRequest query;
  Id128 id = Id128::make();     // by which it can be asked for and cancelled
  std::string party;            // who shares places among the queries with whom
  std::uint64_t max_bytes = 0;  // of the answer, which breaks off beyond it; 0: any number
  http::Headers headers;        // for the answer, beside Content-Type
  // For answers to strangers: errors say nothing about the query or the destination.
  bool hide_errors = false;
  int parameter_status = 400;  // of errors about the query's parameters
  bool has_tag = true;         // the answer carries an entity tag, where there is one
  // Of the answer: where it has a tag, or always where it is cached whatever changes.
  std::string cache_control = "private, no-cache";
  bool is_cached = false;
  // Asked once the result is there and before its first byte leaves; its error is the answer then.
  std::function<Task<Result<>>()> admit = {};
};

struct StreamOutcome {
  bool began = false;        // with the result, not an error
  bool unchanged = false;    // 304
  bool whole = false;        // all of it went out
  bool given_up = false;     // the client went away, or had it cancelled
  std::uint64_t bytes = 0;   // of it, as they were sent
  std::string columns = {};  // of a saved endpoint's; see engine::QueryStarted
};

// The id that the client chose for its query, or one of ours.
struct Asked;
Result<Id128> query_id_of(const Asked& asked);
// What the query waits for: all that was acknowledged by now, unless it says otherwise.
void set_freshness(const Asked& asked, Tenant& tenant, engine::QueryRequest& request);

// Runs the query on the tenant's engine and streams its result, or answers with the error.
Task<StreamOutcome> stream_query(App& app, http::Exchange& exchange, std::shared_ptr<Tenant> tenant,
                                 StreamRequest request);

}  // namespace sd::api
