#include "query/gate_cost.h"

#include <algorithm>

namespace sd::query {

void PlanCost::add(const PlanCost& part) {
  units += part.units;
  columns += part.columns;
  tables += part.tables;
  relations += part.relations;
}

void PlanCost::add_side(const PlanCost& side) {
  units += side.units;
  columns = std::max(columns, side.columns);
  tables = std::max(tables, side.tables);
  relations = std::max(relations, side.relations);
}

double conjunction_units(double elements, double conjunctions) {
  return 3 * conjunctions * conjunctions + 0.03 * elements * elements;
}

double window_units(double windows_before) {
  return 2 * windows_before;
}

double group_units(double elements) {
  return 0.07 * elements * elements;
}

double replace_units(double elements) {
  return 0.3 * elements * elements;
}

double join_units(double relations) {
  return relations * relations * relations * relations / 50;
}

}  // namespace sd::query
