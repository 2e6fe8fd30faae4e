// How long DuckDB would plan a statement, estimated from its syntax tree.
//
// Parsing, binding and optimising cannot be interrupted: a statement of a few hundred bytes can hold
// a thread for minutes (lambdas in lambdas, 2^n; 150 tables in one join, n^4), and then only the end of
// the engine's process ends it. So what would plan for long is refused. One unit is about 0.5 µs on
// a server's core; the weights below were fitted to DuckDB 1.5.6, each to the shape of statement that its
// comment names, measured alone.
#pragma once

#include <cstdint>

namespace sd::query {

// Of one node of the tree, with all that is below it.
struct PlanCost {
  double units = 0;
  // Columns that a query gives: so many, and those of so many tables.
  double columns = 0;
  double tables = 0;
  // Tables that the join order is sought for together.
  double relations = 0;
  std::uint32_t stars = 0;         // in a list of what is selected
  std::uint32_t elements = 0;      // of an array
  std::uint32_t conjunctions = 0;  // among the elements: AND in OR, OR in AND

  // A part of a whole: an element, an argument, a clause.
  void add(const PlanCost& part);
  // One side of UNION and its kind: sides are planned one by one.
  void add_side(const PlanCost& side);
};

// About one second.
inline constexpr double kMaxPlanUnits = 2e6;

// 300,000 expressions side by side: 2 s. Ten of a chain of 400 (1 + 1 + …): 1.2 s, with its cube.
inline double expression_units(bool constant, double depth) {
  return constant ? 2 : 16 + depth * depth / 5;
}
// Subqueries in subqueries, correlated (12: 3 s), and lambdas in lambdas, which "->" of JSON is too until
// names are known (22: 1.8 s), are bound again and again.
inline constexpr double kSubqueryFactor = 3;
inline constexpr double kLambdaFactor = 2;
// Each argument is copied to where the macro's body names it (nullif, 14 deep: 0.5 s).
inline constexpr double kMacroUnits = 64;
// FROM t, or a CTE that is planned anew wherever it is named (2^16 of them: over 1 s).
inline constexpr double kTableUnits = 80;
// A column out of * (SELECT *, * FROM (SELECT *, * FROM …), 16 deep: 1.2 s).
inline constexpr double kColumnUnits = 16;
// A scalar subquery is planned as a join, but not sought an order for like one (300: 1.1 s).
inline constexpr double kSubqueryRelations = 0.3;

// n conditions, of which some are conjunctions themselves: 700 × (a AND b) OR …: 0.8 s.
double conjunction_units(double elements, double conjunctions);
// The next window function (2,000 of them: 1.6 s).
double window_units(double windows_before);
// GROUP BY n expressions (10,000: 3.5 s); * REPLACE or RENAME of n columns (3,000: 1.3 s).
double group_units(double elements);
double replace_units(double elements);
// The join order (100 tables: 1 s, 150: 6 s).
double join_units(double relations);

}  // namespace sd::query
