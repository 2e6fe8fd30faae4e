// What the names of a statement mean in the destination's catalog.
#pragma once

#include <duckdb.h>

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "query/gate.h"
#include "query/gate_tree.h"

namespace sd::query {

// Lives for one statement; its lookups run on the connection, nothing of the statement does.
class GateCatalog {
 public:
  GateCatalog(duckdb_connection connection, const GateOptions& options)
      : connection_(connection), options_(options) {}

  // Judges the tree of a statement, and whatever views, macros and tables it names, and theirs.
  // `where` maps a position of the text that was serialised to one in the user's.
  Result<TreeFindings> judge(std::string_view tree, bool inlines_ctes,
                             const std::function<std::size_t(std::size_t)>& where);

  // json_serialize_sql's answer.
  Result<std::string> serialise(std::string_view sql);

 private:
  Result<> load_definitions();
  Result<> judge_definition(const std::string& what, const Definitions::Entry& entry,
                            const std::string& query, std::size_t position);
  Result<> judge_stars(const TreeFindings& findings, std::size_t position);
  Result<> judge_functions(const TreeFindings& findings);
  Result<> judge_table(const TableReference& table);
  Result<bool> judge_view(const TableReference& table);
  Result<bool> is_in_main(const TableReference& table);
  Result<> types_must_be_common(const TreeFindings& findings);
  Result<> must_be_listed(const TableReference& table);
  Result<> must_exist(const TableReference& table);
  Result<> must_be_here(const TableReference& table);
  Result<std::vector<std::string>> lookup(const char* sql,
                                          std::optional<std::string_view> parameter);
  Error not_readable(const TableReference& table) const;

  duckdb_connection connection_;
  const GateOptions& options_;
  std::optional<Definitions> own_definitions_;
  const Definitions* definitions_ = nullptr;
  std::set<std::string> own_table_functions_;
  std::set<const Definitions::Entry*> judged_;
  std::optional<std::vector<std::string>> other_catalogs_;
  std::optional<std::set<std::string>> tables_of_main_;
  bool volatile_result_ = false;
};

}  // namespace sd::query
