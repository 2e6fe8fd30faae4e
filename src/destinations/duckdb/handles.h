// DuckDB's C handles with destructors, and its errors as ours.
#pragma once

#include <string>
#include <utility>

#include "base/result.h"
#include "destinations/duckdb/library.h"

namespace sd::destinations::duckdb {

// Owns a handle H that destroy(&handle) ends.
template <typename H, void (*destroy)(H*)>
class Handle {
 public:
  Handle() = default;
  explicit Handle(H handle) : handle_(handle) {}
  ~Handle() { reset(); }
  Handle(Handle&& other) noexcept : handle_(std::exchange(other.handle_, H{})) {}
  Handle& operator=(Handle&& other) noexcept {
    if (this != &other) {
      reset();
      handle_ = std::exchange(other.handle_, H{});
    }
    return *this;
  }
  H get() const { return handle_; }
  // For functions that fill the handle in.
  H* out() {
    reset();
    return &handle_;
  }
  explicit operator bool() const { return handle_ != H{}; }
  void reset() {
    if (handle_ != H{}) destroy(&handle_);
    handle_ = H{};
  }

 private:
  H handle_{};
};

inline void destroy_appender(duckdb_appender* a) {
  duckdb_appender_destroy(a);
}
inline void destroy_error_data(duckdb_error_data* e) {
  duckdb_destroy_error_data(e);
}

using Database = Handle<duckdb_database, duckdb_close>;
using Connection = Handle<duckdb_connection, duckdb_disconnect>;
using Config = Handle<duckdb_config, duckdb_destroy_config>;
using LogicalType = Handle<duckdb_logical_type, duckdb_destroy_logical_type>;
using DataChunk = Handle<duckdb_data_chunk, duckdb_destroy_data_chunk>;
using Prepared = Handle<duckdb_prepared_statement, duckdb_destroy_prepare>;
using Pending = Handle<duckdb_pending_result, duckdb_destroy_pending>;
using Extracted = Handle<duckdb_extracted_statements, duckdb_destroy_extracted>;
using Appender = Handle<duckdb_appender, destroy_appender>;
using TableDescription = Handle<duckdb_table_description, duckdb_table_description_destroy>;

// A materialised or streaming result. Not a pointer in C: always destroyed.
class QueryResult {
 public:
  QueryResult() = default;
  ~QueryResult() { duckdb_destroy_result(&result_); }
  QueryResult(const QueryResult&) = delete;
  QueryResult& operator=(const QueryResult&) = delete;
  duckdb_result* get() { return &result_; }
  duckdb_result& ref() { return result_; }

 private:
  duckdb_result result_{};
};

// Turns DuckDB's message into an Error: a lock held elsewhere and a lost connection are kUnavailable, a
// full disk or memory kResourceExhausted, an interrupt kCancelled, FATAL and INTERNAL errors kInternal,
// the rest kInvalidArgument. The message is DuckDB's own first paragraph.
Error duckdb_error(duckdb_error_type type, std::string_view message);
// Of a result that failed.
Error result_error(duckdb_result* result);

// Runs a statement whose rows nobody wants.
Result<> execute(duckdb_connection connection, const std::string& sql);

// "name" with quotes doubled.
std::string quote_identifier(std::string_view name);
// 'text' with quotes doubled.
std::string quote_literal(std::string_view text);

}  // namespace sd::destinations::duckdb
