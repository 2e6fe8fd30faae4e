// What must hold of rows on their way into columns, whatever the mode of flattening:
//
//  - each leaf of each good row is in one cell, or one member of __overflow, and nothing else is;
//  - the type of its column can hold it exactly;
//  - names are valid, and unique whatever their case: what came first, our own before what was sent,
//    has its name, what comes later a suffix; a table has no more columns than it may;
//  - rows in two batches give the same schema as in one, and in any order the same types;
//  - what a contract does not allow does not happen, and what it leaves out is all that is missing;
//  - an error of the sink is the error of the flattener, and ends it.
#pragma once

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "fuzz/json/tables.h"
#include "json/shape.h"

namespace sd::fuzz {

// A STRUCT's fields are names, which the destination does not tell apart by case.
inline void check_type(const ColumnType& type) {
  if (!type.is_nested()) return;
  std::set<std::string> names;
  for (const auto& [name, child] : *type.children) {
    check_type(child);
    if (type.base != BaseType::kStruct) continue;
    require(json::is_valid_name(name), "a field's name is valid", name);
    require(names.insert(fold_ascii(name)).second, "no field is there twice", name);
  }
}

inline void check_schema(const json::TableSchema& schema, std::size_t max_columns) {
  std::set<std::string> names{"__row_id", "__received_at", "__overflow"};
  std::set<std::string> paths;
  require(schema.columns.size() <= max_columns, "no more columns than there may be");
  for (const json::SchemaColumn& column : schema.columns) {
    require(json::is_valid_name(column.name), "a column's name is valid", column.name);
    require(names.insert(fold_ascii(column.name)).second, "no name is there twice", column.name);
    require(paths.insert(column.path).second, "no place has two columns", column.path);
    require(schema.find(column.path) == static_cast<std::size_t>(&column - schema.columns.data()),
            "a column is found by its path", column.path);
    require(column.type == json::column_type(column.state, column.shape.get()),
            "a type follows from what was seen", column.name);
    check_type(column.type);
    if (!column.shape) continue;
    const auto back = json::Shape::parse(column.shape->to_json());
    require(back && *back == *column.shape, "a shape is read back as it was written", column.name);
    json::Shape twice = *column.shape;
    twice.join(*column.shape);
    require(twice == *column.shape, "a shape joined with itself is itself", column.name);
  }
}

// By path, or by name for members of __overflow.
using Found = std::map<std::string, std::string>;

// What stands in the cells of a batch, by row.
inline std::vector<Found> found_in(const json::TableBuilder& batch, const json::SchemaPlan& plan) {
  std::vector<Found> out(batch.rows());
  for (const auto& [source, index] : plan.mappings()) {
    const json::SchemaColumn& column = plan.after().columns.at(index);
    require(column.path == batch.tree().path(source->node),
            "values go to the column of their place");
    for (const Cell& cell : source->cells) {
      const std::string value = normal(cell);
      require(stored(cell, column.type) == value, "a column keeps a value exactly", value);
      require(out.at(cell.row).emplace(column.path, value).second, "one cell for a row and column");
      require(&cell == source->cells.data() || (&cell)[-1].row < cell.row, "cells are in order");
    }
  }
  std::int64_t last = -1;
  for (const Cell& cell : plan.overflow()) {
    require(cell.row > last && plan.after().has_overflow, "one __overflow for a row, in order");
    last = cell.row;
    RowTree tree;
    require(read(tree, cell.view()), "__overflow is JSON", cell.view());
    for (auto i = tree[RowTree::kRoot].first; i != RowTree::kNone; i = tree[i].next) {
      const std::string key = "overflow " + std::string(tree[i].key);
      require(out.at(cell.row).emplace(key, normal(tree, i)).second, "no member is there twice");
    }
  }
  return out;
}

// Places have columns in the order in which rows bring them, and the first name that is free then.
inline void check_names(const json::TableSchema& before, const json::TableSchema& after,
                        const std::vector<const ExpectedRow*>& rows) {
  std::map<std::string, std::pair<std::size_t, const Leaf*>> first;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (const auto& [path, leaf] : rows[i]->leaves) first.try_emplace(path, i, &leaf);
  }
  std::set<std::string> taken{"__row_id", "__received_at", "__overflow"};
  std::pair<std::size_t, std::size_t> last{0, 0};
  for (std::size_t i = 0; i < after.columns.size(); ++i) {
    const json::SchemaColumn& column = after.columns[i];
    if (i < before.columns.size()) {
      require(column.path == before.columns[i].path && column.name == before.columns[i].name,
              "a column stays what it is", column.name);
      taken.insert(fold_ascii(column.name));
      continue;
    }
    const auto found = first.find(column.path);
    require(found != first.end(), "a column is of a place that was sent", column.path);
    const auto& [row, leaf] = found->second;
    const std::pair<std::size_t, std::size_t> place{row, leaf->order};
    require(i == before.columns.size() || last < place, "columns come in order", column.path);
    last = place;
    std::string name = leaf->place.name;
    for (int n = 2; !taken.insert(fold_ascii(name)).second; ++n) {
      const std::string suffix = "_" + std::to_string(n);
      std::size_t most = std::min(leaf->place.name.size(), json::kMaxNameBytes - suffix.size());
      while (most < leaf->place.name.size() && (leaf->place.name[most] & 0xC0) == 0x80) --most;
      name = leaf->place.name.substr(0, most) + suffix;
    }
    require(column.name == name, "a place has the first name that is free", column.name);
  }
}

