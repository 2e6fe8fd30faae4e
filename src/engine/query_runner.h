// Queries inside the engine: one thread and one DuckDB connection each (query_stream.h). The pipe is the whole
// backpressure: a slow client stalls the encoder, a client that has gone is EPIPE.
//
// A query that runs over its time, not counting the time it was stalled on the pipe, is interrupted ten
// times a second; one that has not ended six tenths of a second later cannot be stopped, and the
// process is told to end, within a second of the deadline. watch() does both; the control thread calls it.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "base/clock.h"
#include "base/unique_fd.h"
#include "destinations/duckdb/duckdb_destination.h"
#include "engine/loader_thread.h"
#include "engine/parquet_slots.h"
#include "engine/protocol.h"
#include "engine/query_task.h"
#include "engine/questions.h"
#include "engine/running_query.h"
#include "query/declared_sql.h"
#include "query/gate.h"

namespace sd::engine {

class QueryRunner {
 public:
  // `floor`: nothing is answered before this much has been applied.
  // `temp_folder` takes files of formats that are no streams.
  // `fatal` ends the process: DuckDB's instance is of no more use after an INTERNAL or FATAL error, to loading neither.
  QueryRunner(destinations::duckdb::DuckdbDestination& destination, LoaderThread& loader,
              Channel& channel, journal::Position floor, QuestionContext questions,
              std::string temp_folder, std::function<void(const Error&)> fatal);
  ~QueryRunner();

  // Interrupts what runs and waits for it. Before the destination is closed.
  void stop();

  void start(QueryTask task);
  // Gates and binds a statement without running it; see Pool::check().
  void check(std::uint64_t id, json::Value message);
  void ask(std::uint64_t id, journal::Position position, Micros fresh_us, bool must_be_fresh,
           json::Value question);
  void cancel(std::uint64_t id);
  // Answers the question `id` with how far the query is: {percent?, rows, bytes, stalled}.
  void progress(std::uint64_t id, std::uint64_t query);

  // Looks after time limits. Returns the id of a query that cannot be stopped, 0 normally.
  std::uint64_t watch();
  std::size_t running() const;

 private:
  using Running = std::shared_ptr<RunningQuery>;
  using Work = std::function<Result<>(RunningQuery&)>;

  void spawn(std::uint64_t id, Micros timeout_us, Work work);
  // What the gate must know of the destination's own views and macros. Read once, where nobody else can change them.
  Result<std::shared_ptr<const query::Definitions>> definitions(duckdb_connection connection);
  // What is to be run: the user's statement once it is gated, or one of our own.
  Result<query::GatedStatement> statement_of(const QueryTask& task);
  Result<> run_query(RunningQuery& running, QueryTask& task);
  Result<> run_snapshot(RunningQuery& running, QueryTask& task, bool fresh);
  Result<bool> wait_fresh(RunningQuery& running, journal::Position position, Micros fresh_us,
                          bool must_be_fresh);
  void fail_query(std::uint64_t id, const Error& error);
  void reap();

  destinations::duckdb::DuckdbDestination& destination_;
  LoaderThread& loader_;
  Channel& channel_;
  const journal::Position floor_;
  const QuestionContext questions_;
  const std::string temp_folder_;
  const std::function<void(const Error&)> fatal_;
  const std::string instance_;  // of this process: nobody else changes the data while it lives
  ParquetSlots parquet_;
  query::KnownForms known_forms_;
  std::mutex definitions_mutex_;
  std::shared_ptr<const query::Definitions> definitions_;
  mutable std::mutex mutex_;
  std::map<std::uint64_t, Running> running_;
};

}  // namespace sd::engine
