// A walk over what json_serialize_sql says of a statement.
//
// The text is read once, as a stream of objects, with memory that grows with the nesting only: a
// statement of 1 MB makes a tree of 100 MB. Each object is judged when it closes. Keys are DuckDB's
// own; nothing that a user writes becomes a key.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace sd::query {

// FROM catalog.schema.table; missing parts are empty. No CTE is one.
struct TableReference {
  std::string catalog;
  std::string schema;
  std::string table;
  std::size_t position = 0;
};

// Something called by name: a function, a macro, an operator. Names are folded.
struct FunctionReference {
  std::string name;
  std::size_t position = 0;
};

struct TreeFindings {
  std::size_t statements = 0;
  std::vector<TableReference> tables;
  // Each name once, where it stands first.
  std::vector<FunctionReference> functions;
  // Types that DuckDB looks up by name, folded.
  std::vector<FunctionReference> types;
  // How many tables' columns the largest * stands for.
  double star_tables = 0;
  // Nothing but columns of one table stands in it: no function, no operator but comparisons, no order, no group.
  bool plain_scan = false;
  // The result depends on more than the data: the clock, chance, the session, the library's own lists.
  bool volatile_result = false;
};

struct TreeOptions {
  // What looks into the catalog is refused: for keys that are limited to tables.
  bool limited = false;
  // CTEs are planned anew wherever they are named: the tree does not tell NOT MATERIALIZED.
  bool inlines_ctes = false;
  double max_plan_units = 0;
  // Table macros of the destination's own, folded; they pass here and are judged by what they do.
  const std::set<std::string>* own_table_functions = nullptr;
  // Maps a position in the text that was serialised to one in the user's.
  std::function<std::size_t(std::size_t)> where;
};

// kInvalidArgument with slug "sql-not-allowed" at the first node that the policy refuses; slug
// "sql-syntax" where the tree says that the text did not parse.
Result<TreeFindings> walk_tree(std::string_view tree, const TreeOptions& options);

// The tree says: "Only SELECT statements can be serialized" (then it may be a PIVOT without IN).
bool is_not_a_select(std::string_view tree);

}  // namespace sd::query