inline void check_row(const ExpectedRow& row, const json::TableSchema& schema,
                      std::size_t max_columns, Found found) {
  // Places without a column, in the order of their paths, where a repeated key comes behind the first.
  std::map<std::string, const Leaf*> overflow;
  for (const auto& [path, leaf] : row.leaves) {
    if (!schema.find(path)) {
      require(!json::is_valid_name(leaf.place.name) || schema.columns.size() >= max_columns,
              "only what cannot be a column goes to __overflow", path);
      if (!leaf.value.empty()) overflow.emplace(path.substr(0, path.size() - 1), &leaf);
      continue;
    }
    if (leaf.value.empty()) continue;
    const auto cell = found.find(path);
    require(cell != found.end(), "a leaf is in a cell", path);
    require(cell->second == leaf.value, "a cell holds what was sent", leaf.value);
    found.erase(cell);
  }
  std::set<std::string> names;
  for (const auto& [path, leaf] : overflow) {
    std::string name = leaf->place.name;
    for (int n = 2; !names.insert(name).second; ++n)
      name = leaf->place.name + "_" + std::to_string(n);
    const auto member = found.find("overflow " + name);
    require(member != found.end(), "a leaf is in __overflow", name);
    require(member->second == leaf->value, "__overflow holds what was sent", leaf->value);
    found.erase(member);
  }
  require(found.empty(), "nothing is there that was not sent",
          found.empty() ? "" : found.begin()->first);
}

// Holds a batch against what was expected of it. The schemas behind it.
inline Schemas check_batch(const Tables& batch, std::size_t max_columns) {
  Schemas after;
  std::map<const Tables::Table*, std::vector<Found>> found;
  std::map<std::string, std::vector<const ExpectedRow*>> rows;
  for (const ExpectedRow& row : batch.expected()) rows[row.table].push_back(&row);
  for (const auto& [name, table] : batch.tables()) {
    const json::SchemaPlan plan(table->schema, table->builder, max_columns);
    check_schema(plan.after(), std::max(max_columns, table->schema.columns.size()));
    check_names(table->schema, plan.after(), rows[name]);
    found[table.get()] = found_in(table->builder, plan);
    if (table->builder.rows() > 0) after.emplace(name, plan.after());
  }
  require(batch.committed().size() == batch.expected().size(), "as many rows as expected");
  for (std::size_t i = 0; i < batch.committed().size(); ++i) {
    const auto& [table, number] = batch.committed()[i];
    const ExpectedRow& row = batch.expected()[i];
    require(fold_ascii(table->schema.name) == row.table, "a row is in its table", row.table);
    require(table->builder.row_ids()[number] == row.id, "a row has its id", row.table);
    check_row(row, after.at(row.table), max_columns, std::move(found.at(table)[number]));
  }
  return after;
}

