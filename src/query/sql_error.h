// What DuckDB says of a statement, as a client may read it.
#pragma once

#include <duckdb.h>

#include <string>
#include <string_view>

#include "base/result.h"

namespace sd::query {

// What DuckDB says of `sql` as an Error (see destinations::duckdb::duckdb_error). Where it is the
// statement's fault, it gets the slug and, if the message carries "LINE n: … ^", sql_position. Never has
// stack traces, advice about settings or, unless it is the statement's fault, paths; `limited`: nor
// guesses at other names.
Error sql_error(duckdb_error_type type, std::string_view message, std::string_view sql,
                std::string slug, bool limited = false);

// A message without what is for whoever runs the server: stack traces (they hold paths), advice on
// settings.
// Without the line of the statement that DuckDB shows, for statements that are not the user's own words.
inline std::string_view without_excerpt(std::string_view message) {
  return message.substr(0, message.find("\n\nLINE "));
}
std::string_view without_advice(std::string_view message);

}  // namespace sd::query
