// What the fuzzers of rows hold the code under test against: JSON values in a spelling that is the same
// for the same value, and what the destination would keep of a cell.
#pragma once

#include <array>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <set>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/json_text.h"
#include "json/row_tree.h"
#include "json/types.h"

namespace sd::fuzz {

using json::BaseType;
using json::Cell;
using json::ColumnType;
using json::Kind;
using json::RowTree;
using json::ValueKind;

inline void require(bool holds, std::string_view what, std::string_view seen = {}) {
  if (holds) return;
  std::fprintf(stderr, "not so: %.*s: %.*s\n", static_cast<int>(what.size()), what.data(),
               static_cast<int>(seen.size()), seen.data());
  std::abort();
}

// 1.50, 15e-1 and 0.15E1 are "15e-1"; 0 and 0.0 are "0e0", -0 is "-0e0".
inline std::string normal_number(std::string_view token) {
  std::string digits;
  std::string out = token.starts_with('-') ? "-" : "";
  long long exponent = 0;
  bool behind = false;
  std::size_t i = out.size();
  for (; i < token.size() && token[i] != 'e' && token[i] != 'E'; ++i) {
    if (token[i] == '.')
      behind = true;
    else
      digits += token[i];
    if (behind && token[i] != '.') --exponent;
  }
  if (i < token.size()) {
    ++i;
    if (token[i] == '+') ++i;
    long long sent = 0;
    const auto read = std::from_chars(token.data() + i, token.data() + token.size(), sent);
    // An exponent of that size is in no column of numbers: any two of them are told apart by their text.
    if (read.ec != std::errc{} || sent > 1'000'000'000 || sent < -1'000'000'000) {
      if (digits.find_first_not_of('0') != std::string::npos) return std::string(token);
      sent = 0;
    }
    exponent += sent;
  }
  digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size()));
  while (!digits.empty() && digits.back() == '0') {
    digits.pop_back();
    ++exponent;
  }
  if (digits.empty()) return out + "0e0";
  return out + digits + "e" + std::to_string(exponent);
}

inline void append_normal(std::string& out, const RowTree& tree, RowTree::Index index) {
  const RowTree::Value& value = tree[index];
  if (!value.is_container()) {
    if (value.kind == ValueKind::kNumber)
      out += normal_number(value.text);
    else
      tree.append_json(index, out);
    return;
  }
  const bool object = value.kind == ValueKind::kObject;
  out += object ? '{' : '[';
  for (RowTree::Index i = value.first; i != RowTree::kNone; i = tree[i].next) {
    if (object) out += json_string(tree[i].key) + ":";
    append_normal(out, tree, i);
    out += ',';
  }
  out += object ? '}' : ']';
}

inline std::string normal(const RowTree& tree, RowTree::Index index = RowTree::kRoot) {
  std::string out;
  append_normal(out, tree, index);
  return out;
}

// Reads one good value that fills the text; false where it is none.
inline bool read(RowTree& tree, std::string_view text) {
  tree.begin_row();
  json::Parser<RowTree> parser(tree);
  const json::ParseResult parsed = parser.parse(text, 0, true);
  return parsed.outcome == json::Outcome::kOk && parsed.defect == json::Defect::kNone &&
         parsed.end == text.size();
}

// Of text that the program wrote as JSON: it must be that.
inline std::string normal(std::string_view json) {
  static RowTree tree;  // one for all: its memory is most of the cost
  require(read(tree, json), "what was written is JSON", json);
  return normal(tree);
}

inline std::string normal(const Cell& cell) {
  std::string text;
  json::append_json(text, cell);
  return normal(text);
}

inline std::string decimal(json::Int128 value, std::uint8_t scale) {
  const bool negative = value < 0;
  std::string digits;
  for (; value != 0; value /= 10) {
    const int digit = static_cast<int>(value % 10);
    digits.insert(digits.begin(), static_cast<char>('0' + (digit < 0 ? -digit : digit)));
  }
  require(digits.size() <= 38, "a DECIMAL or HUGEINT has 38 digits", digits);
  if (digits.empty()) digits = "0";
  return normal_number((negative ? "-" : "") + digits + "e-" + std::to_string(scale));
}

