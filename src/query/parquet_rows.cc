#include "query/parquet_rows.h"

#include <duckdb.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "destinations/duckdb/handles.h"
#include "query/encoder.h"

namespace sd::query {
namespace {

using namespace destinations::duckdb;

bool is_word(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

std::string text_at(duckdb_data_chunk chunk, idx_t column, idx_t row) {
  auto* strings = static_cast<duckdb_string_t*>(
      duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk, column)));
  return {duckdb_string_t_data(&strings[row]), duckdb_string_t_length(strings[row])};
}

// A timestamp in nanoseconds, as DuckDB writes it: with no more digits than are needed, so that
// what is exact in microseconds can be a TIMESTAMPTZ. (strftime's %n spoils what stands behind it.)
std::string nanoseconds_text(const std::string& column) {
  const std::string text = column + "::VARCHAR";
  return "CASE WHEN isfinite(" + column + ") THEN replace(" + text + ", ' ', 'T') || 'Z' ELSE " +
         text + " END";
}

class DuckdbParquetRows final : public ParquetRows {
 public:
  Result<> open(const std::string& path) {
    TRY(check_library());
    if (duckdb_open(nullptr, database_.out()) != DuckDBSuccess ||
        duckdb_connect(database_.get(), connection_.out()) != DuckDBSuccess) {
      return fail(ErrorCode::kInternal, "DuckDB does not start");
    }
    // Rows in the file's order, little memory, and nothing from the network.
    for (const char* setting :
         {"SET TimeZone = 'UTC'", "SET threads = 2", "SET preserve_insertion_order = true",
          "SET autoinstall_known_extensions = false", "SET autoload_known_extensions = false"}) {
      TRY(execute(connection_.get(), setting));
    }
    const std::string file = quote_literal(path);
    const std::string from = " FROM read_parquet(" + file + ", hive_partitioning = false)";
    TRY_ASSIGN(const std::string columns, select_list(from));
    TRY(count_rows(file));
    const std::string sql = "SELECT " + columns + from;
    if (duckdb_prepare(connection_.get(), sql.c_str(), prepared_.out()) != DuckDBSuccess) {
      return fail(invalid(duckdb_prepare_error(prepared_.get())));
    }
    if (duckdb_pending_prepared_streaming(prepared_.get(), pending_.out()) != DuckDBSuccess) {
      return fail(invalid(duckdb_pending_error(pending_.get())));
    }
    if (duckdb_execute_pending(pending_.get(), result_.get()) != DuckDBSuccess) {
      return fail(result_error(result_.get()));
    }
    TRY_ASSIGN(ResultShape shape, ResultShape::from(result_.ref()));
    shape_ = std::make_unique<ResultShape>(std::move(shape));
    encoder_ = Encoder::make(Format::kNdjson, {}, *shape_);
    return {};
  }

  Result<bool> next(std::string& out, std::size_t soft_limit) override {
    while (out.size() < soft_limit) {
      if (row_ >= size_) {
        chunk_ = DataChunk(duckdb_fetch_chunk(result_.ref()));
        row_ = 0;
        size_ = chunk_ ? duckdb_data_chunk_get_size(chunk_.get()) : 0;
        if (size_ == 0) {
          if (const char* error = duckdb_result_error(result_.get());
              error != nullptr && *error != 0) {
            return fail(result_error(result_.get()));
          }
          return false;
        }
      }
      const idx_t before = row_;
      TRY_ASSIGN(row_, encoder_->rows(chunk_.get(), row_, soft_limit, out));
      rows_read_ += row_ - before;
    }
    return true;
  }

  std::uint64_t rows_read() const override { return rows_read_; }
  std::uint64_t rows_total() const override { return rows_total_; }

