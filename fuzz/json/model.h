// Which rows and values a document becomes, written down a second time as plainly as can be (docs/rows.md,
// "Flatten modes"): what the flatteners make is held against it.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/ascii.h"
#include "fuzz/json/oracle.h"
#include "json/document_flattener.h"
#include "json/schema.h"

namespace sd::fuzz {

// A place in a document: its path without the closing bracket, and the name made of it.
struct Place {
  std::string path = "[";
  std::string name;

  Place key(std::string_view text) const { return step(json_string(text), std::string(text)); }
  Place element(std::uint64_t index) const {
    return step(std::to_string(index), std::to_string(index));
  }

 private:
  Place step(const std::string& in_path, const std::string& in_name) const {
    const bool first = path.size() == 1;
    return {path + (first ? "" : ",") + in_path, first ? in_name : name + "_" + in_name};
  }
};

struct Leaf {
  Place place;
  std::string value;                    // in normal spelling; of a null: nothing
  std::optional<std::int64_t> integer;  // sent as an integer of 64 bits
};

struct ExpectedRow {
  std::string table;  // folded
  std::int64_t id = 0;
  // By path, those of repeated keys apart. A null is empty: a column, but no cell.
  std::map<std::string, Leaf> leaves;
};

class Model {
 public:
  Model(const json::FlattenOptions& options, std::string table)
      : options_(options), table_(std::move(table)) {}

  // The rows of a good document, in the order in which they are committed, or nothing where they are too
  // many to be written down.
  std::optional<std::vector<ExpectedRow>> rows(const RowTree& tree, std::int64_t next_id) {
    tree_ = &tree;
    next_id_ = next_id;
    rows_.clear();
    cells_ = 0;
    if (options_.mode == json::Flatten::kVertical) {
      if (!vertical()) return std::nullopt;
    } else if (options_.mode == json::Flatten::kMultitable) {
      object(RowTree::kRoot, 0, table_, nullptr);
    } else {
      Leaves leaves;
      flat_members(RowTree::kRoot, 0, Place{}, leaves);
      commit(table_, leaves);
    }
    return rows_;
  }
  // Values of the rows with nulls, as FlattenOptions::max_cells counts them.
  std::uint64_t cells() const { return cells_; }
  // Elements of arrays anywhere in the document.
  std::uint64_t elements() const { return elements_of(RowTree::kRoot); }

 private:
  using Index = RowTree::Index;
  using Leaves = std::vector<Leaf>;
  struct Parent {
    std::string table;
    std::string id;
    std::int64_t row_id;
  };
  struct Child {
    std::string table;
    std::string key;
    Index array;
    std::uint32_t depth;
  };
  static constexpr std::size_t kMostRows = 2000;
  static constexpr std::size_t kMostCells = 60'000;

  const RowTree::Value& at(Index i) const { return (*tree_)[i]; }
  std::vector<Index> values(Index container) const {
    std::vector<Index> out;
    for (Index i = at(container).first; i != RowTree::kNone; i = at(i).next) out.push_back(i);
    return out;
  }
  std::uint64_t elements_of(Index i) const {
    std::uint64_t count = 0;
    for (const Index each : values(i))
      count += (at(i).kind == ValueKind::kArray ? 1 : 0) + elements_of(each);
    return count;
  }
  bool is_leaf(Index i, std::uint32_t depth) const {
    const std::uint32_t most = options_.mode == json::Flatten::kNone ? 1 : options_.max_depth;
    return !at(i).is_container() || at(i).first == RowTree::kNone || (most != 0 && depth >= most);
  }
  Leaf leaf(Index i, const Place& place) const {
    Leaf out{place, at(i).kind == ValueKind::kNull ? "" : normal(*tree_, i), {}};
    const std::string_view token = at(i).text;
    std::int64_t value = 0;
    if (at(i).kind == ValueKind::kNumber && at(i).is_integer && token != "-0" &&
        std::from_chars(token.data(), token.data() + token.size(), value).ec == std::errc{}) {
      out.integer = value;
    }
    return out;
  }
  static Leaf made(const std::string& key, std::int64_t value) {
    return {Place{}.key(key), normal_number(std::to_string(value)), {}};
  }

  void flat_members(Index container, std::uint32_t depth, const Place& place, Leaves& out) const {
    std::uint64_t element = 0;
    for (const Index i : values(container)) {
      const Place inner = at(container).kind == ValueKind::kObject ? place.key(at(i).key)
                                                                   : place.element(element++);
      if (is_leaf(i, depth + 1))
        out.push_back(leaf(i, inner));
      else
        flat_members(i, depth + 1, inner, out);
    }
  }

  // ---- vertical: each row is a choice of one element of each array

  bool vertical() {
    const std::int64_t document = next_id_;
    const auto rows = explode(RowTree::kRoot, 0, Place{}, "");
    if (!rows) return false;
    for (Leaves leaves : *rows) {
      cells_ += leaves.size();
      leaves.push_back(made("___document_id", document));
      commit(table_, leaves);
    }
    return true;
  }

