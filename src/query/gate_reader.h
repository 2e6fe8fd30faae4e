// The stream of json_serialize_sql's text: objects and arrays, kept only while they are open.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "query/gate_arguments.h"
#include "query/gate_cost.h"

namespace sd::query {

// What is remembered of an object or array until it closes.
struct TreeNode {
  std::string_view key;  // under which it stands in its parent
  bool array = false;
  // Values still as they stand in the text, between their quotes.
  std::string_view expression_class, type, function, table, table_schema, table_catalog;
  std::string_view cte_name, entry_key, show_type, type_name, error, position, location;
  bool at_clause = false;
  bool export_state = false;
  bool failed = false;
  bool has_node = false;
  bool sampled = false;          // has a sample without a seed
  bool materialized = false;     // is what a CTE's name stands for
  bool variant = false;          // a type that has VARIANT in it
  bool has_keys = false;         // a recursive CTE USING KEY
  bool names_recurring = false;  // a recursive CTE whose right side names its rows so far
  double array_size = 1;         // of a type: of ARRAYs in ARRAYs the product

  std::optional<ArgumentShape> shape;    // of an expression that is a literal
  std::vector<ArgumentShape> arguments;  // of a function; of an array, its elements
  ArgumentShape parts;                   // of everything below
  PlanCost cost;
  PlanCost source;                          // of a query's FROM: its columns
  std::size_t visible_ctes = 0;             // before this node's own
  std::size_t modifier_tables[2] = {0, 0};  // tables named in ORDER BY and LIMIT: from, to

  bool is_expression() const { return !expression_class.empty(); }
  bool is_query() const { return type.ends_with("_NODE"); }
};

class TreeReader {
 public:
  explicit TreeReader(std::string_view tree) : rest_(tree) {}
  virtual ~TreeReader() = default;
  TreeReader(const TreeReader&) = delete;
  TreeReader& operator=(const TreeReader&) = delete;

  // kInternal where the text is not what DuckDB writes.
  Result<> read();

 protected:
  // `node` is on the stack, and empty but for its key.
  virtual Result<> opened(TreeNode& node) = 0;
  // A member of `node`, or an element of that array (then `key` is empty).
  virtual void text(TreeNode& node, std::string_view key, std::string_view raw) = 0;
  virtual void scalar(TreeNode& node, std::string_view key, std::string_view raw) = 0;
  // `node` has left the stack; its parent is the last one there.
  virtual Result<> closed(TreeNode& node) = 0;

  std::vector<TreeNode> nodes_;

 private:
  Result<> step();
  Result<> read_text();
  Result<> read_scalar();

  std::string_view rest_;
  std::string_view key_;
  bool done_ = false;
};

// The text of a JSON string, escapes resolved.
std::string unescape_json(std::string_view raw);

}  // namespace sd::query