// ---- two schemas

// Fields in the order of their names.
inline std::string unordered(const ColumnType& type) {
  if (!type.is_nested()) return json::to_string(type);
  std::set<std::string> fields;
  for (const auto& [name, child] : *type.children)
    fields.insert(json_string(name) + unordered(child));
  std::string out = std::to_string(static_cast<int>(type.base)) + "(";
  for (const std::string& field : fields) out += field + ",";
  return out + ")";
}

inline void check_same(const Schemas& left, const Schemas& right) {
  require(left.size() == right.size(), "the same tables, however rows are cut into batches");
  for (const auto& [name, a] : left) {
    const auto other = right.find(name);
    require(other != right.end(), "a table is there", name);
    const json::TableSchema& b = other->second;
    require(a.has_overflow == b.has_overflow, "the same __overflow", name);
    require(a.columns.size() == b.columns.size(), "as many columns", name);
    for (std::size_t i = 0; i < a.columns.size(); ++i) {
      const json::SchemaColumn& x = a.columns[i];
      const json::SchemaColumn& y = b.columns[i];
      require(x.path == y.path && x.name == y.name, "the same column", x.path);
      require(x.state == y.state && x.type == y.type, "the same type", x.path);
      require((x.shape == nullptr) == (y.shape == nullptr) && (!x.shape || *x.shape == *y.shape),
              "the same shape", x.path);
    }
  }
}

inline void check_same_types(const Schemas& left, const Schemas& right) {
  for (const auto& [name, a] : left) {
    const auto other = right.find(name);
    require(other != right.end(), "a table is there", name);
    for (const json::SchemaColumn& x : a.columns) {
      const auto index = other->second.find(x.path);
      require(index.has_value(), "a column is there in any order of the rows", x.path);
      const json::SchemaColumn& y = other->second.columns[*index];
      require(x.state == y.state && unordered(x.type) == unordered(y.type),
              "the same type in any order of the rows", x.path);
    }
  }
}

// ---- contracts

struct UnderContract {
  Schemas after;
  std::size_t rows = 0;
  bool makes = false;  // a table or a column
};

// A batch under a contract, in tables that are there already or not.
inline UnderContract check_contract(const Input& input, const std::vector<Document>& documents,
                                    const Schemas& before) {
  const json::Contract& contract = input.contract;
  Tables batch(input, before, &contract);
  for (const Document& document : documents) batch.take(document);
  UnderContract out{before, batch.expected().size(), false};
  std::uint64_t sent = 0, kept = 0, left_out = 0;
  for (const ExpectedRow& row : batch.expected()) {
    for (const auto& [path, leaf] : row.leaves) sent += leaf.value.empty() ? 0 : 1;
  }
  for (const auto& [name, table] : batch.tables()) {
    if (table->builder.rows() == 0) continue;
    const json::TableSchema& known = table->schema;
    const json::SchemaPlan plan(known, table->builder, input.max_columns);
    for (const Found& row : found_in(table->builder, plan)) kept += row.size();
    require(known.exists || contract.tables == json::Allow::kEvolve, "no table is made", name);
    left_out += table->check->values_left_out();
    out.makes = out.makes || !known.exists;
    out.after.insert_or_assign(name, plan.after());
    if (!known.exists) continue;
    for (const json::SchemaPlan::Change& change : plan.changes()) {
      require(change.from || contract.columns == json::Allow::kEvolve, "no column is made", name);
      out.makes = out.makes || !change.from;
      if (!change.from || contract.data_type == json::Allow::kEvolve) continue;
      require(change.column >= known.columns.size() || *change.from == change.to ||
                  !known.columns[change.column].state.has_values(),
              "no column is widened", plan.after().columns[change.column].name);
    }
  }
  require(kept <= sent, "a contract adds nothing");
  const bool discards = contract.columns == json::Allow::kDiscardValue ||
                        contract.data_type == json::Allow::kDiscardValue;
  require(kept == sent || (discards && sent - kept <= left_out), "what is missing was left out");
  return out;
}

