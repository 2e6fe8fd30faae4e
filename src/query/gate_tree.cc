#include "query/gate_tree.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <optional>

#include "base/ascii.h"
#include "query/gate_policy.h"
#include "query/gate_reader.h"
#include "query/sql_error.h"

namespace sd::query {
namespace {

constexpr std::size_t kMaxNesting = 1'000'000;
// Of a table function, DESCRIBE, SUMMARIZE …: no more.
constexpr double kFunctionColumns = 30;
// Of an ARRAY's type, with those inside it: DuckDB allots them for 2,048 rows at once, also where there is none.
constexpr double kMostArrayValues = 100'000;
constexpr std::string_view kNotSelect = "Only SELECT statements can be serialized to json!";

using Literal = ArgumentShape::Literal;

std::optional<std::size_t> offset(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc() || end != text.data() + text.size() || value == UINT64_MAX) {
    return std::nullopt;
  }
  return value;
}

bool is_of_a_plain_scan(std::string_view type) {
  return type == "SELECT_NODE" || type == "BASE_TABLE" || type == "LIMIT_MODIFIER" ||
         type.ends_with("_TYPE_INFO");
}

// A CTE that a name may mean.
struct VisibleCte {
  std::string name;  // folded
  PlanCost cost;
  bool recursive = false;  // named within its own right side
};

class Walk : private TreeReader {
 public:
  Walk(std::string_view tree, const TreeOptions& options) : TreeReader(tree), options_(options) {}

  Result<TreeFindings> run() {
    TRY(read());
    findings_.plain_scan =
        !computes_ && findings_.functions.empty() && findings_.tables.size() == 1;
    return std::move(findings_);
  }

 private:
  Result<> opened(TreeNode& node) override {
    if (nodes_.size() > kMaxNesting) return fail(refusal("a statement nested so deeply", {}));
    // A recursive CTE names itself in its right side only.
    node.visible_ctes = visible_.size();
    if (node.key == "modifiers") node.modifier_tables[0] = findings_.tables.size();
    if (node.key != "right" || nodes_.size() < 2) return {};
    const TreeNode& parent = nodes_[nodes_.size() - 2];
    if (parent.type == "RECURSIVE_CTE_NODE")
      visible_.push_back({fold_ascii(unescape_json(parent.cte_name)), PlanCost{}, true});
    return {};
  }

  void text(TreeNode& node, std::string_view key, std::string_view raw) override {
    if (node.array) {
      ++node.cost.elements;
      if (node.key == "column_names" && is_volatile_keyword(fold_ascii(raw)))
        findings_.volatile_result = true;
      return;
    }
    const auto take = [&](std::string_view name, std::string_view TreeNode::*member) {
      if (key == name) node.*member = raw;
    };
    if (key == "class" && !node.is_expression()) ++expression_depth_;
    take("class", &TreeNode::expression_class);
    take("type", &TreeNode::type);
    take("function_name", &TreeNode::function);
    take("table_name", &TreeNode::table);
    take("schema_name", &TreeNode::table_schema);
    take("catalog_name", &TreeNode::table_catalog);
    take("cte_name", &TreeNode::cte_name);
    take("key", &TreeNode::entry_key);
    take("show_type", &TreeNode::show_type);
    take("name", &TreeNode::type_name);
    take("error_message", &TreeNode::error);
    take("position", &TreeNode::position);
    if (key == "id" && raw == "VARIANT") node.variant = true;
    if (key == "materialized") node.materialized = computes_ = true;
    if (key == "aggregate_handling" && raw != "STANDARD_HANDLING") computes_ = true;
    if (key == "value") node.shape.emplace().set_text(raw);
  }

