#include "query/xlsx_writer.h"

#include <xlsxwriter.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <map>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "query/plain_value.h"
#include "query/type_name.h"

namespace sd::query {
namespace {

// The limits of the format.
constexpr std::uint64_t kMostRows = 1'048'575;  // without the header
constexpr std::size_t kMostColumns = 16'384;
constexpr std::size_t kMostUnits = 32'767;  // of UTF-16 in a cell
// Whole numbers up to here have 15 digits, which is what a spreadsheet keeps.
constexpr std::size_t kDigits = 15;

// Days from 1899-12-30, which is day 0 of what spreadsheets agree on, to 1970-01-01.
constexpr std::int64_t kEpoch = 25'569;
constexpr std::int64_t kFirstDay = 61;        // 1900-03-01
constexpr std::int64_t kLastDay = 2'958'465;  // 9999-12-31

// Columns are as wide as what stands in their first rows, within bounds.
constexpr idx_t kRowsToLookAt = 100;
constexpr std::size_t kNarrowest = 8, kWidest = 60;

Error too_large(const std::string& what) {
  return Error{.code = ErrorCode::kInvalidArgument,
               .message = what + "; ask for CSV, or for less",
               .slug = "result-too-large",
               .status = 422};
}

// How many units of UTF-16 valid UTF-8 has.
std::size_t utf16_units(std::string_view text) {
  std::size_t units = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    units += (byte & 0xC0) != 0x80 ? 1 : 0;
    units += byte >= 0xF0 ? 1 : 0;
  }
  return units;
}

// "_x0041_" stands for a character in the format's texts (ECMA-376 part 1, 22.9.2.19): where it stands for itself, its
// first sign is spelled like that.
void escape_escapes(std::string& text) {
  const auto is_hex = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
  };
  for (std::size_t at = text.find("_x"); at != std::string::npos; at = text.find("_x", at)) {
    const std::string_view rest = std::string_view(text).substr(at);
    const bool escape =
        rest.size() >= 7 && rest[6] == '_' && std::ranges::all_of(rest.substr(2, 4), is_hex);
    if (escape) text.replace(at, 1, "_x005F_");
    at += escape ? 8 : 2;
  }
}

// What XML 1.0 has no way to write, or C's strings, becomes U+FFFD; the library spells other control characters itself.
void make_writable(std::string& text) {
  constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
  for (std::size_t at = text.find('\0'); at != std::string::npos; at = text.find('\0', at))
    text.replace(at, 1, kReplacement);
  for (const std::string_view bad : {"\xEF\xBF\xBE", "\xEF\xBF\xBF"}) {
    for (std::size_t at = text.find(bad); at != std::string::npos; at = text.find(bad, at))
      text.replace(at, bad.size(), kReplacement);
  }
  escape_escapes(text);
}

// The number that a text of digits, sign and point spells, where a spreadsheet keeps all of it.
std::optional<double> exact_number(std::string_view text) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  std::string_view digits = text;
  if (digits.starts_with('-')) digits.remove_prefix(1);
  while (digits.starts_with('0') || digits.starts_with('.')) digits.remove_prefix(1);
  if (static_cast<std::size_t>(std::ranges::count_if(digits, is_digit)) > kDigits)
    return std::nullopt;
  double value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size()) return std::nullopt;
  return std::isfinite(value) ? std::optional(value) : std::nullopt;
}

// Units of 1/`per_day` since 1970 → days since 1899-12-30, where spreadsheets have them.
std::optional<double> serial(std::int64_t value, std::int64_t per_day) {
  std::int64_t day = value / per_day;
  std::int64_t rest = value % per_day;
  if (rest < 0) {
    rest += per_day;
    --day;
  }
  day += kEpoch;
  if (day < kFirstDay || day > kLastDay) return std::nullopt;
  return static_cast<double>(day) + static_cast<double>(rest) / static_cast<double>(per_day);
}

constexpr std::int64_t kSecondsPerDay = 86'400;

