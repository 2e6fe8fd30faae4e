#include "destinations/duckdb/chunk_writer.h"

#include <algorithm>
#include <cstring>

#include "base/clock.h"
#include "destinations/duckdb/nested_writer.h"

namespace sd::destinations::duckdb {
namespace {

using json::BaseType;
using json::Cell;
using json::Kind;

duckdb_hugeint to_hugeint(json::Int128 value) {
  duckdb_hugeint out;
  out.lower = static_cast<std::uint64_t>(value);
  out.upper = static_cast<std::int64_t>(value >> 64);
  return out;
}

double to_double(const Cell& cell) {
  const bool real = cell.kind == Kind::kDouble || cell.kind == Kind::kNegativeZero;
  return real ? cell.real : static_cast<double>(cell.integer);
}

// Calls put(row within the chunk, cell) for each cell and marks the other rows NULL.
template <typename Put>
void scatter(duckdb_vector vector, std::uint32_t begin, std::uint32_t end, const Cell* first,
             const Cell* last, Put put) {
  const auto rows = end - begin;
  if (static_cast<std::uint32_t>(last - first) == rows) {
    for (const Cell* cell = first; cell != last; ++cell) put(cell->row - begin, *cell);
    return;
  }
  duckdb_vector_ensure_validity_writable(vector);
  std::uint64_t* validity = duckdb_vector_get_validity(vector);
  std::memset(validity, 0, std::size_t{(rows + 63) / 64} * 8);
  for (const Cell* cell = first; cell != last; ++cell) {
    const std::uint32_t row = cell->row - begin;
    validity[row / 64] |= 1ULL << (row % 64);
    put(row, *cell);
  }
}

}  // namespace

duckdb_string_t make_string(std::string_view text) {
  duckdb_string_t out;
  std::memset(&out, 0, sizeof out);
  out.value.inlined.length = static_cast<std::uint32_t>(text.size());
  if (text.size() <= 12) {
    std::memcpy(out.value.inlined.inlined, text.data(), text.size());
  } else {
    std::memcpy(out.value.pointer.prefix, text.data(), 4);
    out.value.pointer.ptr = const_cast<char*>(text.data());
  }
  return out;
}

ChunkWriter::ChunkWriter(const json::TableBuilder& rows, std::vector<Column> columns)
    : rows_(rows), columns_(std::move(columns)), next_cell_(columns_.size(), 0) {}

bool ChunkWriter::fill(duckdb_data_chunk chunk) {
  if (next_row_ >= rows_.rows()) return false;
  text_.clear();
  const std::uint32_t begin = next_row_;
  const auto capacity = static_cast<std::uint32_t>(duckdb_vector_size());
  const std::uint32_t end = std::min(rows_.rows(), begin + capacity);
  duckdb_data_chunk_reset(chunk);
  auto* ids =
      static_cast<std::int64_t*>(duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk, 0)));
  auto* times =
      static_cast<std::int64_t*>(duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk, 1)));
  std::memcpy(ids, rows_.row_ids().data() + begin, (end - begin) * sizeof *ids);
  std::memcpy(times, rows_.received_at().data() + begin, (end - begin) * sizeof *times);
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    fill_column(i, duckdb_data_chunk_get_vector(chunk, i + 2), begin, end);
  }
  duckdb_data_chunk_set_size(chunk, end - begin);
  next_row_ = end;
  return true;
}

void ChunkWriter::fill_column(std::size_t index, duckdb_vector vector, std::uint32_t begin,
                              std::uint32_t end) {
  const std::vector<Cell>& cells = *columns_[index].cells;
  const Cell* first = cells.data() + next_cell_[index];
  const Cell* last = first;
  const Cell* all_end = cells.data() + cells.size();
  while (last != all_end && last->row < end) ++last;
  next_cell_[index] += static_cast<std::size_t>(last - first);

  void* data = duckdb_vector_get_data(vector);
  const auto typed = [&]<typename T>(T* out, auto convert) {
    scatter(vector, begin, end, first, last,
            [&](std::uint32_t row, const Cell& cell) { out[row] = convert(cell); });
  };
  if (const json::ForeignType* foreign = columns_[index].foreign) {
    typed(static_cast<duckdb_string_t*>(data), [&](const Cell& c) {
      const auto spelled = foreign->spell(c);
      has_misfit_ = has_misfit_ || !spelled;
      const std::string_view text = spelled ? *spelled : std::string_view();
      return make_string({text_.copy(text), text.size()});
    });
    return;
  }
  const json::ColumnType& type = columns_[index].type;
  if (type.is_nested()) {
    NestedWriter nested(text_);
    const Cell* cell = first;
    for (std::uint32_t row = begin; row < end; ++row) {
      if (cell == last || cell->row != row)
        nested.put_null(vector, row - begin, type);
      else
        nested.put(vector, row - begin, type, (cell++)->view());
    }
    return;
  }
  switch (type.base) {
    case BaseType::kBoolean:
      typed(static_cast<bool*>(data), [](const Cell& c) { return c.integer != 0; });
      break;
    case BaseType::kTimestampTz:
      typed(static_cast<std::int64_t*>(data),
            [](const Cell& c) { return *parse_rfc3339(c.view()); });
      break;
    case BaseType::kBigint:
      typed(static_cast<std::int64_t*>(data), [](const Cell& c) { return c.integer; });
      break;
    case BaseType::kHugeint:
    case BaseType::kDecimal:
      typed(static_cast<duckdb_hugeint*>(data),
            [&](const Cell& c) { return to_hugeint(json::to_scaled(c, type.scale)); });
      break;
    case BaseType::kDouble:
      typed(static_cast<double*>(data), to_double);
      break;
    case BaseType::kVarchar:
    case BaseType::kJson: {
      const bool as_json = type.base == BaseType::kJson;
      const bool quoted_strings = as_json;
      std::string spelled;
      typed(static_cast<duckdb_string_t*>(data), [&](const Cell& c) {
        const bool is_string = c.kind == Kind::kString || c.kind == Kind::kTime;
        const bool is_json = c.kind == Kind::kJson || c.kind == Kind::kNested;
        const bool as_it_is = is_json || (is_string && !quoted_strings);
        if (as_it_is) return make_string(c.view());
        spelled.clear();
        if (as_json)
          json::append_json(spelled, c);
        else
          json::append_text(spelled, c);
        return make_string({text_.copy(spelled), spelled.size()});
      });
      break;
    }
    default:
      break;
  }
}

}  // namespace sd::destinations::duckdb