  void scalar(TreeNode& node, std::string_view key, std::string_view raw) override {
    if (node.array) {
      ++node.cost.elements;
      return;
    }
    if (key == "query_location") node.location = raw;
    if (key == "export_state") node.export_state = raw == "true";
    if (key == "error") node.failed = raw == "true";
    if (key == "seed" && raw == "-1") node.sampled = true;
    if (key == "size" && node.type == "ARRAY_TYPE_INFO")
      node.array_size *= std::max(std::strtod(std::string(raw).c_str(), nullptr), 1.0);
    if (key == "is_null" && raw == "true") node.shape = ArgumentShape{.literal = Literal::kNumber};
    if (key == "value" && raw != "null" && raw != "true" && raw != "false") {
      node.shape = ArgumentShape{.literal = Literal::kNumber,
                                 .number = std::strtod(std::string(raw).c_str(), nullptr)};
    }
  }

  Result<> closed(TreeNode& node) override {
    if (!node.array) TRY(judge(node));
    if (node.is_expression()) weigh_expression(node);
    if (node.is_expression()) --expression_depth_;
    if (node.is_query()) close_query(node);
    if (!nodes_.empty()) add_to_parent(node, nodes_.back());
    if (node.cost.units > options_.max_plan_units) {
      return fail(refusal("what takes DuckDB so long to plan (it nests or repeats too much)",
                          node.location));
    }
    return {};
  }

  void add_to_parent(TreeNode& node, TreeNode& parent) {
    if (node.array)
      add_array(node, parent);
    else
      add_object(node, parent);
    if (parent.type == "SET_OPERATION_NODE" || parent.type == "RECURSIVE_CTE_NODE")
      parent.cost.add_side(node.cost);
    else
      parent.cost.add(node.cost);
    parent.parts.add(node.parts);
  }

  void add_array(TreeNode& node, TreeNode& parent) {
    if (node.variant) parent.variant = true;
    parent.array_size = std::max(parent.array_size, node.array_size);
    if (node.key == "key_targets" && node.cost.elements > 0) parent.has_keys = true;
    if (node.key == "children") {
      parent.arguments = std::move(node.arguments);
      parent.cost.elements = node.cost.elements;
      parent.cost.conjunctions = node.cost.conjunctions;
      parent.cost.stars += node.cost.stars;
    } else if (node.key == "select_list") {
      parent.cost.elements = node.cost.elements;
      parent.cost.stars += node.cost.stars;
    } else if (node.key == "group_expressions") {
      node.cost.units += group_units(node.cost.elements);
      if (node.cost.elements > 0) computes_ = true;
    } else if (node.key == "replace_list" || node.key == "rename_list") {
      node.cost.units += replace_units(node.cost.elements);
    } else if (node.key == "modifiers") {
      parent.modifier_tables[0] = node.modifier_tables[0];
      parent.modifier_tables[1] = findings_.tables.size();
    }
  }

  void add_object(TreeNode& node, TreeNode& parent) {
    if (node.key == "at_clause") parent.at_clause = true;
    if (node.key == "node") parent.has_node = true;
    if (node.key == "sample") computes_ = true;
    if (node.key == "sample" && node.sampled) findings_.volatile_result = true;
    if (node.variant && !node.is_expression()) parent.variant = true;
    if (!node.is_expression()) parent.array_size = std::max(parent.array_size, node.array_size);
    if (node.key == "from_table") {
      parent.source = node.cost;
      node.cost.columns = node.cost.tables = 0;
    }
    // {"key":name,"value":{…,"materialized":…}} of a cte_map: the name can be used from here on.
    if (node.key == "value" && node.materialized) {
      visible_.push_back({fold_ascii(unescape_json(parent.entry_key)), node.cost, false});
    }
    // A CTE's columns and tables count where it is named.
    if (node.key == "cte_map") node.cost.columns = node.cost.tables = node.cost.relations = 0;
    // The literal of a constant; what a CAST has inside.
    if ((node.key == "value" || node.key == "child") && node.shape) parent.shape = node.shape;
    if (parent.array) {
      ++parent.cost.elements;
      parent.cost.stars += node.cost.stars;
      if (node.expression_class == "CONJUNCTION") ++parent.cost.conjunctions;
      if (node.is_expression() && parent.arguments.size() < kKeptArguments)
        parent.arguments.push_back(node.shape.value_or(node.parts));
    } else if (node.is_expression()) {
      parent.cost.stars += node.cost.stars;
    }
  }