 private:
  // "*", or with REPLACE the columns that are written otherwise than DuckDB's type would be.
  Result<std::string> select_list(const std::string& from) {
    QueryResult described;
    const std::string sql = "DESCRIBE SELECT *" + from;
    if (duckdb_query(connection_.get(), sql.c_str(), described.get()) != DuckDBSuccess) {
      return fail(result_error(described.get()));
    }
    std::string replaced;
    while (true) {
      const DataChunk chunk(duckdb_fetch_chunk(described.ref()));
      if (!chunk) break;
      for (idx_t row = 0; row < duckdb_data_chunk_get_size(chunk.get()); ++row) {
        const std::string name = quote_identifier(text_at(chunk.get(), 0, row));
        const std::string type = text_at(chunk.get(), 1, row);
        const std::string zoned = with_time_zones(type);
        std::string expression;
        if (type == "TIMESTAMP_NS")
          expression = nanoseconds_text(name);
        else if (zoned != type)
          expression = "CAST(" + name + " AS " + zoned + ")";
        else
          continue;
        replaced += (replaced.empty() ? "" : ", ") + expression + " AS " + name;
      }
    }
    return replaced.empty() ? "*" : "* REPLACE (" + replaced + ")";
  }

  Result<> count_rows(const std::string& file) {
    QueryResult counted;
    const std::string sql = "SELECT num_rows::BIGINT FROM parquet_file_metadata(" + file + ")";
    if (duckdb_query(connection_.get(), sql.c_str(), counted.get()) != DuckDBSuccess) {
      return fail(result_error(counted.get()));
    }
    const DataChunk chunk(duckdb_fetch_chunk(counted.ref()));
    if (chunk && duckdb_data_chunk_get_size(chunk.get()) > 0) {
      rows_total_ = static_cast<std::uint64_t>(static_cast<std::int64_t*>(
          duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk.get(), 0)))[0]);
    }
    return {};
  }

  Database database_;
  Connection connection_;
  Prepared prepared_;
  Pending pending_;
  QueryResult result_;
  std::unique_ptr<ResultShape> shape_;
  std::unique_ptr<Encoder> encoder_;
  DataChunk chunk_;
  idx_t row_ = 0;
  idx_t size_ = 0;
  std::uint64_t rows_read_ = 0;
  std::uint64_t rows_total_ = 0;
};

}  // namespace

Result<std::unique_ptr<ParquetRows>> ParquetRows::open(const std::string& path) {
  auto rows = std::make_unique<DuckdbParquetRows>();
  TRY(rows->open(path));
  return rows;
}

std::string with_time_zones(std::string_view type) {
  constexpr std::string_view kZone = " WITH TIME ZONE";
  std::string out;
  std::string last_word;
  std::vector<bool> named;  // the open parentheses: whether names stand before the types in them
  bool expect_name = false;
  for (std::size_t i = 0; i < type.size();) {
    const char c = type[i];
    if (c == '"' || c == '\'') {
      // A doubled quote is two quoted pieces side by side.
      const std::size_t end = std::min(type.find(c, i + 1), type.size() - 1);
      out += type.substr(i, end + 1 - i);
      i = end + 1;
      if (i >= type.size() || type[i] != c) expect_name = false;
      continue;
    }
    if (is_word(c)) {
      std::size_t end = i;
      while (end < type.size() && is_word(type[end])) ++end;
      last_word = type.substr(i, end - i);
      const bool zoned = type.substr(end).starts_with(kZone);
      const bool timestamp =
          last_word == "TIMESTAMP" || last_word == "TIMESTAMP_S" || last_word == "TIMESTAMP_MS";
      out += timestamp && !zoned && !expect_name ? "TIMESTAMPTZ" : last_word;
      expect_name = false;
      i = end;
      continue;
    }
    if (c == '(') {
      named.push_back(last_word == "STRUCT" || last_word == "UNION");
      expect_name = named.back();
    } else if (c == ')' && !named.empty()) {
      named.pop_back();
    } else if (c == ',') {
      expect_name = !named.empty() && named.back();
    }
    out += c;
    ++i;
  }
  return out;
}

}  // namespace sd::query
