// The control socket between the front and an engine: a stream socket pair, frames in both directions.
//
//   u32 little-endian length, then that many bytes of JSON: one object with a "type".
//   A frame that says "fd":true carries one descriptor (SCM_RIGHTS with its first byte).
//
// Front → engine
//   start     first; see StartMessage
//   durable   {position}                     the journal is durable up to here
//   load      {position}                     load up to here at once: somebody waits for it
//   query     {id, sql, snapshot, parameters?, types?, tables?, format, quote_int64, quote_nan, spreadsheet, coding, position, fresh_ms,
//              must_be_fresh, timeout_ms, max_rows, variant, if_none_match, fd:true}
//             the result goes into the descriptor, a pipe's write end; see query_task.h
//   progress  {id, query}                    how far is that query
//   cancel    {id}
//   check     {id, sql, parameters?, types?, describe}   gate and bind only; see Pool::check()
//   ask       {id, position, fresh_ms, must_be_fresh, question:{what, …}}   see questions.h
//   stop      {position}                     load up to here, leave the destination in order, exit
// Engine → front
//   hello     {version, duckdb}              first
//   applied   {position, rows_loaded, rows_failed, refused?:{table: rows}}
//             refused: since the last of these, as far as this engine knows
//   started   {id, content_type, length?, coding, fresh, etag, not_modified, columns?}
//             of a query: the first bytes are there, or will be
//   done      {id, rows}                     of a query: all its bytes are in the pipe
//   result    {id, data}                     of check, ask and progress
//   failed    {id, error}                    of query (also after started), check, ask, progress
//   trouble   {error}                        loading stands still, and why; {} when it goes on
//   alive     {}                             once a second
//   killing   {id}                           this query cannot be stopped; the engine ends itself
//   leaving   {}                             a query left DuckDB's instance unusable; the engine ends itself
//   stopped   {position}                     last
//   probed    {}                             of a start with probe:true: the database can be opened; last
//
// Both sides are one program of one version: hello's version is checked all the same.
#pragma once

#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/unique_fd.h"
#include "json/document.h"

namespace sd::engine {

inline constexpr int kProtocolVersion = 1;
inline constexpr std::size_t kMaxFrame = 64U << 20;

struct Frame {
  json::Value body;
  UniqueFd fd;
};

// Bytes and descriptors that arrived, cut into frames. One thread.
class FrameReader {
 public:
  // Reads once from a socket; false at its end. Would-block is true without bytes.
  Result<bool> read_from(int socket);
  // The next complete frame.
  Result<std::optional<Frame>> next();

 private:
  std::string buffer_;
  std::deque<UniqueFd> fds_;
};

// Frames on their way out of a socket that must not block. One thread.
class FrameWriter {
 public:
  void push(std::string_view json, UniqueFd fd = {});
  // Writes what the socket takes; true when nothing is left.
  Result<bool> write_to(int socket);
  bool empty() const { return frames_.empty(); }

 private:
  struct Out {
    std::string bytes;
    std::size_t sent = 0;
    UniqueFd fd;
  };
  std::deque<Out> frames_;
};

// The engine's end: send() from any thread, receive() from one; both block.
class Channel {
 public:
  explicit Channel(UniqueFd socket) : socket_(std::move(socket)) {}
  // An error means that the front is gone.
  Result<> send(std::string_view json);
  // nullopt: the front is gone.
  Result<std::optional<Frame>> receive();

 private:
  UniqueFd socket_;
  std::mutex send_mutex_;
  FrameReader reader_;
};

void write_error(json::Writer& writer, std::string_view key, const Error& error);
Error read_error(const json::Value& value);

// What an engine must know of its destination.
struct StartMessage {
  std::string destination_id;
  std::string destination_name;
  std::string type;  // "duckdb"
  std::vector<std::pair<std::string, std::string>> settings;
  std::string data_file;  // where the settings name none
  std::string folder;     // the destination's own; what the engine makes is made in it
  std::string temp_directory;
  std::string frozen_folder;  // results that were kept, to read (QueryRequest::source); empty: none
  std::string log_directory;
  Id128 log_id;
  std::uint64_t durable_end = 0;
  // What has been shown: nothing is answered from less. Matters where the database is in memory, and
  // each engine begins with an empty one.
  std::uint64_t floor = 0;
  unsigned threads = 2;
  std::uint64_t memory_limit_bytes = 0;
  std::uint64_t max_columns = 1000;
  std::uint64_t max_rows_of_a_row = 10'000;
  std::uint64_t load_after_ms = 300;          // unread rows are loaded when they are so old
  std::uint64_t load_after_bytes = 8U << 20;  // or so many
  int nice = 5;
  // See sandbox.h. Off only where a test looks for something that the walls hide (leaks, for one).
  bool sandbox = true;
  // Only opens the database and ends; `read_only`: one that is there already, which stays as it is.
  bool probe = false;
  bool read_only = false;
  bool require_sandbox = false;  // no engine without all of it
  std::uint32_t uid = 0;         // the system user to become; 0: stays who it is
  std::uint32_t gid = 0;
  std::string log_level = "info";
  bool log_json = false;

  std::string to_json() const;
  static Result<StartMessage> from_json(const json::Value& value);
};

}  // namespace sd::engine
