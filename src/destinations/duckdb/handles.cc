#include "destinations/duckdb/handles.h"

namespace sd::destinations::duckdb {
namespace {

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

std::string quote(std::string_view text, char mark) {
  std::string out(1, mark);
  for (const char c : text) {
    if (c == mark) out += mark;
    out += c;
  }
  out += mark;
  return out;
}

}  // namespace

Error duckdb_error(duckdb_error_type type, std::string_view message) {
  ErrorCode code = ErrorCode::kInvalidArgument;
  switch (type) {
    case DUCKDB_ERROR_INTERRUPT:
      code = ErrorCode::kCancelled;
      break;
    case DUCKDB_ERROR_OUT_OF_MEMORY:
      code = ErrorCode::kResourceExhausted;
      break;
    case DUCKDB_ERROR_FATAL:
    case DUCKDB_ERROR_INTERNAL:
      code = ErrorCode::kInternal;
      break;
    case DUCKDB_ERROR_CONNECTION:
    case DUCKDB_ERROR_NETWORK:
    case DUCKDB_ERROR_HTTP:
    case DUCKDB_ERROR_TRANSACTION:
      code = ErrorCode::kUnavailable;
      break;
    case DUCKDB_ERROR_IO:
      code = contains(message, "No space left") || contains(message, "failed to offload data block")
                 ? ErrorCode::kResourceExhausted
                 : ErrorCode::kUnavailable;
      break;
    default:
      break;
  }
  if (message.starts_with("FATAL Error") || message.starts_with("INTERNAL Error")) {
    code = ErrorCode::kInternal;
  }
  return Error{.code = code, .message = std::string(message)};
}

Error result_error(duckdb_result* result) {
  const char* message = duckdb_result_error(result);
  return duckdb_error(duckdb_result_error_type(result),
                      message != nullptr ? message : "DuckDB gave no reason");
}

Result<> execute(duckdb_connection connection, const std::string& sql) {
  QueryResult result;
  if (duckdb_query(connection, sql.c_str(), result.get()) != DuckDBSuccess) {
    return fail(result_error(result.get()));
  }
  return {};
}

std::string quote_identifier(std::string_view name) {
  return quote(name, '"');
}
std::string quote_literal(std::string_view text) {
  return quote(text, '\'');
}

}  // namespace sd::destinations::duckdb