std::optional<double> serial_of(const VectorTree& tree, idx_t row) {
  switch (tree.type->kind) {
    case ValueKind::kDate:
      return serial(tree.at<std::int32_t>(row), 1);
    case ValueKind::kTimestampS:
      return serial(tree.at<std::int64_t>(row), kSecondsPerDay);
    case ValueKind::kTimestampMs:
      return serial(tree.at<std::int64_t>(row), kSecondsPerDay * 1'000);
    case ValueKind::kTimestamp:
    case ValueKind::kTimestampTz:
      return serial(tree.at<std::int64_t>(row), kSecondsPerDay * 1'000'000);
    case ValueKind::kTimestampNs:
      return serial(tree.at<std::int64_t>(row), kSecondsPerDay * 1'000'000'000);
    case ValueKind::kTime:
      return static_cast<double>(tree.at<std::int64_t>(row)) / (kSecondsPerDay * 1e6);
    case ValueKind::kTimeNs:
      return static_cast<double>(tree.at<std::int64_t>(row)) / (kSecondsPerDay * 1e9);
    default:
      return std::nullopt;
  }
}

// How values of a type are shown; nullptr: as the spreadsheet likes.
const char* date_format(ValueKind kind) {
  switch (kind) {
    case ValueKind::kDate:
      return "yyyy-mm-dd";
    case ValueKind::kTimestampS:
      return "yyyy-mm-dd hh:mm:ss";
    case ValueKind::kTimestamp:
    case ValueKind::kTimestampMs:
    case ValueKind::kTimestampNs:
    case ValueKind::kTimestampTz:
      return "yyyy-mm-dd hh:mm:ss.000";
    case ValueKind::kTime:
    case ValueKind::kTimeNs:
      return "hh:mm:ss.000";
    default:
      return nullptr;
  }
}

bool is_decimal(ValueKind kind) {
  return kind >= ValueKind::kDecimal16 && kind <= ValueKind::kDecimal128;
}

}  // namespace

struct XlsxWriter::Impl {
  const ResultShape& shape;
  std::string path;
  std::string folder;
  lxw_workbook* book = nullptr;
  lxw_worksheet* sheet = nullptr;
  std::vector<lxw_format*> formats;  // of each column; nullptr: none
  std::vector<VectorTree> trees;
  std::uint64_t rows = 0;
  bool has_header = false;
  std::string text;  // of the cell at hand

  Result<> open();
  void set_widths(idx_t count);
  Result<> put_header();
  Result<> put_cell(std::uint64_t row, std::size_t column, idx_t from);
  Result<> put_text(std::uint64_t row, std::size_t column);
  std::string_view text_of(const VectorTree& tree, idx_t row) {
    text.clear();
    TextSink sink(text);
    put_plain(sink, tree, row);
    return sink.since(0);
  }
};

namespace {

Result<> check(lxw_error error) {
  if (error == LXW_NO_ERROR) return {};
  const bool memory = error == LXW_ERROR_MEMORY_MALLOC_FAILED;
  return fail(memory ? ErrorCode::kResourceExhausted : ErrorCode::kUnavailable,
              std::string("the workbook cannot be written: ") + lxw_strerror(error));
}

}  // namespace

Result<> XlsxWriter::Impl::open() {
  if (shape.columns().size() > kMostColumns) {
    return fail(too_large("a spreadsheet has at most " + std::to_string(kMostColumns) +
                          " columns, and the result more"));
  }
  lxw_workbook_options options{};
  options.constant_memory = 1;
  options.use_zip64 = 1;
  options.tmpdir = folder.data();
  book = workbook_new_opt(path.c_str(), &options);
  sheet = book == nullptr ? nullptr : workbook_add_worksheet(book, "Result");
  if (sheet == nullptr) return fail(ErrorCode::kUnavailable, "the workbook cannot be made");
  std::map<std::string, lxw_format*> made;
  for (const ResultColumn& column : shape.columns()) {
    trees.emplace_back(column.type);
    std::string shown;
    if (const char* date = date_format(column.type.kind)) shown = date;
    if (is_decimal(column.type.kind) && column.type.scale > 0)
      shown = "0." + std::string(column.type.scale, '0');
    lxw_format*& format = made[shown];
    if (!shown.empty() && format == nullptr) {
      format = workbook_add_format(book);
      format_set_num_format(format, shown.c_str());
    }
    formats.push_back(shown.empty() ? nullptr : format);
  }
  return {};
}

void XlsxWriter::Impl::set_widths(idx_t count) {
  for (std::size_t i = 0; i < trees.size(); ++i) {
    std::size_t width = utf16_units(shape.columns()[i].name);
    for (idx_t row = 0; row < std::min(count, kRowsToLookAt); ++row) {
      if (trees[i].valid(row)) width = std::max(width, utf16_units(text_of(trees[i], row)));
    }
    const auto column = static_cast<lxw_col_t>(i);
    worksheet_set_column(sheet, column, column,
                         static_cast<double>(std::clamp(width + 1, kNarrowest, kWidest)), nullptr);
  }
}

Result<> XlsxWriter::Impl::put_header() {
  has_header = true;
  worksheet_freeze_panes(sheet, 1, 0);
  lxw_format* bold = workbook_add_format(book);
  format_set_bold(bold);
  for (std::size_t i = 0; i < trees.size(); ++i) {
    std::string name = shape.columns()[i].name;
    make_writable(name);
    TRY(check(worksheet_write_string(sheet, 0, static_cast<lxw_col_t>(i), name.c_str(), bold)));
  }
  return {};
}

Result<> XlsxWriter::Impl::put_text(std::uint64_t row, std::size_t column) {
  if (utf16_units(text) > kMostUnits) {
    return fail(too_large("a cell of a spreadsheet holds " + std::to_string(kMostUnits) +
                          " characters, and one of the column \"" + shape.columns()[column].name +
                          "\" has more"));
  }
  make_writable(text);
  return check(worksheet_write_string(sheet, static_cast<lxw_row_t>(row),
                                      static_cast<lxw_col_t>(column), text.c_str(), nullptr));
}

Result<> XlsxWriter::Impl::put_cell(std::uint64_t row, std::size_t column, idx_t from) {
  const VectorTree& tree = trees[column];
  if (!tree.valid(from)) return {};
  const auto line = static_cast<lxw_row_t>(row);
  const auto place = static_cast<lxw_col_t>(column);
  const auto put_number = [&](double value) {
    return check(worksheet_write_number(sheet, line, place, value, formats[column]));
  };
  const ValueKind kind = tree.type->kind;
  if (kind == ValueKind::kBoolean)
    return check(worksheet_write_boolean(sheet, line, place, tree.at<bool>(from), nullptr));
  if (kind == ValueKind::kDouble && std::isfinite(tree.at<double>(from)))
    return put_number(tree.at<double>(from));
  if (const auto days = serial_of(tree, from)) return put_number(*days);
  text_of(tree, from);
  const auto number = is_number(kind) ? exact_number(text) : std::nullopt;
  return number ? put_number(*number) : put_text(row, column);
}

XlsxWriter::XlsxWriter(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

XlsxWriter::~XlsxWriter() {
  // Not workbook_close(): nobody waits for a file that is given up, and packing it takes long.
  if (impl_->book == nullptr) return;
  // The rows so far, which have no name in any folder. The library closes them when it packs only.
  if (impl_->sheet != nullptr && impl_->sheet->optimize_tmpfile != nullptr)
    std::fclose(std::exchange(impl_->sheet->optimize_tmpfile, nullptr));
  lxw_workbook_free(impl_->book);
}

Result<std::unique_ptr<XlsxWriter>> XlsxWriter::make(const std::string& path,
                                                     const std::string& folder,
                                                     const ResultShape& shape) {
  std::unique_ptr<XlsxWriter> writer(new XlsxWriter(
      std::unique_ptr<Impl>(new Impl{.shape = shape, .path = path, .folder = folder})));
  TRY(writer->impl_->open());
  return writer;
}

Result<> XlsxWriter::rows(duckdb_data_chunk chunk) {
  const idx_t count = duckdb_data_chunk_get_size(chunk);
  for (std::size_t i = 0; i < impl_->trees.size(); ++i)
    impl_->trees[i].bind(duckdb_data_chunk_get_vector(chunk, i));
  if (!impl_->has_header) {
    impl_->set_widths(count);
    TRY(impl_->put_header());
  }
  if (impl_->rows + count > kMostRows) {
    return fail(too_large("a spreadsheet has at most " + std::to_string(kMostRows) +
                          " rows beside the header, and the result more"));
  }
  for (idx_t row = 0; row < count; ++row) {
    ++impl_->rows;
    for (std::size_t i = 0; i < impl_->trees.size(); ++i) TRY(impl_->put_cell(impl_->rows, i, row));
  }
  return {};
}

Result<> XlsxWriter::finish() {
  if (!impl_->has_header) {
    impl_->set_widths(0);
    TRY(impl_->put_header());
  }
  lxw_workbook* book = std::exchange(impl_->book, nullptr);
  return check(workbook_close(book));
}

}  // namespace sd::query
