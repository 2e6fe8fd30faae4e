#include "destinations/duckdb/rows.h"

#include <charconv>

namespace sd::destinations::duckdb {
namespace {

template <typename T>
T number(const std::optional<std::string>& text) {
  T value{};
  if (text) std::from_chars(text->data(), text->data() + text->size(), value);
  return value;
}

}  // namespace

std::int64_t Row::integer(std::size_t column) const {
  return number<std::int64_t>(values_[column]);
}
std::uint64_t Row::unsigned_integer(std::size_t column) const {
  return number<std::uint64_t>(values_[column]);
}

Result<std::vector<Row>> fetch(duckdb_connection connection, const std::string& sql) {
  // One level of SELECT around it turns every column into text.
  const std::string cast = "SELECT COLUMNS(*)::VARCHAR FROM (" + sql + ")";
  QueryResult result;
  if (duckdb_query(connection, cast.c_str(), result.get()) != DuckDBSuccess) {
    return fail(result_error(result.get()));
  }
  std::vector<Row> rows;
  while (DataChunk chunk{duckdb_fetch_chunk(result.ref())}) {
    const idx_t columns = duckdb_data_chunk_get_column_count(chunk.get());
    const idx_t size = duckdb_data_chunk_get_size(chunk.get());
    if (size == 0) break;
    for (idx_t r = 0; r < size; ++r) {
      std::vector<std::optional<std::string>> values(columns);
      for (idx_t c = 0; c < columns; ++c) {
        duckdb_vector vector = duckdb_data_chunk_get_vector(chunk.get(), c);
        std::uint64_t* validity = duckdb_vector_get_validity(vector);
        if (validity != nullptr && !duckdb_validity_row_is_valid(validity, r)) continue;
        auto& text = static_cast<duckdb_string_t*>(duckdb_vector_get_data(vector))[r];
        values[c].emplace(duckdb_string_t_data(&text), duckdb_string_t_length(text));
      }
      rows.emplace_back(std::move(values));
    }
  }
  return rows;
}

Error appender_error(duckdb_appender appender) {
  Handle<duckdb_error_data, destroy_error_data> data(duckdb_appender_error_data(appender));
  const char* message = duckdb_error_data_message(data.get());
  return duckdb_error(duckdb_error_data_error_type(data.get()),
                      message != nullptr ? message : "DuckDB gave no reason");
}

std::string folded(const std::string& expression) {
  return "translate(" + expression +
         ", 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz')";
}

}  // namespace sd::destinations::duckdb
