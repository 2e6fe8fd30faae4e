// What the front asks of a destination besides queries; the answers are JSON objects.
//
//   tables   {table?}                          {tables:[{name, rows, bytes?, first_row_at, last_row_at,
//                                               columns:[{name, type}]}]}
//   refused  {receipt}                         {count, rows:[{row, code, detail}]}, the first hundred
//   contract {table}                           {contract}: null where none was set
//   history  {table, after, limit}             {changes:[{seq, at, table, event, column, from, to, receipt}]}
//   failed   {table?, receipt?, position, row, limit}   those behind (position, row):
//                                              {more, rows:[{position, row, table, receipt, received_at,
//                                               code, detail, body_bytes, body?, body_base64?}]}
//   failed_count {table?, receipt?}            {total, tables:{name: count}}
//   receipt  {receipt, position}               {failed, failed_tables:{…}, tables:{…}, loaded_at}; tables is
//                                              empty where the request could bring rows to one table only
//   retried  {retry}                           {rows} that were loaded by that retry (its receipt)
//   dry_run  {table, flatten?, flatten_depth, kind, tables?, body}    see load/dry_run.h; kind: load::BodyKind
//            {…, blob:{id, length, crc32c}}                  a body that stands in a file of the journal
#pragma once

#include <functional>
#include <string>

#include "destinations/duckdb/duckdb_destination.h"
#include "json/document.h"
#include "load/loader.h"

namespace sd::engine {

struct QuestionContext {
  Id128 log_id;
  std::string log_directory;
  load::LoaderOptions loading;
};

// A dry run, which may be a long one, reads schemas one by one instead.
bool holds_a_transaction(const json::Value& question);

// On a connection of the caller's, in a transaction that only reads (see above). kNotFound for an unknown question,
// kCancelled where `should_stop` says so.
Result<std::string> answer_question(destinations::duckdb::DuckdbDestination& destination,
                                    duckdb_connection connection, const json::Value& question,
                                    const QuestionContext& context,
                                    const std::function<bool()>& should_stop);

}  // namespace sd::engine
