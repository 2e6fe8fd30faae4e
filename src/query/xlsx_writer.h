// A result as an Excel workbook (Office Open XML, ECMA-376) of one sheet, by libxlsxwriter.
//
// The format has its table of contents at its end and counts what comes before, so that it is no stream: it is written
// into a file of the caller's, which then goes out. Memory does not grow with the rows.
//
//   header             the columns' names, bold; it stays in sight
//   NULL               an empty cell
//   BOOLEAN            TRUE, FALSE
//   integers, DECIMAL  numbers where a spreadsheet keeps all their digits, of which it has 15; else text. DECIMALs show
//                      the places behind the point that their type has
//   FLOAT, DOUBLE      numbers; NaN and the infinities text, as in CSV
//   DATE, TIMESTAMP…   dates from 1900-03-01 (before, spreadsheets do not agree) to 9999-12-31, shown as ISO 8601 with
//                      milliseconds, TIMESTAMPTZ in UTC; else text
//   TIME, TIME_NS      times of day
//   all others         text as in CSV; never a formula
//
// Errors, all kInvalidArgument, 422, slug "result-too-large": more than 1,048,575 rows, 16,384 columns, or 32,767
// UTF-16 units in a cell, which are the limits of the format.
//
// One thread.
#pragma once

#include <duckdb.h>

#include <memory>
#include <string>

#include "query/result_shape.h"

namespace sd::query {

class XlsxWriter {
 public:
  // `folder` takes temporary files; both it and `path` must be writable. `shape` outlives the writer.
  static Result<std::unique_ptr<XlsxWriter>> make(const std::string& path,
                                                  const std::string& folder,
                                                  const ResultShape& shape);
  ~XlsxWriter();
  XlsxWriter(const XlsxWriter&) = delete;
  XlsxWriter& operator=(const XlsxWriter&) = delete;

  Result<> rows(duckdb_data_chunk chunk);
  // The file is whole when this returns.
  Result<> finish();

 private:
  struct Impl;
  explicit XlsxWriter(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace sd::query
