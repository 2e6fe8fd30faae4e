// A walk over what json_serialize_sql says of a statement.
//
// The text is read once, as a stream of objects, with memory that grows with the nesting only: a
// statement of 1 MB makes a tree of 100 MB. Each object is judged when it closes. Keys are DuckDB's
// own; nothing that a user writes becomes a key.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace sd::query {

// FROM catalog.schema.table; missing parts are empty.
struct TableReference {
  std::string catalog;
  std::string schema;
  std::string table;
  std::size_t position = 0;
};

struct TreeFindings {
  std::size_t statements = 0;
  // References with a qualifier, or with a dot in the name: DuckDB would look for a file of that
  // name where there is no such table.
  std::vector<TableReference> to_resolve;
};

// `where` maps a position in the text that was serialised to one in the user's.
// kInvalidArgument with slug "sql-not-allowed" at the first node that the policy refuses; slug
// "sql-syntax" where the tree says that the text did not parse.
Result<TreeFindings> walk_tree(std::string_view tree,
                               const std::function<std::size_t(std::size_t)>& where);

// The tree says: "Only SELECT statements can be serialized" (then it may be a PIVOT without IN).
bool is_not_a_select(std::string_view tree);

}  // namespace sd::query
