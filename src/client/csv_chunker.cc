#include <utility>

#include "client/chunks.h"

namespace sd::client {
namespace {

class CsvChunker final : public Chunker {
 public:
  CsvChunker(Window window, ChunkLimits limits) : window_(std::move(window)), limits_(limits) {}

  Result<std::optional<Chunk>> next() override {
    if (failed_) return fail(*failed_);
    Chunk chunk{.content_type = "text/csv", .first_row = next_row_};
    if (auto filled = fill(chunk); !filled) failed_ = std::move(filled).error();
    if (chunk.rows > 0) {
      chunk.position = window_.position();
      return chunk;
    }
    if (failed_) return fail(*failed_);
    return std::nullopt;
  }

 private:
  Result<> fill(Chunk& chunk) {
    if (header_.empty()) TRY(read_header());
    while (chunk.rows < limits_.rows && chunk.body.size() < limits_.bytes) {
      TRY_ASSIGN(const std::string_view record, peek_record());
      if (record.empty()) return {};
      if (is_empty_line(record) && has_many_columns_) {
        take();
        continue;
      }
      if (chunk.rows > 0 && chunk.body.size() + record.size() > limits_.bytes) return {};
      if (chunk.rows == 0) chunk.body = header_;
      chunk.body += record;
      ++chunk.rows;
      ++next_row_;
      take();
    }
    return {};
  }

  Result<> read_header() {
    while (window_.view().size() < 3 && !window_.ended()) TRY(window_.grow());
    if (window_.view().starts_with("\xEF\xBB\xBF")) window_.consume(3);
    while (true) {
      TRY_ASSIGN(const std::string_view record, peek_record());
      const bool empty_line = !record.empty() && is_empty_line(record);
      header_ = record;
      has_many_columns_ = commas_ > 0;
      if (!record.empty()) take();
      if (!empty_line) break;
    }
    if (has_bare_cr(header_)) {
      return fail(invalid("a line ends with a carriage return alone; lines end with LF or CR LF")
                      .with_slug("invalid-csv"));
    }
    if (!header_.empty() && !header_.ends_with('\n')) header_ += '\n';
    return {};
  }

  // Outside of quotes, and not before the line feed that ends the line: all of the file would be its header.
  static bool has_bare_cr(std::string_view record) {
    if (record.ends_with('\n')) record.remove_suffix(1);
    if (record.ends_with('\r')) record.remove_suffix(1);
    bool quoted = false;
    for (const char c : record) {
      if (c == '"') quoted = !quoted;
      if (c == '\r' && !quoted) return true;
    }
    return false;
  }

  static bool is_empty_line(std::string_view record) { return record == "\n" || record == "\r\n"; }

  // The next record with its line end; empty at the end. The view lives until the window moves.
  Result<std::string_view> peek_record() {
    while (!found_) {
      const std::string_view view = window_.view();
      while (scanned_ < view.size() && !found_) found_ = step(view[scanned_++]);
      if (found_) break;
      if (window_.ended()) break;
      if (view.size() > kMaxRowBytes) {
        return fail(invalid("row " + std::to_string(next_row_) + " is larger than " +
                            std::to_string(kMaxRowBytes >> 20U) + " MiB" +
                            (state_ == State::kQuoted ? ": a quote is open" : ""))
                        .with_slug("row-too-large"));
      }
      TRY(window_.grow());
    }
    if (!found_ && state_ == State::kQuoted) {
      return fail(invalid("the quote that is opened in row " + std::to_string(next_row_) +
                          " is never closed")
                      .with_slug("invalid-csv"));
    }
    found_ = true;
    return window_.view().substr(0, scanned_);
  }

  // True where the character ends a record.
  bool step(char c) {
    switch (state_) {
      case State::kQuoted:
        if (c == '"') state_ = State::kQuoteInQuoted;
        return false;
      case State::kQuoteInQuoted:
        if (c == '"') {
          state_ = State::kQuoted;
          return false;
        }
        break;
      case State::kFieldStart:
        if (c == '"') {
          state_ = State::kQuoted;
          return false;
        }
        break;
      case State::kPlain:
        break;
    }
    if (c == ',') ++commas_;
    state_ = c == ',' || c == '\n' ? State::kFieldStart : State::kPlain;
    return c == '\n';
  }

  // Takes the record that peek_record() has shown.
  void take() {
    window_.consume(scanned_);
    scanned_ = 0;
    commas_ = 0;
    found_ = false;
    state_ = State::kFieldStart;
  }

  enum class State : std::uint8_t { kFieldStart, kPlain, kQuoted, kQuoteInQuoted };

  Window window_;
  ChunkLimits limits_;
  std::string header_;
  bool has_many_columns_ = false;
  std::uint64_t next_row_ = 0;
  std::optional<Error> failed_;
  std::size_t scanned_ = 0;  // of the record under way
  std::uint64_t commas_ = 0;
  bool found_ = false;  // its end
  State state_ = State::kFieldStart;
};

}  // namespace

std::unique_ptr<Chunker> make_csv_chunker(Window window, ChunkLimits limits) {
  return std::make_unique<CsvChunker>(std::move(window), limits);
}

}  // namespace sd::client
