#include "engine/query_stream.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <thread>

#include "base/checksum.h"
#include "base/file.h"
#include "base/ids.h"
#include "engine/chunk_reader.h"
#include "engine/result_pipe.h"
#include "json/document.h"
#include "query/describe.h"
#include "query/parameters.h"
#include "query/parquet_type.h"
#include "query/xlsx_writer.h"

namespace sd::engine {
namespace {

using namespace destinations::duckdb;

constexpr std::size_t kWriteSize = 512U << 10;
// Smaller results fit into a packet as they are.
constexpr std::size_t kWorthCompressing = 1400;

class Stream {
 public:
  Stream(RunningQuery& running, QueryTask& task, duckdb_connection connection,
         const StreamContext& context)
      : running_(running), task_(task), connection_(connection), context_(context) {}

  Result<std::uint64_t> run(const query::GatedStatement& statement) {
    if (!statement.volatile_result && !context_.state.empty()) start_.etag = entity_tag();
    if (is_known(start_.etag)) {
      start_.not_modified = true;
      TRY(context_.started(start_));
      return 0;
    }
    TRY(begin());
    reworded_ = has_casts_ = statement.has_casts;
    if (task_.format == query::Format::kParquet) return copy_parquet(statement);
    TRY_ASSIGN(const Prepared prepared, query::prepare(connection_, statement));
    TRY(bind(prepared, statement));
    Pending pending;
    if (duckdb_pending_prepared_streaming(prepared.get(), pending.out()) != DuckDBSuccess) {
      return fail(failure(duckdb_pending_error(pending.get()), DUCKDB_ERROR_INVALID_INPUT));
    }
    if (running_.should_stop()) return fail(ErrorCode::kCancelled, "cancelled");
    QueryResult result;
    if (duckdb_execute_pending(pending.get(), result.get()) != DuckDBSuccess) {
      return fail(failure(result));
    }
    return task_.format == query::Format::kXlsx ? write_workbook(result) : encode(result);
  }

 private:
  Error failure(const char* message, duckdb_error_type type) const {
    // With several threads DuckDB sometimes names the task that it stopped instead of the one that failed. Nobody
    // cancelled this query.
    if (type == DUCKDB_ERROR_INTERRUPT && !running_.should_stop()) {
      return {.code = ErrorCode::kInvalidArgument,
              .message =
                  "the query failed while it ran, and DuckDB gave no reason; where "
                  "it has several threads, sending it again may tell",
              .slug = "sql-error"};
    }
    Error error = query::sql_error(type, message != nullptr ? message : "DuckDB gave no reason",
                                   task_.sql, "sql-error");
    if (error.code == ErrorCode::kResourceExhausted) error.status = 422;
    if (reworded_) error.message = query::without_excerpt(error.message);
    return error;
  }
  Error failure(QueryResult& result) const {
    return failure(duckdb_result_error(result.get()), duckdb_result_error_type(result.get()));
  }
  Error too_many_rows() const {
    return Error{.code = ErrorCode::kInvalidArgument,
                 .message = "the result has more than " + std::to_string(task_.max_rows) +
                            " rows, which is the limit of this API key or endpoint",
                 .slug = "result-too-large",
                 .status = 422};
  }

  // Weak (RFC 9110 8.8.1): without ORDER BY the same rows may come in another order.
  std::string entity_tag() const;
  bool is_known(const std::string& etag) const;

  Result<> bind(const Prepared& prepared, const query::GatedStatement& statement) const {
    if (task_.parameters.empty()) return query::bind(prepared.get(), statement, nullptr);
    TRY_ASSIGN(const json::Value parameters, json::parse_document(task_.parameters));
    if (task_.types.empty()) return query::bind(prepared.get(), statement, &parameters);
    TRY_ASSIGN(const json::Value types, json::parse_document(task_.types));
    return query::bind(prepared.get(), statement, &parameters, &types);
  }

