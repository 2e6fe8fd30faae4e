// A copy of the destination's file while it is in use: everything that was loaded, as a DuckDB file that stands alone.
//
// DuckDB changes what its file says only by a checkpoint: between two of them it may write blocks that nothing points to
// yet. So a checkpoint is made, the next one is held back, and the bytes of the file are sent as they lie.
#pragma once

#include <cstdint>
#include <functional>

#include "destinations/duckdb/duckdb_destination.h"
#include "engine/loader_thread.h"
#include "engine/query_task.h"
#include "engine/running_query.h"

namespace sd::engine {

// `started` gets the number of bytes before the first of them. kUnavailable where another snapshot is under way, where no
// checkpoint can be made for now, and where the next one could not be held back until the end; kInvalidArgument (409)
// where there is no file. Returns the bytes that went out.
Result<std::uint64_t> stream_snapshot(RunningQuery& running, QueryTask& task,
                                      destinations::duckdb::DuckdbDestination& destination,
                                      LoaderThread& loader,
                                      const std::function<Result<>(std::uint64_t)>& started);

}  // namespace sd::engine