  std::optional<std::vector<Leaves>> explode(Index i, std::uint32_t depth, const Place& place,
                                             const std::string& name) const {
    if (i == RowTree::kRoot && at(i).first == RowTree::kNone) return {{Leaves{}}};
    if (is_leaf(i, depth)) return {{Leaves{leaf(i, place)}}};
    const bool array = at(i).kind == ValueKind::kArray;
    std::vector<Leaves> rows(array ? 0 : 1);
    std::int64_t element = 0;
    for (const Index each : values(i)) {
      const Place inner = array ? place : place.key(at(each).key);
      const auto more =
          explode(each, depth + 1, inner, array ? name + "_" + place.name : inner.name);
      if (!more) return std::nullopt;
      std::vector<Leaves> product;
      if (array) {
        const Leaf order = made("__order_" + name, element++);
        product = std::move(rows);
        for (const Leaves& right : *more) product.emplace_back(right).push_back(order);
      } else {
        if (rows.size() * more->size() > kMostRows) return std::nullopt;
        for (const Leaves& left : rows) {
          for (const Leaves& right : *more)
            product.emplace_back(left).insert(product.back().end(), right.begin(), right.end());
        }
      }
      rows = std::move(product);
      std::size_t cells = 0;
      for (const Leaves& row : rows) cells += row.size();
      if (rows.size() > kMostRows || cells > kMostCells) return std::nullopt;
    }
    return rows;
  }

  // ---- multitable

  void members(Index container, std::uint32_t depth, const Place& place, const std::string& name,
               Leaves& out, std::vector<Child>& children) const {
    for (const Index i : values(container)) {
      const std::string key(at(i).key);
      const std::string full = name + "_" + key;
      const bool whole = is_leaf(i, depth + 1);
      if (at(i).kind == ValueKind::kObject && !whole)
        members(i, depth + 1, place.key(key), full, out, children);
      else if (at(i).kind == ValueKind::kArray && !whole && json::is_valid_name(full))
        children.push_back({full, key, i, depth + 1});
      else
        out.push_back(leaf(i, place.key(key)));
    }
  }

  static void put_parent(Leaves& out, const Parent& parent, const std::vector<std::string>& keys) {
    const auto brought = [&](const std::string& key) {
      return std::ranges::find(keys, key) != keys.end();
    };
    if (!brought("__parent_row_id")) out.push_back(made("__parent_row_id", parent.row_id));
    const std::string key = parent.table + "_id";
    if (!brought(key)) out.push_back({Place{}.key(key), parent.id, {}});
  }

  void object(Index i, std::uint32_t depth, const std::string& table, const Parent* parent) {
    Leaves leaves;
    std::vector<Child> children;
    members(i, depth, Place{}, table, leaves, children);
    std::vector<std::string> keys;
    for (const Index each : values(i)) keys.emplace_back(at(each).key);
    if (parent != nullptr) put_parent(leaves, *parent, keys);
    const std::int64_t row_id = id_of(leaves);
    Parent self{table, normal_number(std::to_string(row_id)), row_id};
    const Index own = tree_->find(i, "id");
    if (own == RowTree::kNone)
      leaves.push_back(made("id", row_id));
    else if (!at(own).is_container() && at(own).kind != ValueKind::kNull)
      self.id = normal(*tree_, own);
    commit(table, leaves);
    for (const Child& child : children) {
      for (const Index each : values(child.array)) element(each, child, self);
    }
  }

  void element(Index i, const Child& child, const Parent& parent) {
    if (at(i).kind == ValueKind::kObject && !is_leaf(i, child.depth + 1))
      return object(i, child.depth + 1, child.table, &parent);
    Leaves leaves{leaf(i, Place{}.key(child.key))};
    put_parent(leaves, parent, {child.key});
    if (child.key != "id") leaves.push_back(made("id", id_of(leaves)));
    commit(child.table, leaves);
  }

  // ---- rows

  // An integer of 64 bits under "__row_id" is the row's id and no column; a null there is nothing.
  static bool is_row_id(const Leaf& leaf) { return leaf.place.path == "[\"__row_id\""; }

  std::int64_t id_of(const Leaves& leaves) const {
    for (const Leaf& each : leaves) {
      if (is_row_id(each) && each.integer) return *each.integer;
    }
    return next_id_;
  }

  void commit(const std::string& table, const Leaves& leaves) {
    ExpectedRow row{fold_ascii(table), id_of(leaves), {}};
    std::map<std::string, int> seen;
    bool own_id = false;
    for (const Leaf& each : leaves) {
      if (is_row_id(each) && each.value.empty()) continue;
      if (is_row_id(each) && each.integer && !own_id) {
        own_id = true;
        continue;
      }
      const int again = seen[each.place.path]++;
      std::string path = each.place.path;
      if (again > 0) path += ",{\"again\":" + std::to_string(again) + "}";
      row.leaves.emplace(path + "]", each);
    }
    rows_.push_back(std::move(row));
    ++next_id_;
  }

  const json::FlattenOptions options_;
  const std::string table_;
  const RowTree* tree_ = nullptr;
  std::int64_t next_id_ = 0;
  std::vector<ExpectedRow> rows_;
  std::uint64_t cells_ = 0;
};

}  // namespace sd::fuzz