  // An instance that begins no transaction has no other use either: the error ends the engine.
  Result<> begin() {
    Result<> begun = execute(connection_, "BEGIN TRANSACTION READ ONLY");
    if (begun || begun.error().code == ErrorCode::kCancelled) return begun;
    return fail(Error{.code = ErrorCode::kInternal,
                      .message = begun.error().message,
                      .slug = "engine-stopped",
                      .status = 503,
                      .retry_after_s = 1});
  }

  // A saved endpoint's result, which its description follows.
  void note_columns(const query::ResultShape& shape) {
    if (!task_.types.empty()) start_.columns = query::columns_json(query::described(shape));
  }

  Result<> tell() {
    if (told_) return {};
    told_ = true;
    return context_.started(start_);
  }

  Result<std::uint64_t> encode(QueryResult& result);
  Result<std::uint64_t> write_workbook(QueryResult& result);
  Result<> send_file(const std::string& path);
  Result<std::uint64_t> copy_parquet(const query::GatedStatement& statement);
  Result<> count_first(const query::GatedStatement& statement);
  Result<std::string> exact_in_parquet(const query::GatedStatement& statement);

  RunningQuery& running_;
  QueryTask& task_;
  duckdb_connection connection_;
  const StreamContext& context_;
  StreamStart start_;
  bool told_ = false;
  bool reworded_ = false;   // what runs are words of ours around the statement
  bool has_casts_ = false;  // and within it: declared_sql.h
};

std::string Stream::entity_tag() const {
  Sha256 hash;
  const auto add = [&](std::string_view part) {
    const std::uint64_t size = part.size();
    hash.update({reinterpret_cast<const char*>(&size), sizeof size});
    hash.update(part);
  };
  add(context_.state);
  add(task_.sql);
  add(task_.parameters);
  add(task_.types);
  add(query::format_name(task_.format));
  add(task_.variant);
  const Sha256Digest digest = hash.finish();
  static constexpr char kHex[] = "0123456789abcdef";
  std::string tag = "W/\"";
  for (std::size_t i = 0; i < 16; ++i) {
    tag += kHex[digest[i] >> 4];
    tag += kHex[digest[i] & 15];
  }
  return tag + '"';
}

// If-None-Match compares weakly (RFC 9110 13.1.2). Our tags hold no comma, so that a search is enough; "*" matches no
// result that does not exist yet.
bool Stream::is_known(const std::string& etag) const {
  return !etag.empty() && task_.if_none_match.find(etag.substr(2)) != std::string::npos;
}

Result<std::uint64_t> Stream::encode(QueryResult& result) {
  TRY_ASSIGN(const query::ResultShape shape, query::ResultShape::from(result.ref(), has_casts_));
  note_columns(shape);
  const auto encoder = query::Encoder::make(task_.format, task_.encode, shape);
  ResultPipe pipe(std::move(task_.out), running_.stalls, [this] { return running_.should_stop(); });
  std::uint64_t rows = 0;
  // The first rows go out at once, later ones in large pieces.
  const auto write = [&](bool first) -> Result<> {
    if (first) {
      std::size_t size = pipe.buffer().size();
      for (const std::string_view part : encoder->behind()) size += part.size();
      const bool compress = size >= kWorthCompressing;
      start_.coding = compress ? task_.coding : query::Coding::kIdentity;
      TRY(pipe.compress(start_.coding));
      TRY(tell());
    }
    TRY(pipe.write(first, encoder->behind()));
    running_.bytes = pipe.bytes();
    running_.rows = rows;
    return {};
  };
  encoder->begin(pipe.buffer());
  ChunkReader reader(result, running_);
  while (true) {
    if (running_.should_stop()) return fail(ErrorCode::kCancelled, "cancelled");
    const ChunkReader::Next next = reader.next();
    if (next.failed) return fail(failure(result));
    if (!next.chunk) break;
    const idx_t size = duckdb_data_chunk_get_size(next.chunk.get());
    rows += size;
    if (task_.max_rows != 0 && rows > task_.max_rows) return fail(too_many_rows());
    for (idx_t row = 0; row < size;) {
      TRY_ASSIGN(row, encoder->rows(next.chunk.get(), row, kWriteSize, pipe.buffer()));
      const bool large = pipe.buffer().size() >= kWriteSize || !encoder->behind().empty();
      if (!told_ || large) TRY(write(!told_));
    }
  }
  encoder->end(pipe.buffer());
  TRY(write(!told_));
  running_.rows = rows;
  TRY(pipe.finish());
  return rows;
}

// A file that goes with this.
class TemporaryFile {
 public:
  explicit TemporaryFile(std::string path) : path_(std::move(path)) {}
  ~TemporaryFile() { ::unlink(path_.c_str()); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  const std::string& path() const { return path_; }

 private:
  const std::string path_;
};

Result<std::uint64_t> Stream::write_workbook(QueryResult& result) {
  TRY_ASSIGN(const query::ResultShape shape, query::ResultShape::from(result.ref(), has_casts_));
  note_columns(shape);
  const TemporaryFile file(context_.temp_folder + "/" + Id128::make().to_string() + ".xlsx");
  TRY_ASSIGN(const auto writer, query::XlsxWriter::make(file.path(), context_.temp_folder, shape));
  std::uint64_t rows = 0;
  {
    ChunkReader reader(result, running_);
    for (;;) {
      if (running_.should_stop()) return fail(ErrorCode::kCancelled, "cancelled");
      const ChunkReader::Next next = reader.next();
      if (next.failed) return fail(failure(result));
      if (!next.chunk) break;
      rows += duckdb_data_chunk_get_size(next.chunk.get());
      if (task_.max_rows != 0 && rows > task_.max_rows) return fail(too_many_rows());
      TRY(writer->rows(next.chunk.get()));
      running_.rows = rows;
    }
  }
  if (running_.should_stop()) return fail(ErrorCode::kCancelled, "cancelled");
  // Packing cannot be interrupted, and a client may be slow: no checkpoint has to wait for either.
  TRY(execute(connection_, "ROLLBACK"));
  running_.reads = false;
  TRY(writer->finish());
  TRY(send_file(file.path()));
  return rows;
}

Result<> Stream::send_file(const std::string& path) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return fail(errno_error("open", path, errno));
  TRY(tell());
  ResultPipe pipe(std::move(task_.out), running_.stalls, [this] { return running_.should_stop(); });
  for (;;) {
    std::string& buffer = pipe.buffer();
    buffer.resize(kWriteSize);
    const ssize_t n = ::read(file.get(), buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail(errno_error("read", path, errno));
    buffer.resize(static_cast<std::size_t>(n));
    if (n == 0) return pipe.finish();
    TRY(pipe.write(false));
    running_.bytes = pipe.bytes();
  }
}

// While DuckDB writes into the pipe by itself: tells when there is something in it, and how long it was full.
class PipeWatch {
 public:
  PipeWatch(int fd, Stalls& stalls, std::function<void()> begun)
      : fd_(fd), stalls_(stalls), begun_(std::move(begun)), thread_([this] { run(); }) {}
  ~PipeWatch() {
    done_ = true;
    thread_.join();
    stalls_.set_writing(false);
  }
  PipeWatch(const PipeWatch&) = delete;
  PipeWatch& operator=(const PipeWatch&) = delete;

