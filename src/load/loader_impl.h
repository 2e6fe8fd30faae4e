// What the loader's files share: loader.cc (batches), refused.cc (rows that are refused, and tried again).
#pragma once

#include <algorithm>
#include <optional>
#include <set>
#include <string>

#include "base/ascii.h"
#include "load/loader.h"

namespace sd::load {

// The slug of the error that a refused row of a strict record is, until the record is refused as a whole.
inline constexpr std::string_view kRowOfStrict = "row-of-a-strict-request";

// Which rows of a record are loaded: those in [begin, end) that are not refused. The others of the
// record are passed over in a trial, and kept as refused rows in earnest.
struct Loader::Rows {
  std::uint64_t begin = 0;
  std::uint64_t end = UINT64_MAX;
  const std::set<std::uint64_t>* refused = nullptr;
  bool refuses_all = false;
  std::string code = "refused-by-destination";
  std::string reason;

  bool in_range(std::uint64_t row) const { return row >= begin && row < end; }
  bool is_refused(std::uint64_t row) const {
    return refuses_all || (refused != nullptr && refused->contains(row));
  }
};

// What a row comes from: a record of the journal, or the failed rows.
struct Loader::Source {
  journal::Position position = 0;
  Id128 receipt;
  Micros time_us = 0;
  std::optional<json::Flatten> asked;  // as the request said; kept with a row that is refused
  std::uint8_t asked_depth = 0;
  BodyKind body = BodyKind::kJson;
  bool strict = false;  // the first refused row ends the reading, with kRowOfStrict
  json::FlattenOptions flatten;
  // The only tables that rows may go to.
  std::optional<std::vector<std::string>> tables = {};

  bool may_go_to(std::string_view table) const {
    return !tables || std::ranges::any_of(*tables, [&](const std::string& each) {
      return same_ascii_folded(each, table);
    });
  }
  bool needs_tree() const {
    return flatten.mode != json::Flatten::kHorizontal || flatten.max_depth != 0;
  }
};

}  // namespace sd::load
