// The files of a command line, one after another, as named chunks.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client/upload.h"

namespace sd::client {

// Opens a Parquet file as NDJSON: `path` is that of an open descriptor. Whoever has DuckDB gives
// it; see query/parquet_rows.h.
using OpenParquet = std::function<Result<std::unique_ptr<ByteSource>>(const std::string& path)>;

struct InputOptions {
  std::vector<std::string> files;  // "-": standard input; none: the same
  std::optional<Format> format;    // else by name, else by the first bytes
  ChunkLimits limits;
  std::string table;
  std::string parameters;  // see idempotency_key()
  std::optional<std::string> resume_key;
  OpenParquet open_parquet;
};

class Inputs {
 public:
  using OnUnsentRow = std::function<void(RefusedRow)>;

  // Opens every file once, so that a name that is wrong is known before anything is sent.
  static Result<std::unique_ptr<Inputs>> open(InputOptions options);

  void on_unsent(OnUnsentRow callback) { on_unsent_ = std::move(callback); }
  Result<std::optional<Outgoing>> next();

  // Of all of them; nullopt where one is a pipe.
  std::optional<std::uint64_t> total_bytes() const;
  // With this --resume-key, and the same bytes, the upload can be taken up again; empty where files
  // speak for themselves.
  const std::string& resume_key() const { return resume_key_; }

 private:
  struct Input {
    std::string path;
    std::string name;  // for people
    std::string identity;
    std::optional<std::uint64_t> size;
  };

  explicit Inputs(InputOptions options) : options_(std::move(options)) {}
  Result<> add(const std::string& path);
  Result<> begin(const Input& input);
  Result<std::unique_ptr<Chunker>> make_chunker(const Input& input);

  InputOptions options_;
  OnUnsentRow on_unsent_;
  std::deque<Input> inputs_;
  std::string resume_key_;

  std::size_t current_ = 0;
  UniqueFd file_;  // stays open: DuckDB opens it anew by its number
  std::unique_ptr<Chunker> chunker_;
  std::uint64_t number_ = 0;    // of the next chunk in its input
  std::uint64_t position_ = 0;  // of the last one
};

}  // namespace sd::client
