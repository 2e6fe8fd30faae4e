#include "api/tail_source.h"

#include <charconv>

#include "base/ascii.h"

namespace sd::api {
namespace {

constexpr std::size_t kMarkBytes = 4;  // of the log's id

// A number from the front of the text, spelled as we spell it; nullopt where there is none.
std::optional<std::uint64_t> take_number(std::string_view& text) {
  std::uint64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(read.ptr - text.data()));
  return number;
}

}  // namespace

std::string tail_mark(const Id128& log_id) {
  return to_hex(std::span(log_id.bytes).first(kMarkBytes));
}

std::string tail_id(std::string_view mark, TailCursor cursor) {
  std::string out(mark);
  out += '-';
  out += std::to_string(cursor.position);
  out += '-';
  out += std::to_string(cursor.rows);
  return out;
}

std::optional<TailId> parse_tail_id(std::string_view text) {
  TailId id;
  constexpr std::size_t kMark = 2 * kMarkBytes;
  if (text.size() <= kMark || text[kMark] != '-') return std::nullopt;
  id.mark = text.substr(0, kMark);
  const bool is_hex = std::ranges::all_of(id.mark, [](char c) { return hex_digit(c) >= 0; });
  if (!is_hex) return std::nullopt;
  std::string_view rest = text.substr(kMark + 1);
  const auto position = take_number(rest);
  if (!position || !rest.starts_with('-')) return std::nullopt;
  rest.remove_prefix(1);
  const auto rows = take_number(rest);
  if (!rows || !rest.empty()) return std::nullopt;
  id.cursor = {*position, *rows};
  return id;
}

Result<std::unique_ptr<TailSource>> TailSource::open(FileSystem& fs, const std::string& directory,
                                                     Id128 log_id, TailCursor from,
                                                     journal::Position durable_end) {
  std::unique_ptr<TailSource> source(new TailSource(fs, directory, from));
  TRY_ASSIGN(source->reader_, journal::Reader::open(fs, directory, log_id, from.position));
  TRY_ASSIGN(source->record_, source->reader_->next(durable_end));
  return source;
}

Result<TailSource::Step> TailSource::next(journal::Position durable_end, const Wanted& wanted) {
  if (!rows_) {
    if (!record_) {
      TRY_ASSIGN(record_, reader_->next(durable_end));
    }
    if (!record_) return Step::kEnd;
    TRY(begin(wanted));
    return Step::kNone;
  }
  TRY_ASSIGN(const auto row, rows_->next());
  if (!row) {
    end();
    return Step::kNone;
  }
  bytes_read_ += row->text.size();
  // Of the first record some may have been seen.
  if (row->index < cursor_.rows) return Step::kNone;
  cursor_.rows = row->index + 1;
  text_ = row->text;
  return Step::kRow;
}

Result<> TailSource::begin(const Wanted& wanted) {
  bytes_read_ += record_->end - record_->position;
  time_us_ = record_->time_us;
  // A cursor at the end of a segment is that of the next one's first record.
  if (cursor_.position != record_->position) cursor_ = {record_->position, 0};
  if (record_->meta.kind != journal::RecordKind::kInsert) {
    end();
    return {};
  }
  TRY_ASSIGN(const load::InsertRecord insert, load::decode_insert(record_->payload));
  table_ = fold_ascii(insert.head.table);
  if (!wanted(table_, record_->end)) {
    end();
    return {};
  }
  TRY_ASSIGN(rows_, load::RecordRows::open(fs_, directory_, record_->meta, insert));
  return {};
}

void TailSource::end() {
  cursor_ = {record_->end, 0};
  rows_.reset();
  record_.reset();
}

}  // namespace sd::api
