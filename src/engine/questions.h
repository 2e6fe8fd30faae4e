// What the front asks of a destination besides queries; the answers are JSON objects.
//
//   tables   {table?}                          {tables:[{name, rows, bytes?, first_row_at, last_row_at,
//                                               columns:[{name, type}]}]}
//   refused  {receipt}                         {count, rows:[{row, code, detail}]}, the first hundred
//   contract {table}                           {contract}: null where none was set
//   history  {table, after, limit}             {changes:[{seq, at, table, event, column, from, to, receipt}]}
//   failed   {table?, receipt?, position, row, limit}   those behind (position, row):
//                                              {more, rows:[{position, row, table, receipt, received_at,
//                                               code, detail, body}]}
//   failed_count {table?, receipt?}            {total, tables:{name: count}}
//   receipt  {receipt, position}               {failed, failed_tables:{…}, tables:{…}, loaded_at}; tables is
//                                              empty where the request could bring rows to one table only
//   dry_run  {table, flatten?, flatten_depth, csv, body}     see load/dry_run.h; csv: load::BodyKind
#pragma once

#include <string>

#include "destinations/duckdb/duckdb_destination.h"
#include "json/document.h"
#include "load/loader.h"

namespace sd::engine {

struct QuestionContext {
  Id128 log_id;
  load::LoaderOptions loading;
};

// On a connection of the caller's, in a transaction that only reads. kNotFound for an unknown question.
Result<std::string> answer_question(destinations::duckdb::DuckdbDestination& destination,
                                    duckdb_connection connection, const json::Value& question,
                                    const QuestionContext& context);

}  // namespace sd::engine