  void close_query(TreeNode& node) {
    if (node.type == "SELECT_NODE") {
      PlanCost& cost = node.cost;
      const double starred = cost.stars * node.source.columns;
      cost.tables = cost.stars * node.source.tables;
      cost.columns = cost.elements - std::min(cost.stars, cost.elements) + starred;
      cost.units += kColumnUnits * (starred + cost.tables);
      findings_.star_tables = std::max(findings_.star_tables, cost.tables);
      // Counted once, for the largest: what is around it adds to the same join.
      const double joins = join_units(node.cost.relations);
      node.cost.units += std::max(joins - join_units_, 0.0);
      join_units_ = std::max(joins, join_units_);
    }
    node.cost.stars = node.cost.elements = 0;
    // ORDER BY and LIMIT stand before the CTEs that they may name.
    const auto is_own_cte = [&](const TableReference& table) {
      return table.schema.empty() && table.catalog.empty() &&
             find_cte(table.table, node.visible_ctes) != nullptr;
    };
    for (std::size_t i = node.modifier_tables[1]; i > node.modifier_tables[0]; --i) {
      if (is_own_cte(findings_.tables[i - 1]))
        findings_.tables.erase(findings_.tables.begin() + static_cast<std::ptrdiff_t>(i - 1));
    }
    visible_.resize(node.visible_ctes);
  }

  void weigh_expression(TreeNode& node) {
    PlanCost& cost = node.cost;
    const std::string_view kind = node.expression_class;
    cost.columns = cost.tables = 0;
    double factor = 1;
    double own = expression_units(kind == "CONSTANT", expression_depth_);
    if (kind == "SUBQUERY") factor = kSubqueryFactor;
    if (kind == "SUBQUERY") cost.relations *= kSubqueryRelations;
    if (kind == "LAMBDA") factor = kLambdaFactor;
    if (kind == "CONJUNCTION") own += conjunction_units(cost.elements, cost.conjunctions);
    if (kind == "WINDOW") own += window_units(windows_++);
    if (kind == "STAR") ++cost.stars;
    if (kind == "FUNCTION") {
      const int copies = macro_copies(fold_ascii(node.function));
      if (copies > 1) own += kMacroUnits;
      factor = copies;
    }
    cost.units = own + factor * cost.units;
    cost.elements = cost.conjunctions = 0;

    if (kind == "COLUMN_REF" || kind == "LAMBDA_REF" || kind == "PARAMETER" || kind == "SUBQUERY" ||
        kind == "POSITIONAL_REFERENCE" || kind == "STAR" || kind == "LAMBDA") {
      node.parts.varies = true;
    }
    if (kind == "CONSTANT" && node.shape) node.parts.add(*node.shape);
    if (kind == "FUNCTION") {
      const ArgumentShape whole = folded(node.function, node.arguments, node.parts);
      node.shape = whole.literal == Literal::kNone ? std::nullopt : std::optional(whole);
    } else if (kind != "CONSTANT" && kind != "CAST") {
      node.shape.reset();
    }
  }

  // ---- the policy ----

  Error refusal(const std::string& what, std::string_view location) const {
    Error error = invalid(what + " is not allowed here").with_slug("sql-not-allowed");
    if (const auto at = position(location)) {
      error.members.emplace_back("sql_position", std::to_string(*at));
    }
    return error;
  }
  // Of a node; where it has none, of what it stands in.
  std::optional<std::size_t> position(std::string_view location) const {
    if (const auto at = offset(location)) return options_.where(*at);
    for (auto node = nodes_.rbegin(); node != nodes_.rend(); ++node) {
      if (const auto at = offset(node->location)) return options_.where(*at);
    }
    return options_.where(0);
  }