// A contract binds the same however rows are cut into batches, but for those that make a table or
// a column: they say what its type is.
inline void check_contracts(const Input& input, const std::vector<Document>& documents,
                            const Schemas& before) {
  const UnderContract whole = check_contract(input, documents, before);
  const auto middle = documents.begin() + static_cast<std::ptrdiff_t>(documents.size() / 2);
  const UnderContract first = check_contract(input, {documents.begin(), middle}, before);
  const UnderContract second = check_contract(input, {middle, documents.end()}, first.after);
  if (whole.makes || first.makes || second.makes) return;
  require(whole.rows == first.rows + second.rows, "a contract lets pass the same rows");
  check_same(whole.after, second.after);
}

// ---- sinks

class FailingSink final : public json::RowSink {
 public:
  FailingSink(Tables& tables, int calls) : tables_(tables), calls_(calls) {}
  Result<json::TableBuilder*> table(const std::string& name) override {
    require(!failed_, "an error of the sink ends the document");
    failed_ = calls_-- == 0;
    if (failed_) return fail(ErrorCode::kUnavailable, "the sink is full");
    return tables_.table(name);
  }
  std::int64_t row_id(const json::TableBuilder& builder) const override {
    return tables_.row_id(builder);
  }
  void commit(json::TableBuilder& builder) override {
    require(!failed_, "no row is committed behind an error");
    tables_.commit(builder);
  }
  bool failed() const { return failed_; }

 private:
  Tables& tables_;
  int calls_;
  bool failed_ = false;
};

inline void check_sink_errors(const Input& input, const Document& document) {
  RowTree tree;
  if (!document.good || !read(tree, document.text)) return;
  const json::DocumentFlattener flattener(input.flatten, "t");
  if (flattener.check(tree)) return;
  for (const int calls : {0, 1, 2, 5}) {
    Tables tables(input);
    FailingSink sink(tables, calls);
    const auto done = flattener.run(tree, 7, sink);
    require(done.has_value() != sink.failed(), "an error of the sink is the error");
    require(done || done.error().message == "the sink is full", "and no other");
    if (!sink.failed()) break;
  }
}

// ---- all of it

inline void check_flattening(json::Flatten mode, std::string_view in) {
  const Input input(mode, in);
  const std::vector<Document> documents = input.documents();
  if (documents.empty()) return;

  Tables whole(input);
  for (const Document& document : documents) whole.take(document);
  const Schemas schemas = check_batch(whole, input.max_columns);

  const auto cut =
      documents.begin() + static_cast<std::ptrdiff_t>(documents.size() * input.cut / 16);
  const std::vector<Document> behind(cut, documents.end());
  if (cut != documents.begin()) {
    Tables first(input);
    for (auto each = documents.begin(); each != cut; ++each) first.take(*each);
    Schemas before = check_batch(first, input.max_columns);
    Tables second(input, before);
    for (const Document& document : behind) second.take(document);
    Schemas after = check_batch(second, input.max_columns);
    after.merge(Schemas(before));  // tables that only the first batch had
    check_same(schemas, after);
    check_contracts(input, behind, before);
  }

  Tables reversed(input);
  for (auto each = documents.rbegin(); each != documents.rend(); ++each) reversed.take(*each);
  constexpr std::size_t kAnyNumber = 1'000'000;
  const Schemas backwards = check_batch(reversed, kAnyNumber);
  if (input.max_columns > 20) check_same_types(schemas, backwards);

  check_sink_errors(input, documents.front());
}

}  // namespace sd::fuzz
