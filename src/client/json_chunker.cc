#include <utility>
#include <vector>

#include "client/chunks.h"
#include "json/rows.h"

namespace sd::client {
namespace {

class JsonChunker final : public Chunker {
 public:
  JsonChunker(Window window, ChunkLimits limits, OnUnsent on_unsent, json::Framing framing)
      : window_(std::move(window)),
        limits_(limits),
        on_unsent_(std::move(on_unsent)),
        splitter_(handler_, framing) {}

  Result<std::optional<Chunk>> next() override {
    while (!ended_ || over_) {
      begin_chunk();
      fill_chunk();
      if (good_) return finish_chunk();
      // A request without one good row would be refused as a whole.
      for (UnsentRow& row : bad_) on_unsent_(std::move(row));
    }
    if (failed_) return fail(*failed_);
    return std::nullopt;
  }

 private:
  using State = json::RowSplitter<json::NullHandler>::State;
  struct Row {
    std::string text;
    json::RowError error;
    bool good = true;
  };

  void begin_chunk() {
    body_.clear();
    held_.clear();
    bad_.clear();
    rows_ = 0;
    moved_ = 0;
    good_ = false;
    first_row_ = next_row_ - (over_ ? 1 : 0);
    if (!over_) return;
    add(*over_);
    over_.reset();
  }

  void fill_chunk() {
    while (!ended_ && rows_ < limits_.rows && body_.size() + held_.size() < limits_.bytes) {
      Result<std::optional<Row>> row = take_row();
      if (!row) failed_ = std::move(row).error();
      // NOLINTNEXTLINE(bugprone-use-after-move)
      if (!row || !*row) {
        ended_ = true;
        return;
      }
      ++next_row_;
      if (rows_ > 0 && body_.size() + held_.size() + (*row)->text.size() + 2 > limits_.bytes) {
        over_ = std::move(**row);
        return;
      }
      add(**row);
    }
  }

  Result<std::optional<Row>> take_row() {
    std::size_t looked_at = 0;
    while (true) {
      // A row that many pieces make up is looked at again only when there is twice as much of it.
      if (!window_.ended() && window_.view().size() < looked_at * 2) {
        TRY(window_.grow());
        continue;
      }
      auto step = splitter_.next(window_.view(), window_.ended());
      Row row{.text = std::string(step.text), .error = std::move(step.error)};
      const bool blank = step.state == State::kSyntax && next_row_ == 0 && is_blank();
      window_.consume(splitter_.consumed());
      switch (step.state) {
        case State::kRow:
        case State::kRefused:
          row.good = step.state == State::kRow;
          is_array_ = splitter_.is_array();  // said no more behind the array's end
          if (row.text.size() > kMaxRowBytes) return fail(too_large());
          return row;
        case State::kEnd:
          return std::nullopt;
        case State::kSyntax:
          if (blank) return std::nullopt;  // an input without a row is nobody's fault
          return fail(invalid(row.error.detail + " at offset " + std::to_string(row.error.offset) +
                              "; nothing behind it can be read")
                          .with_slug(row.error.code));
        case State::kNeedMore:
          if (window_.view().size() > kMaxRowBytes + 1024) return fail(too_large());
          looked_at = window_.view().size();
          TRY(window_.grow());
      }
    }
  }

  bool is_blank() const {
    std::string_view rest = window_.view();
    if (rest.starts_with("\xEF\xBB\xBF")) rest.remove_prefix(3);
    return rest.find_first_not_of(" \t\r\n") == std::string_view::npos;
  }

  Error too_large() const {
    return invalid("row " + std::to_string(next_row_) + " is larger than " +
                   std::to_string(kMaxRowBytes >> 20U) + " MiB")
        .with_slug("row-too-large");
  }

  // A line each: in what is one value, or a line of its own, a line break stands between tokens.
  static void append_line(std::string& to, std::string_view row) {
    const std::size_t begin = to.size();
    to += row;
    std::replace(to.begin() + static_cast<std::ptrdiff_t>(begin), to.end(), '\n', ' ');
    to += '\n';
  }

  void add(const Row& row) {
    const bool array = is_array_;
    if (!row.good && !good_) {
      bad_.push_back({first_row_ + rows_, row.error.code, row.error.detail});
    }
    if (!array && !row.good && !good_) {
      append_line(held_, row.text);
    } else if (array) {
      body_ += (rows_ == 0 ? "[" : ",") + row.text;
    } else {
      append_line(body_, row.text);
    }
    if (row.good && !good_) {
      good_ = true;
      if (!array) moved_ = bad_.size();
      body_ += held_;
      held_.clear();
      bad_.clear();
    }
    ++rows_;
  }

  Chunk finish_chunk() {
    const bool array = is_array_;
    if (array) body_ += "]";
    return {.body = std::move(body_),
            .content_type = array ? "application/json" : "application/x-ndjson",
            .rows = rows_,
            .first_row = first_row_,
            .moved_behind_first = moved_,
            .position = window_.position()};
  }

  Window window_;
  ChunkLimits limits_;
  OnUnsent on_unsent_;
  json::NullHandler handler_;
  json::RowSplitter<json::NullHandler> splitter_;
  bool is_array_ = false;
  std::uint64_t next_row_ = 0;
  bool ended_ = false;
  std::optional<Error> failed_;
  std::optional<Row> over_;  // did not fit into the chunk before

  // The chunk under way.
  std::string body_;
  std::string held_;            // of a stream: bad rows before the first good one
  std::vector<UnsentRow> bad_;  // bad rows, as long as there is no good one
  std::uint64_t rows_ = 0;
  std::uint64_t first_row_ = 0;
  std::uint64_t moved_ = 0;
  bool good_ = false;
};

}  // namespace

std::unique_ptr<Chunker> make_json_chunker(Window window, ChunkLimits limits, OnUnsent on_unsent,
                                           json::Framing framing) {
  return std::make_unique<JsonChunker>(std::move(window), limits, std::move(on_unsent), framing);
}

std::uint64_t Chunk::file_row(std::uint64_t row) const {
  if (moved_behind_first == 0 || row > moved_behind_first) return first_row + row;
  return row == 0 ? first_row + moved_behind_first : first_row + row - 1;
}

}  // namespace sd::client
