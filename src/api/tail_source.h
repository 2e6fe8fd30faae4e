// The rows of a log's inserts, one behind the other, from a place on: what live tails are made of.
//
// A TailCursor is such a place: everything before the record at `position` has been seen, and of that record
// the rows with an index below `rows`. As text it is the id of a server-sent event, with a mark of the log:
// "1f0c9a3e-81920-3".
//
// Pure but for reading the log; a TailSource belongs to one thread at a time and blocks.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "journal/reader.h"
#include "load/record_rows.h"

namespace sd::api {

struct TailCursor {
  journal::Position position = 0;
  std::uint64_t rows = 0;
  friend auto operator<=>(const TailCursor&, const TailCursor&) = default;
};

// What tells one log's ids from another's.
std::string tail_mark(const Id128& log_id);
std::string tail_id(std::string_view mark, TailCursor cursor);
struct TailId {
  std::string mark;
  TailCursor cursor;
};
// nullopt for what is no id of ours.
std::optional<TailId> parse_tail_id(std::string_view text);

class TailSource {
 public:
  // Reads the record at the cursor already, if there is one below `durable_end`: kCorruption where none begins
  // there, kNotFound where the log no longer holds it.
  static Result<std::unique_ptr<TailSource>> open(FileSystem& fs, const std::string& directory,
                                                  Id128 log_id, TailCursor from,
                                                  journal::Position durable_end);

  enum class Step : std::uint8_t {
    kRow,   // the row is in table(), text() …, until the next step
    kNone,  // a step without a row: a record was begun, ended or passed over
    kEnd,   // there is nothing more below durable_end
  };
  // Whether rows are wanted of the record that ends there; tables are folded (fold_ascii).
  using Wanted = std::function<bool(const std::string& table, journal::Position end)>;
  Result<Step> next(journal::Position durable_end, const Wanted& wanted);

  // Everything before it has been given.
  TailCursor cursor() const { return cursor_; }
  // Of the log and its blobs, since it was opened: rises with every step's work.
  std::uint64_t bytes_read() const { return bytes_read_; }

  const std::string& table() const { return table_; }  // folded
  std::string_view text() const { return text_; }
  std::uint64_t index() const { return cursor_.rows - 1; }
  const Id128& receipt() const { return record_->meta.receipt; }
  // Of the last record that was begun.
  Micros time_us() const { return time_us_; }

 private:
  TailSource(FileSystem& fs, std::string directory, TailCursor from)
      : fs_(fs), directory_(std::move(directory)), cursor_(from) {}
  Result<> begin(const Wanted& wanted);
  void end();

  FileSystem& fs_;
  const std::string directory_;
  std::unique_ptr<journal::Reader> reader_;
  TailCursor cursor_;
  std::optional<journal::RecordView> record_;  // which is read, or is the next one to be
  std::unique_ptr<load::RecordRows> rows_;     // of it, once it was begun
  std::string table_;
  std::string_view text_;
  Micros time_us_ = 0;
  std::uint64_t bytes_read_ = 0;
};

}  // namespace sd::api