  Result<> judge(TreeNode& node) {
    if (node.failed) {
      Error error =
          invalid(std::string(without_advice(unescape_json(node.error)))).with_slug("sql-syntax");
      if (const auto at = offset(node.position)) {
        error.members.emplace_back("sql_position", std::to_string(options_.where(*at)));
      }
      return fail(std::move(error));
    }
    if (node.is_expression()) return judge_expression(node);
    if (node.type.empty()) {
      // {"node":…} in "statements" is a whole statement; elsewhere a subquery.
      if (node.has_node && nodes_.size() == 2) ++findings_.statements;
      return {};
    }
    if (!is_allowed_node_type(node.type)) {
      return fail(refusal("a " + unescape_json(node.type), node.location));
    }
    if (!is_of_a_plain_scan(node.type)) computes_ = true;
    if (node.type == "BASE_TABLE") return judge_table(node);
    if (node.type == "SHOW_REF") return judge_show(node);
    if (node.type == "UNBOUND_TYPE_INFO") judge_type_name(node);
    if (node.type == "ARRAY_TYPE_INFO" && node.array_size > kMostArrayValues) {
      return fail(refusal("an ARRAY of more than " +
                              std::to_string(static_cast<std::uint64_t>(kMostArrayValues)) +
                              " values",
                          node.location));
    }
    if (node.names_recurring && !node.has_keys)
      return fail(refusal("\"recurring\" in a CTE without USING KEY", node.location));
    if (node.type == "TABLE_FUNCTION") {
      node.cost.units += kTableUnits;
      node.cost.columns += kFunctionColumns;
      node.cost.relations += 1;
    }
    return {};
  }

  void judge_type_name(TreeNode& node) {
    const std::string name = fold_ascii(unescape_json(node.type_name));
    if (name == "variant") node.variant = true;
    findings_.types.push_back({name, position(node.location).value_or(0)});
  }

  Result<> judge_expression(const TreeNode& node) {
    if (!is_allowed_expression_class(node.expression_class)) {
      return fail(refusal("a " + unescape_json(node.expression_class), node.location));
    }
    if (node.expression_class == "WINDOW" || node.expression_class == "SUBQUERY") computes_ = true;
    if (node.expression_class == "CAST" && node.variant) {
      return fail(refusal("a cast to VARIANT", node.location));
    }
    // j -> path, before DuckDB knows that it is no lambda.
    if (node.expression_class == "LAMBDA" && node.parts.descents > 1) {
      return fail(refusal("a JSON path with more than one \"..\"", node.location));
    }
    if (node.function.empty()) return {};
    const std::string name = fold_ascii(unescape_json(node.function));
    const bool table_function = node.key == "function";  // of a TABLE_FUNCTION
    note_function(name, node);
    if (table_function) {
      const bool own =
          options_.own_table_functions != nullptr && options_.own_table_functions->contains(name);
      if (!own && !is_allowed_table_function(name))
        return fail(refusal("the table function \"" + name + "\"", node.location));
      if (is_volatile_table_function(name)) findings_.volatile_result = true;
    } else {
      if (is_denied_function(name))
        return fail(refusal("the function \"" + name + "\"", node.location));
      if (const auto problem = argument_problem(name, node.arguments))
        return fail(problem_with(name, *problem, node.location));
      if (is_volatile_function(name) || (name == "age" && node.arguments.size() == 1))
        findings_.volatile_result = true;
    }
    if (options_.limited && is_catalog_function(name)) {
      return fail(refusal("the function \"" + name + "\", with a key that is limited to tables,",
                          node.location));
    }
    if (node.export_state) return fail(refusal("EXPORT_STATE", node.location));
    return {};
  }

  Error problem_with(const std::string& name, const std::string& problem,
                     std::string_view location) const {
    Error error = refusal("", location);
    error.message = "the function \"" + name + "\" " + problem;
    return error;
  }

  void note_function(const std::string& name, const TreeNode& node) {
    if (!functions_seen_.insert(name).second) return;
    findings_.functions.push_back({name, position(node.location).value_or(0)});
  }

