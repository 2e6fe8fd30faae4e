// A statement and what becomes of it.
#pragma once

#include <string_view>

namespace sd::query {

enum class Expect {
  kRuns,     // passes and runs
  kPasses,   // passes; DuckDB may have its own objections
  kEndless,  // passes and runs until it is interrupted, which ends it within a second
  kHolds,    // passes, and no interrupt ends it: only the end of its process does
  kRefused,  // sql-not-allowed
  kSyntax,   // sql-syntax
};

constexpr std::string_view to_string(Expect expect) {
  switch (expect) {
    case Expect::kRuns:
      return "runs";
    case Expect::kPasses:
      return "passes";
    case Expect::kEndless:
      return "endless";
    case Expect::kHolds:
      return "holds";
    case Expect::kRefused:
      return "refused";
    case Expect::kSyntax:
      break;
  }
  return "syntax";
}

struct Probe {
  std::string_view sql;
  Expect expect;
};

}  // namespace sd::query
