// A result as a table for people: the bytes of format=jsoncompact → aligned columns.
//
//    id | name  | amount
//   ----+-------+--------
//     1 | alice |  12.50
//   (1 row)
//
// The first kRowsToLookAt rows say how wide columns are; later ones may stick out. Numbers stand on the right. What could
// harm a terminal is spelled out, and where its width is known long values are cut, with "…".
#pragma once

#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace sd::client {

// Columns that a text takes on a terminal (wcwidth).
std::size_t display_width(std::string_view text);

class TableWriter {
 public:
  // `width`: of the terminal, in columns; nullopt: nothing is cut.
  TableWriter(std::ostream& out, std::optional<std::size_t> width) : out_(out), width_(width) {}

  // The next bytes. kInternal where they are no such result.
  Result<> feed(std::string_view bytes);
  // The rest, and how many rows there were.
  void finish();

 private:
  static constexpr std::size_t kRowsToLookAt = 1000;
  using Cells = std::vector<std::string>;

  Result<> take_line(std::string_view line);
  Result<> take_meta(std::string_view line);
  void print_head();
  void print_row(const Cells& cells);
  void put(std::string_view text, std::size_t column, bool is_last, std::size_t& spare);

  std::ostream& out_;
  const std::optional<std::size_t> width_;
  std::string line_;  // up to the next line break
  bool has_meta_ = false;
  bool ended_ = false;
  Cells names_;
  std::vector<bool> right_;
  std::vector<std::size_t> widths_;
  std::size_t spare_ = 0;       // of a line of the screen, beside the columns
  std::vector<Cells> waiting_;  // until the widths are known
  bool head_printed_ = false;
  std::uint64_t rows_ = 0;
};

}  // namespace sd::client
