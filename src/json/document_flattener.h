// The flatten modes that see a document whole before they say which rows it becomes (api.md, Insert):
//
//   horizontal  with a depth limit: as HorizontalFlattener, and what lies deeper stays JSON
//   vertical    the cross product of all arrays: each element of an array in a row of its own, what
//               stands outside of it repeated. ___document_id is the same in all rows of a document,
//               __order_<name> the element's place in its array; keys of these names get a suffix.
//   multitable  arrays become rows of child tables named <parent>_<keys>, with __parent_row_id (a key
//               of this name gets a suffix), and with <parent>_id and id where the object brings none;
//               objects are flattened where they stand. <parent>_id is the parent's id as its row has it:
//               null where a contract took it out.
//   none        a column for each member of the document; what is nested becomes native (json/shape.h)
//
// An empty array or object has no leaf and stays whole, as "[]" or "{}".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "json/row_tree.h"
#include "json/rows.h"
#include "json/table_builder.h"

namespace sd::json {

enum class Flatten : std::uint8_t { kHorizontal = 0, kVertical = 1, kMultitable = 2, kNone = 3 };

const char* to_string(Flatten mode);
// Knows "explode" too, which is vertical.
std::optional<Flatten> parse_flatten(std::string_view name);

struct FlattenOptions {
  Flatten mode = Flatten::kHorizontal;
  // Containers nested deeper than this stay JSON: with 1, all that is nested; 0: no limit.
  std::uint32_t max_depth = 0;
  std::uint64_t max_rows = 10'000;      // that one document may become
  std::uint64_t max_cells = 2'000'000;  // and values in them
  std::uint64_t max_bytes =
      64U << 20;  // and text in these: what stands outside of arrays is repeated
};

// Takes the rows of a document.
class RowSink {
 public:
  virtual ~RowSink() = default;
  // Where the rows of a table are gathered; stands until the next document.
  virtual Result<TableBuilder*> table(const std::string& name) = 0;
  // The __row_id that the row under construction will have.
  virtual std::int64_t row_id(const TableBuilder& builder) const = 0;
  // A value as the table will hold it at a place of its rows; kNull where it cannot.
  virtual Cell stored(TableBuilder& /*builder*/, PathTree::Node /*node*/, Cell cell) {
    return cell;
  }
  // The row in the builder is complete: takes out what the table is not to have of it.
  virtual void settle(TableBuilder& /*builder*/) {}
  // The row in the builder is settled.
  virtual void commit(TableBuilder& builder) = 0;
};

class DocumentFlattener {
 public:
  DocumentFlattener(FlattenOptions options, std::string table);

  // The place of __parent_row_id in a child table: one that no key leads to.
  static PathTree::Node parent_row_id(PathTree& tree);

  // Whether the document stays within the limits.
  std::optional<RowError> check(const RowTree& tree) const;
  // Hands over its rows. An error is the sink's.
  Result<> run(const RowTree& tree, std::int64_t document_id, RowSink& sink) const;

 private:
  using Index = RowTree::Index;
  struct Size {
    double rows = 1;
    double cells = 0;
    double bytes = 0;
  };
  struct Item {  // of a row that is being multiplied out
    PathTree::Node node;
    Index value;  // kNone: an order
    std::uint32_t order = 0;
  };
  using Items = std::vector<Item>;
  struct Child {  // an array that becomes rows of a child table
    std::string table;
    std::string_view column;
    Index array;
    std::uint32_t depth;
  };
  struct Parent {
    std::string table;
    Cell id;
    std::int64_t row_id;
    std::string id_key() const { return table + "_id"; }
  };

  // A container that is not taken apart: empty, or too deep.
  bool stays_whole(const RowTree& tree, Index i, std::uint32_t depth) const;
  void put_value(const RowTree& tree, Index i, TableBuilder& to, PathTree::Node node) const;
  void put_flat(const RowTree& tree, Index i, std::uint32_t depth, TableBuilder& to,
                PathTree::Node node) const;

  Size exploded_size(const RowTree& tree, Index i, std::uint32_t depth) const;
  std::vector<Items> explode(const RowTree& tree, Index i, std::uint32_t depth, TableBuilder& to,
                             PathTree::Node node, PathTree::Node order) const;
  Result<> run_vertical(const RowTree& tree, std::int64_t document_id, RowSink& sink) const;

  // Whether a value is a column where it stands: no object that is taken apart, and no array that
  // has a table, which would be named so.
  bool is_column(const RowTree& tree, Index i, std::uint32_t depth, const std::string& full) const;
  // The member that is the row's column of that name, a null aside: the first one. kNone.
  Index find_brought(const RowTree& tree, Index object, std::uint32_t depth,
                     const std::string& table, std::string_view key) const;
  double count_children(const RowTree& tree, Index i, std::uint32_t depth) const;
  void put_object(const RowTree& tree, Index i, std::uint32_t depth, TableBuilder& to,
                  PathTree::Node node, const std::string& name, std::string_view parent_key,
                  std::vector<Child>& children) const;
  static void put_parent(TableBuilder& to, const Parent& parent, bool brought);
  Result<> run_object(const RowTree& tree, Index object, std::uint32_t depth,
                      const std::string& table, const Parent* parent, RowSink& sink) const;
  Result<> run_element(const RowTree& tree, Index element, const Child& child, const Parent& parent,
                       RowSink& sink) const;

  const FlattenOptions options_;
  const std::string table_;
};

}  // namespace sd::json
