#include "destinations/duckdb/conversions.h"

#include "base/log.h"

namespace sd::destinations::duckdb {
namespace {

using json::BaseType;

// The canonical spelling of a column's values, as json::append_text makes it.
std::string text_of(const std::string& c, json::ColumnType type) {
  switch (type.base) {
    case BaseType::kDouble:
      return "CASE WHEN abs(" + c + ") < 1e16 AND " + c + " = trunc(" + c + ") AND NOT (" + c +
             " = 0 AND signbit(" + c + ")) THEN CAST(CAST(" + c +
             " AS BIGINT) AS VARCHAR) ELSE CAST(" + c + " AS VARCHAR) END";
    case BaseType::kDecimal:
      return type.scale == 0 ? "CAST(" + c + " AS VARCHAR)"
                             : "rtrim(rtrim(CAST(" + c + " AS VARCHAR), '0'), '.')";
    case BaseType::kTimestampTz: {
      // As format_rfc3339 spells it; the session's time zone is UTC.
      const std::string fraction = "CASE WHEN epoch_us(" + c + ") % 1000000 = 0 THEN 'Z' ELSE strftime(" + c + ", '.%fZ') END";
      return "strftime(" + c + ", '%Y-%m-%dT%H:%M:%S') || " + fraction;
    }
    default:
      return "CAST(" + c + " AS VARCHAR)";
  }
}

}  // namespace

std::string conversion(std::string_view column, json::ColumnType from, json::ColumnType to,
                       bool had_strings) {
  const std::string c(column);
  switch (to.base) {
    case BaseType::kVarchar:
      return text_of(c, from);
    case BaseType::kJson:
      if (from.base == BaseType::kTimestampTz) return "to_json(" + text_of(c, from) + ")";
      return from.base == BaseType::kVarchar && had_strings
                 ? "to_json(" + c + ")"
                 : "CAST(" + text_of(c, from) + " AS JSON)";
    case BaseType::kDecimal:
      // Through text: the shortest spelling of a double is the number that was sent.
      if (from.base == BaseType::kDouble) {
        return "CAST(CAST(" + c + " AS VARCHAR) AS " + json::to_string(to) + ")";
      }
      return "CAST(" + c + " AS " + json::to_string(to) + ")";
    default:
      return "CAST(" + c + " AS " + json::to_string(to) + ")";
  }
}

Error explain_attach_error(const Error& error) {
  const std::string& m = error.message;
  Error out{.code = ErrorCode::kUnavailable, .message = ""};
  const auto held = m.find("Conflicting lock is held in ");
  if (held != std::string::npos) {
    // "… held in /usr/bin/duckdb (PID 1234) by user root. …": the program's name and number suffice.
    std::string holder = m.substr(held + 28, m.find(')', held) - held - 27);
    const auto slash = holder.find_last_of('/', holder.find(" (PID"));
    if (slash != std::string::npos) holder = holder.substr(slash + 1);
    out.message = "the database file is held by another process: " + holder;
    out.slug = "database-held";
    return out;
  }
  if (m.find("newer version") != std::string::npos ||
      m.find("version number") != std::string::npos) {
    out.code = ErrorCode::kInvalidArgument;
    out.message = "the database file was written by a version of DuckDB that this one cannot read";
    return out;
  }
  if (m.find("not a valid DuckDB database") != std::string::npos) {
    out.code = ErrorCode::kInvalidArgument;
    out.message = "the file is not a DuckDB database";
    return out;
  }
  out.code = error.code == ErrorCode::kInvalidArgument ? ErrorCode::kUnavailable : error.code;
  // DuckDB's own words name paths: they are for the log, not for clients.
  log::warn("the database cannot be opened", {{"error", m}});
  out.message = out.code == ErrorCode::kResourceExhausted
                    ? "the database cannot be opened: no room on its disk"
                    : "the database cannot be opened; the server's log says why";
  return out;
}

}  // namespace sd::destinations::duckdb
