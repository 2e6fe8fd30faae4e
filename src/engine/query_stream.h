// One query, from its gated SQL to the last byte in the pipe, on the query's own thread.
//
// READ ONLY transaction → prepare → bind → run → encode chunk by chunk → pipe. The first chunk, or an error,
// decides the status of the answer: only then does the front hear "started".
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "destinations/duckdb/readers.h"
#include "engine/parquet_slots.h"
#include "engine/query_task.h"
#include "engine/running_query.h"
#include "query/gate.h"

namespace sd::engine {

// What the front is told before the first byte.
struct StreamStart {
  query::Coding coding = query::Coding::kIdentity;
  std::string etag;           // with its quotes; empty where a result depends on more than the data
  bool not_modified = false;  // the client has it: nothing is run and nothing comes
  // Of a task with declared types: [{"name","type"}], types as CAST takes them.
  std::string columns = {};
};

struct StreamContext {
  // Which state of the data the transaction that follows will see, at least: the same text means the same data. Empty
  // where nobody can tell: then no result has an entity tag.
  std::string state;
  std::function<Result<>(const StreamStart&)> started;
  std::string temp_folder;  // for files of formats that are no streams
  ParquetSlots& parquet;
};

// Returns how many rows went out.
Result<std::uint64_t> stream_query(RunningQuery& running, QueryTask& task,
                                   const query::GatedStatement& statement,
                                   duckdb_connection connection, const StreamContext& context);

}  // namespace sd::engine
