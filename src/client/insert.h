// `scratchdata insert`: everything but the command line.
#pragma once

#include <atomic>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "client/inputs.h"
#include "client/transport.h"

namespace sd::client {

struct InsertOptions {
  std::string table;
  std::vector<std::string> files;
  std::string url;
  std::string key;
  std::optional<Format> format;
  std::string flatten;  // empty: the server's default
  std::optional<unsigned> flatten_depth;
  bool strict = false;
  bool wait = false;
  bool gzip = false;
  unsigned concurrency = 4;
  milliseconds timeout{120'000};
  RetryPolicy retry;
  ChunkLimits limits;
  std::optional<std::string> resume_key;
  bool quiet = false;
};

struct InsertContext {
  std::ostream& err;
  // Columns of the terminal that `err` is; nullopt: it is none. Asked for again and again, as
  // windows change.
  std::function<std::optional<std::size_t>()> terminal_width;
  OpenParquet open_parquet;
  const std::atomic<bool>& interrupted;
};

enum class InsertOutcome {
  kStored,   // every row
  kRefused,  // a row, a request, or an input in its middle
  kUsage,    // nothing was sent: a URL, a key, a file that cannot be right
  kInterrupted,
};

struct InsertResult {
  InsertOutcome outcome = InsertOutcome::kStored;
  // Threads may still be waiting, for the network or a pipe: the caller must end the process.
  bool abandoned = false;
};

InsertResult run_insert(const InsertOptions& options, const InsertContext& context);

}  // namespace sd::client
