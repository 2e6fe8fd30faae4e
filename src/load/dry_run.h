// What an insert would do to a destination, without doing it: the same code as loading, in front of a
// destination that keeps nothing.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "destinations/destination.h"
#include "load/loader.h"

namespace sd::load {

struct DryRun {
  struct Column {
    std::string name;
    std::string type;    // afterwards
    std::string change;  // "none", "add", "widen"
    std::string from;    // of "widen"
  };
  struct Table {
    std::string name;
    bool created = false;
    std::vector<Column> columns;
    std::uint64_t rows = 0;
  };
  std::vector<Table> tables;
  std::uint64_t rows = 0;  // of the request
  std::uint64_t failed = 0;
  std::vector<destinations::FailedRow> refused;  // the first hundred
};

// Reads schemas and contracts of the real destination.
class SchemaReader {
 public:
  virtual ~SchemaReader() = default;
  virtual Result<json::TableSchema> schema(const std::string& table) = 0;
  virtual Result<std::vector<std::string>> child_tables(const std::string& table) = 0;
  virtual Result<bool> has_foreign_columns() = 0;
  virtual Result<std::map<std::string, json::Contract>> contracts() = 0;
  // Nobody waits for the answer any more. Asked between the parts of a large body.
  virtual bool should_stop() = 0;
};

// The body as the front accepted it; `log_directory` is where its blob stands, if it is one. kCancelled
// where the reader says so.
Result<DryRun> dry_run(SchemaReader& reader, const std::string& log_directory,
                       const InsertHead& head, const Body& body, const LoaderOptions& options);

}  // namespace sd::load
