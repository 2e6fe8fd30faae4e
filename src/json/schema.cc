#include "json/schema.h"

#include <algorithm>
#include <map>

#include "base/ascii.h"
#include "base/json_text.h"

namespace sd::json {
namespace {

// Cuts a name so that it and its suffix stay within the limit, between characters.
std::string cut(std::string_view name, std::size_t limit) {
  if (name.size() > limit) {
    name = name.substr(0, limit);
    while (!name.empty() && !is_valid_utf8(name)) name.remove_suffix(1);
  }
  return std::string(name);
}

}  // namespace

bool is_valid_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxNameBytes &&
         name.find('\0') == std::string_view::npos && is_valid_utf8(name);
}

TableSchema::TableSchema(std::string table_name) : name(std::move(table_name)) {
  for (const std::string_view reserved : {kRowId, kReceivedAt, kOverflow}) take_name(reserved);
}

void TableSchema::take_name(std::string_view column_name) {
  taken_.insert(fold_ascii(column_name));
}

void TableSchema::add_existing(SchemaColumn column) {
  take_name(column.name);
  by_path_[column.path] = columns.size();
  columns.push_back(std::move(column));
}

std::optional<std::size_t> TableSchema::find(const std::string& path) const {
  const auto found = by_path_.find(path);
  if (found == by_path_.end()) return std::nullopt;
  return found->second;
}

bool TableSchema::has_foreign() const {
  return std::ranges::any_of(columns, [](const SchemaColumn& c) { return c.foreign != nullptr; });
}

std::string TableSchema::free_name(const std::string& wanted) const {
  if (!taken_.contains(fold_ascii(wanted))) return wanted;
  for (std::uint64_t n = 2;; ++n) {
    const std::string suffix = "_" + std::to_string(n);
    std::string candidate = cut(wanted, kMaxNameBytes - suffix.size()) + suffix;
    if (!taken_.contains(fold_ascii(candidate))) return candidate;
  }
}

SchemaPlan::SchemaPlan(const TableSchema& before, const TableBuilder& batch,
                       std::size_t max_columns)
    : after_(before),
      creates_table_(!before.exists),
      creates_row_id_(!before.has_row_id),
      creates_received_at_(!before.has_received_at) {
  std::vector<const BuilderColumn*> overflow;
  for (const std::uint32_t used : batch.used()) {
    const BuilderColumn& column = batch.columns()[used];
    const std::string path = batch.tree().path(column.node);
    std::optional<std::size_t> index = after_.find(path);
    if (!index) {
      const std::string wanted = batch.tree().name(column.node);
      if (!is_valid_name(wanted) || after_.columns.size() >= max_columns) {
        overflow.push_back(&column);
        continue;
      }
      index = after_.columns.size();
      const ColumnType type = column_type(column.state, column.shape.get());
      after_.add_existing({path, after_.free_name(wanted), column.state, column.shape, type});
      changes_.push_back({*index, std::nullopt, type, column.cause});
    } else if (!after_.columns[*index].foreign) {
      SchemaColumn& known = after_.columns[*index];
      TypeState state = known.state;
      state.join(column.state);
      std::shared_ptr<const Shape> shape = known.shape;
      if (column.shape) {
        auto joined = std::make_shared<Shape>(shape ? *shape : *column.shape);
        joined->join(*column.shape);
        if (!shape || *joined != *shape) shape = std::move(joined);
      }
      if (state != known.state || shape != known.shape) {
        const ColumnType from = known.type;
        const bool had_strings = has_strings(known.state);
        const std::shared_ptr<const Shape> shape_before = known.shape;
        known.state = state;
        known.shape = std::move(shape);
        known.type = column_type(state, known.shape.get());
        changes_.push_back({*index, from, known.type, column.cause, had_strings, shape_before});
      }
    }
    if (!column.cells.empty()) mappings_.push_back({&column, *index});
  }
  if (!overflow.empty()) build_overflow(batch, overflow);
  after_.exists = true;
  after_.has_row_id = true;
  after_.has_received_at = true;
}

void SchemaPlan::build_overflow(const TableBuilder& batch,
                                const std::vector<const BuilderColumn*>& columns) {
  struct Member {
    std::string path;
    std::string name;
    const BuilderColumn* column;
  };
  std::vector<Member> members;
  for (const BuilderColumn* column : columns) {
    overflow_cause_ = std::min(overflow_cause_, column->cause);
    std::string path = batch.tree().path(column->node);
    path.pop_back();  // without the bracket, a repeated key comes after the first one
    members.push_back({std::move(path), batch.tree().name(column->node), column});
  }
  // In the order of their paths, so that which of two colliding names gets a suffix depends on the row
  // alone and not on the batch that it came in.
  std::sort(members.begin(), members.end(),
            [](const Member& a, const Member& b) { return a.path < b.path; });
  struct Object {
    std::string text;
    std::unordered_set<std::string> names;
  };
  std::map<std::uint32_t, Object> rows;
  for (const Member& member : members) {
    for (const Cell& cell : member.column->cells) {
      Object& object = rows[cell.row];
      std::string key = member.name;
      for (std::uint64_t n = 2; !object.names.insert(key).second; ++n) {
        key = member.name + "_" + std::to_string(n);
      }
      object.text += object.text.empty() ? '{' : ',';
      append_json_string(object.text, key);
      object.text += ':';
      append_json(object.text, cell);
    }
  }
  for (auto& [row, object] : rows) {
    std::string& text = object.text;
    text += '}';
    Cell cell;
    cell.row = row;
    cell.kind = Kind::kJson;
    cell.text = overflow_text_.copy(text);
    cell.size = static_cast<std::uint32_t>(text.size());
    overflow_.push_back(cell);
  }
  creates_overflow_ = !rows.empty() && !after_.has_overflow;
  if (creates_overflow_) after_.has_overflow = true;
}

}  // namespace sd::json
