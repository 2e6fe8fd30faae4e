// How a column's values are carried over when its type widens, and errors of attaching.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "json/shape.h"
#include "json/types.h"

namespace sd::destinations::duckdb {

// Which text of a column may be anything. Text of a place that has seen no strings is the spelling of numbers
// and booleans.
struct Strings {
  bool here = true;
  const json::Shape* shape =
      nullptr;  // of nested values, before the change; unknown: there were strings

  Strings field(const std::string& name) const;
  Strings element() const;
  Strings values() const;  // of a MAP
};

// SQL that turns the (quoted) column of type `from` into type `to` without losing a digit, spelled as
// json/types.h says. Text that becomes JSON: numbers and booleans become JSON values where there were no
// strings beside them, else everything becomes JSON strings.
std::string conversion(std::string_view column, const json::ColumnType& from,
                       const json::ColumnType& to, const Strings& strings);

// Vectors that DuckDB makes for each chunk of rows that it converts so by an ALTER; in a SELECT it reads the fields of a
// STRUCT one by one. (600 fields that are all converted: 360,000, which took 3.7 s and 1.2 GB.)
double conversion_cost(const json::ColumnType& from, const json::ColumnType& to);

// How deep types are nested; 0: not at all.
int nesting(const json::ColumnType& type);

// What an ATTACH error means to the user: who holds the file, that it is no database, that a newer
// DuckDB wrote it. Without paths.
Error explain_attach_error(const Error& error);
// The same of MotherDuck, in its own words where they are none of ours. `hidden`: texts that nobody is to read, a token and
// paths of this machine, which a library's words may hold.
Error explain_motherduck_error(const Error& error, const std::vector<std::string>& hidden);

}  // namespace sd::destinations::duckdb