  Result<> judge_table(TreeNode& node) {
    if (node.at_clause) return fail(refusal("AT (time travel)", node.location));
    TableReference table{unescape_json(node.table_catalog), unescape_json(node.table_schema),
                         unescape_json(node.table), position(node.location).value_or(0)};
    PlanCost& cost = node.cost;
    cost.units += kTableUnits;
    // "recurring" are the rows so far of a recursive CTE USING KEY. With a dot in its name even a CTE must
    // be a table: should DuckDB see no CTE where one is seen here, it would look for a file.
    const bool recurring = table.schema == "recurring";
    if (table.catalog.empty() && (table.schema.empty() || recurring) &&
        table.table.find('.') == std::string::npos) {
      const VisibleCte* cte = find_cte(table.table, 0);
      if (cte != nullptr && recurring && !note_recurring(*cte)) cte = nullptr;
      if (cte != nullptr) {
        cost.columns += cte->cost.columns;
        cost.tables += cte->cost.tables;
        cost.relations += options_.inlines_ctes ? std::max(cte->cost.relations, 1.0) : 1;
        if (options_.inlines_ctes) cost.units += cte->cost.units;
        return {};
      }
    }
    cost.tables += 1;
    cost.relations += 1;
    if (is_denied_view(fold_ascii(table.table))) {
      return fail(refusal("the view \"" + fold_ascii(table.table) + "\"", node.location));
    }
    if (same_ascii_folded(table.schema, kOwnSchema) ||
        (table.schema.empty() && same_ascii_folded(table.catalog, kOwnSchema))) {
      return fail(refusal("the schema \"" + table.schema + "\", which is this server's own,",
                          node.location));
    }
    if (is_volatile_view(table.schema, fold_ascii(table.table))) findings_.volatile_result = true;
    findings_.tables.push_back(std::move(table));
    return {};
  }

  // Whether the CTE is one that this is the right side of, which then must have keys.
  bool note_recurring(const VisibleCte& cte) {
    if (!cte.recursive) return false;
    for (auto node = nodes_.rbegin(); node != nodes_.rend(); ++node) {
      if (node->type != "RECURSIVE_CTE_NODE" ||
          fold_ascii(unescape_json(node->cte_name)) != cte.name)
        continue;
      node->names_recurring = true;
      return true;
    }
    return false;
  }

  // The latest of that name, not older than the first `from`.
  const VisibleCte* find_cte(std::string_view name, std::size_t from) const {
    const std::string key = fold_ascii(name);
    for (std::size_t i = visible_.size(); i > from; --i) {
      if (visible_[i - 1].name == key) return &visible_[i - 1];
    }
    return nullptr;
  }

  Result<> judge_show(TreeNode& node) {
    node.cost.columns = kFunctionColumns;
    node.cost.tables = 0;
    std::string name = fold_ascii(unescape_json(node.table));
    if (name.size() >= 2 && name.front() == '"' && name.back() == '"') {
      name = name.substr(1, name.size() - 2);
    }
    if (!is_allowed_show(name)) return fail(refusal("SHOW " + name, node.location));
    const bool of_a_query = node.show_type == "DESCRIBE" || node.show_type == "SUMMARY";
    if (of_a_query) return {};
    findings_.volatile_result = true;
    if (!options_.limited) return {};
    return fail(refusal("SHOW, with a key that is limited to tables,", node.location));
  }

  const TreeOptions& options_;
  std::vector<VisibleCte> visible_;
  std::set<std::string> functions_seen_;
  bool computes_ = false;
  double expression_depth_ = 0;
  double windows_ = 0;
  double join_units_ = 0;
  TreeFindings findings_;
};

}  // namespace

Result<TreeFindings> walk_tree(std::string_view tree, const TreeOptions& options) {
  return Walk(tree, options).run();
}

bool is_not_a_select(std::string_view tree) {
  return tree.starts_with("{\"error\":true") && tree.find(kNotSelect) != std::string_view::npos;
}

}  // namespace sd::query