std::string stored(const RowTree& tree, RowTree::Index index, const ColumnType& type);

// What a column of this type keeps of a cell that is no null, in normal spelling. It must be able to.
inline std::string stored(const Cell& cell, const ColumnType& type) {
  const bool is_integer = cell.kind == Kind::kInt53 || cell.kind == Kind::kInt64;
  const bool is_string = cell.kind == Kind::kString || cell.kind == Kind::kTime;
  if (type.is_nested()) {
    static RowTree tree;
    require(cell.kind == Kind::kNested && read(tree, cell.view()), "a nested value is JSON");
    return stored(tree, RowTree::kRoot, type);
  }
  switch (type.base) {
    case BaseType::kBoolean:
      require(cell.kind == Kind::kBool, "a BOOLEAN holds booleans");
      return normal(cell);
    case BaseType::kBigint:
      require(is_integer, "a BIGINT holds integers");
      return normal_number(std::to_string(cell.integer));
    case BaseType::kHugeint:
    case BaseType::kDecimal:
      return decimal(json::to_scaled(cell, type.scale), type.scale);
    case BaseType::kDouble: {
      require(cell.kind == Kind::kInt53 || cell.kind == Kind::kDouble ||
                  cell.kind == Kind::kNegativeZero,
              "a DOUBLE holds what it can hold exactly");
      const double value = is_integer ? static_cast<double>(cell.integer) : cell.real;
      std::array<char, 64> text;
      // Without the format it could be all digits, which are more than the shortest number has.
      const auto end = std::to_chars(text.data(), text.data() + text.size(), value,
                                     std::chars_format::scientific)
                           .ptr;
      return normal_number({text.data(), static_cast<std::size_t>(end - text.data())});
    }
    case BaseType::kTimestampTz:
      require(cell.kind == Kind::kTime && parse_rfc3339(cell.view()).has_value(),
              "a TIMESTAMPTZ holds times", cell.view());
      return json_string(cell.view());
    case BaseType::kVarchar: {
      std::string text;
      json::append_text(text, cell);
      return is_string ? json_string(text) : normal(text);
    }
    default:
      return normal(cell);
  }
}

inline std::string stored_object(const RowTree& tree, RowTree::Index index,
                                 const ColumnType& type) {
  require(tree[index].kind == ValueKind::kObject, "a STRUCT or MAP holds objects");
  std::string out = "{";
  std::set<std::string_view> keys;
  for (RowTree::Index i = tree[index].first; i != RowTree::kNone; i = tree[i].next) {
    require(keys.insert(tree[i].key).second, "no key stands twice in a STRUCT or MAP", tree[i].key);
    const ColumnType* child = &type.children->back().second;
    if (type.base == BaseType::kStruct) {
      child = nullptr;
      for (const auto& field : *type.children) {
        if (field.first == tree[i].key) child = &field.second;
      }
    }
    require(child != nullptr, "a STRUCT has a field for each key", tree[i].key);
    out += json_string(tree[i].key) + ":" + stored(tree, i, *child) + ",";
  }
  return out + "}";
}

inline std::string stored(const RowTree& tree, RowTree::Index index, const ColumnType& type) {
  const RowTree::Value& value = tree[index];
  if (value.kind == ValueKind::kNull) return "null";
  if (type.base == BaseType::kStruct || type.base == BaseType::kMap)
    return stored_object(tree, index, type);
  if (type.base == BaseType::kList) {
    require(value.kind == ValueKind::kArray, "a LIST holds arrays");
    std::string out = "[";
    for (RowTree::Index i = value.first; i != RowTree::kNone; i = tree[i].next)
      out += stored(tree, i, type.children->front().second) + ",";
    return out + "]";
  }
  if (type.base == BaseType::kJson && value.is_container()) return normal(tree, index);
  require(!value.is_container(), "a column of scalars holds no container");
  Cell cell = json::cell_of(value);
  if (cell.kind == Kind::kString && type.base == BaseType::kTimestampTz) cell.kind = Kind::kTime;
  return stored(cell, type);
}

}  // namespace sd::fuzz