 private:
  // A file begins with its four letters before there is any row.
  static constexpr int kHead = 4;

  void run() {
    while (!done_) {
      int size = 0;
      if (!told_ && ::ioctl(fd_, FIONREAD, &size) == 0 && size > kHead) {
        told_ = true;
        begun_();
      }
      pollfd room{fd_, POLLOUT, 0};
      stalls_.set_writing(::poll(&room, 1, 0) == 0);
      std::this_thread::sleep_for(std::chrono::milliseconds(told_ ? 20 : 2));
    }
  }

  const int fd_;
  Stalls& stalls_;
  const std::function<void()> begun_;
  std::atomic<bool> done_{false};
  bool told_ = false;
  std::thread thread_;
};

// Once DuckDB has begun to write, no answer can say any more that there is too much.
Result<> Stream::count_first(const query::GatedStatement& statement) {
  query::GatedStatement counted = statement;
  counted.sql = "SELECT count(*) FROM (FROM (" + statement.within_brackets() + "\n) LIMIT " +
                std::to_string(task_.max_rows + 1) + ")";
  TRY_ASSIGN(const Prepared prepared, query::prepare(connection_, counted));
  TRY(bind(prepared, statement));
  QueryResult result;
  if (duckdb_execute_prepared(prepared.get(), result.get()) != DuckDBSuccess)
    return fail(failure(result));
  const DataChunk chunk(duckdb_fetch_chunk(result.ref()));
  if (!chunk) return fail(ErrorCode::kInternal, "a count gave no row");
  const auto* count = static_cast<const std::int64_t*>(
      duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk.get(), 0)));
  if (static_cast<std::uint64_t>(*count) > task_.max_rows) return fail(too_many_rows());
  return {};
}

// The statement, with what Parquet cannot hold cast to what it can. The types are those of a run that gives no row:
// a parameter has one only once it is bound.
Result<std::string> Stream::exact_in_parquet(const query::GatedStatement& statement) {
  std::string inner = statement.within_brackets();
  query::GatedStatement empty = statement;
  empty.sql = "FROM (" + inner + "\n) LIMIT 0";
  TRY_ASSIGN(const Prepared prepared, query::prepare(connection_, empty));
  TRY(bind(prepared, statement));
  QueryResult result;
  if (duckdb_execute_prepared(prepared.get(), result.get()) != DuckDBSuccess)
    return fail(failure(result));
  TRY_ASSIGN(const query::ResultShape shape, query::ResultShape::from(result.ref(), has_casts_));
  note_columns(shape);
  return query::cast_for_parquet(inner, shape, has_casts_).value_or(inner);
}

Result<std::uint64_t> Stream::copy_parquet(const query::GatedStatement& statement) {
  if (statement.kind == query::GatedStatement::Kind::kExplain) {
    return fail(Error{.code = ErrorCode::kInvalidArgument,
                      .message = "EXPLAIN has no Parquet form",
                      .slug = "invalid-parameter"});
  }
  if (statement.collects_pivot_values) {
    return fail(Error{.code = ErrorCode::kInvalidArgument,
                      .message = "PIVOT without its list of values, as in ON x IN (1, 2), has no "
                                 "Parquet form",
                      .slug = "invalid-parameter"});
  }
  // Bound as it stands first, so that errors speak of the statement that was sent.
  TRY(query::prepare(connection_, statement));
  reworded_ = true;
  if (task_.max_rows != 0) TRY(count_first(statement));
  std::optional<ParquetSlots::Slot> slot;
  while (!slot) {
    if (running_.should_stop()) return fail(ErrorCode::kCancelled, "cancelled");
    TRY_ASSIGN(auto taken, context_.parquet.put(task_.out));
    if (taken) slot.emplace(std::move(*taken));
    if (!slot) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  TRY_ASSIGN(std::string inner, exact_in_parquet(statement));
  if (task_.max_rows != 0) {
    inner = "FROM (" + inner + "\n) LIMIT " + std::to_string(task_.max_rows + 1);
  }
  TRY_ASSIGN(const Prepared prepared,
             query::prepare_copy(connection_, statement,
                                 "COPY (" + inner + "\n) TO '" + slot->path() +
                                     "' (FORMAT PARQUET, USE_TMP_FILE false)"));
  TRY(bind(prepared, statement));
  QueryResult result;
  {
    const PipeWatch watch(slot->fd(), running_.stalls, [&] { (void)tell(); });
    if (duckdb_execute_prepared(prepared.get(), result.get()) != DuckDBSuccess) {
      return fail(failure(result));
    }
  }
  const idx_t rows = duckdb_rows_changed(result.get());
  if (task_.max_rows != 0 && rows > task_.max_rows) return fail(too_many_rows());
  TRY(tell());
  running_.rows = rows;
  slot->close();
  return rows;
}

}  // namespace

Result<std::uint64_t> stream_query(RunningQuery& running, QueryTask& task,
                                   const query::GatedStatement& statement,
                                   duckdb_connection connection, const StreamContext& context) {
  return Stream(running, task, connection, context).run(statement);
}

}  // namespace sd::engine
