// The front's hold on its engines: spawns one for a destination on first use, talks to it, watches it,
// starts it again when it dies, and stops it when it has been idle.
//
// What is asked of an engine that is not there yet waits until it is. When an engine dies, queries that
// it ran fail (kUnavailable, the one that it was killed for with kDeadlineExceeded), while waits for rows
// to be applied go on: the next engine continues from the position in the destination. It starts at
// once, unless engines of this destination keep dying within ten seconds of their start: then after a
// pause that doubles from 0.2 to 10 seconds, during which queries get kUnavailable.
//
// Threading: every function from any thread; none blocks, but for stop_all() and forget(). Callbacks
// come on the pool's own thread and must not block; each comes exactly once, on_started before on_end.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/result.h"
#include "base/unique_fd.h"
#include "destinations/batch.h"
#include "engine/protocol.h"
#include "engine/sandbox.h"
#include "query/compression.h"
#include "query/encoder.h"

namespace sd::engine {

struct PoolOptions {
  std::string executable;                          // of this program
  std::chrono::milliseconds idle_timeout{60'000};  // 0: never
  std::size_t max_engines = 32;                    // beyond it the one idle for longest is stopped
};

// A destination as the pool sees it, read when its engine starts and whenever news arrives.
class Source {
 public:
  virtual ~Source() = default;
  virtual StartMessage start_message() const = 0;
  // As it is called in metrics and logs.
  virtual std::string name() const { return start_message().destination_name; }
  virtual std::uint64_t durable_end() const = 0;
  // Whom its engine becomes; nullopt: it stays who the server is.
  virtual std::optional<UserIds> engine_user() const { return std::nullopt; }
  // Why no engine can be started for it; nullopt: one can. It is asked again every ten seconds.
  virtual std::optional<Error> cannot_start() const { return std::nullopt; }
  // False where stopping costs more than running: a database in memory.
  virtual bool may_idle_stop() const { return true; }
  // The destination has durably loaded up to here, and refused these rows since the last time. On the pool's thread.
  virtual void applied(const destinations::LoadState& state,
                       const destinations::RowsByTable& refused) = 0;
};

struct QueryRequest {
  std::string sql;
  std::string parameters;  // JSON, an array or an object; or empty
  std::string types;       // JSON: types declared for them (query/parameters.h)
  std::optional<std::vector<std::string>> tables;  // the only ones that it may read
  bool snapshot = false;                           // no SQL: the destination's file (snapshot.h)
  // No SQL: the rows of this Parquet file, which lies in StartMessage::frozen_folder.
  std::string source;
  query::Format format = query::Format::kJson;
  bool quote_int64 = false;
  bool quote_nan = false;
  bool spreadsheet = false;  // CSV and TSV
  query::Coding coding =
      query::Coding::kIdentity;  // that the client takes; small results have none
  std::uint64_t max_rows = 0;    // 0: no limit
  // What else an answer depends on that carries an entity tag, and the tags that the client has.
  std::string variant;
  std::string if_none_match;
  std::uint64_t position = 0;  // rows below it must be visible
  std::chrono::milliseconds fresh_timeout{5000};
  bool must_be_fresh = false;
  std::chrono::milliseconds timeout{300'000};
};

struct QueryStarted {
  std::string content_type;
  std::optional<std::uint64_t> length;  // of all that comes, where it is known
  query::Coding coding = query::Coding::kIdentity;
  std::string etag;           // empty: none
  bool not_modified = false;  // the client has this very result; nothing more comes
  bool fresh = true;
  std::string columns;            // with QueryRequest::types: [{"name","type"}]
  destinations::LoadState state;  // what had been applied, as far as the front has heard
};

struct QueryEvents {
  std::function<void(QueryStarted)> on_started;
  std::function<void(Result<std::uint64_t> rows)> on_end;  // an error also after on_started
};

struct EngineInfo {
  // kReady: it has its destination open. kIdle: nothing asks for one. kFailing: see `failure`.
  enum class Health : std::uint8_t { kReady, kIdle, kStarting, kFailing };

  std::string destination_id;
  std::string state;  // "starting", "running", "stopping", "waiting", "stopped"
  Health health = Health::kIdle;
  Micros health_since = 0;       // wall time
  std::optional<Error> failure;  // why it does not open its destination, does not load, or died
  int pid = 0;
  std::uint64_t restarts = 0;
  destinations::LoadState applied;
  std::optional<Error> trouble;
  std::size_t queries = 0;
};

class Pool {
 public:
  Pool(PoolOptions options, metrics::Registry& metrics);
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // Makes a destination known; its engine starts when something is asked of it, or when `load_now`.
  void add(const std::string& destination_id, std::shared_ptr<Source> source, bool load_now);
  // Stops the engine (letting it load what is durable where `drain`) and forgets the destination.
  void forget(const std::string& destination_id, bool drain);

  // Cheap and coalesced: call it for every batch that became durable.
  void notify_durable(const std::string& destination_id);

  // The result goes into `out`, a pipe's write end. Returns the query's id.
  std::uint64_t query(const std::string& destination_id, QueryRequest request, UniqueFd out,
                      QueryEvents events);
  void cancel(std::uint64_t query_id);
  // Calls back once `position` is applied. Never fails while the pool lives; forget_wait() ends it.
  using Applied = std::function<void(const destinations::LoadState&)>;
  std::uint64_t wait_applied(const std::string& destination_id, std::uint64_t position,
                             Applied done);
  void forget_wait(std::uint64_t wait_id);

  using Answer = std::function<void(Result<json::Value>)>;
  // How far a query is: {percent?, rows, bytes, stalled}. kNotFound where it has ended.
  void progress(const std::string& destination_id, std::uint64_t query_id, Answer answer);
  // Gates and binds a statement; with `types`, values of `parameters` included, and what it takes and gives comes back:
  // {parameters:[{name, type}], columns:[{name, type}]}, see query/describe.h.
  struct Checked {
    std::string sql;
    std::string parameters = {};  // as of a QueryRequest
    std::string types = {};
    bool describe = false;
  };
  void check(const std::string& destination_id, Checked what, Answer answer);
  // A question of questions.h, as a JSON object, answered from what holds everything below `position`; with
  // `must_be_fresh` an error where that is not so in time.
  void ask(const std::string& destination_id, std::string question, std::uint64_t position,
           bool must_be_fresh, Answer answer);

  // Whether the database that this message names can be opened, in an engine of its own that ends with the answer: nothing is
  // loaded or kept. kDeadlineExceeded after `limit`, kCancelled after forget_probe(). `done` comes when its process is gone.
  std::uint64_t probe(StartMessage message, std::chrono::milliseconds limit,
                      std::function<void(Result<>)> done);
  void forget_probe(std::uint64_t probe_id);

  std::vector<EngineInfo> info() const;

  // Has every engine load what is durable and close its destination, for at most `grace`; what is not
  // done by then is killed, and stays in the journal.
  void stop_all(std::chrono::milliseconds grace);

 private:
  void send_asking(const std::string& destination_id, std::function<void(json::Writer&)> fill,
                   Answer answer);

  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sd::engine
