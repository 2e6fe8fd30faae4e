// What the front asks of an engine with a query; see protocol.h for how it comes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/unique_fd.h"
#include "json/document.h"
#include "query/compression.h"
#include "query/encoder.h"

namespace sd::engine {

struct QueryTask {
  std::uint64_t id = 0;
  std::string sql;
  std::string parameters;                          // JSON, an array or an object; or empty
  std::string types;                               // of parameters, by name, or empty; see bind()
  std::optional<std::vector<std::string>> tables;  // the only ones that may be read
  bool snapshot = false;                           // no SQL: the destination's file (snapshot.h)
  std::string source;                              // no SQL: the rows of this Parquet file
  query::Format format = query::Format::kJson;
  query::EncodeOptions encode;
  query::Coding coding = query::Coding::kIdentity;
  std::uint64_t position = 0;  // of the journal: what must have been applied first
  Micros fresh_us = 0;         // how long to wait for that
  bool must_be_fresh = false;  // else answer from what is there
  Micros timeout_us = 0;
  std::uint64_t max_rows = 0;  // 0: no limit
  std::string variant;         // what else the answer depends on; part of its entity tag
  std::string if_none_match;   // entity tags that the client has, as it sent them
  UniqueFd out;                // the pipe

  // The control message "query".
  static QueryTask from_message(const json::Value& message, UniqueFd out);
};

}  // namespace sd::engine
