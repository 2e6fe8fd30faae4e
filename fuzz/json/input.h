// What the fuzzers of the flatteners read from their input: four bytes of choices, each '0' for what is
// usual, and a body of rows. In a body these bytes, which JSON does not know, stand for much text, so
// that limits are near:
//
//   0E n   8·n members "k0":0,"k1":1,…      0F n   1 inside of n arrays (n up to 80)
//   10 n   8·n elements 0,1,…               11 n   8·n letters k
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "json/contract.h"
#include "json/rows.h"

namespace sd::fuzz {

struct Document {
  std::string text;
  bool good = false;    // else a refused row
  std::int64_t id = 0;  // the __row_id of its first row, in whatever order documents come
};

inline std::string written_out(std::string_view text) {
  constexpr std::size_t kMost = 20U << 10;
  std::string out;
  for (std::size_t i = 0; i < text.size() && out.size() < kMost; ++i) {
    const char what = text[i];
    if (what < 0x0e || what > 0x11 || i + 1 == text.size()) {
      out += what;
      continue;
    }
    const std::size_t count = static_cast<unsigned char>(text[++i]);
    if (what == 0x0f) {
      const std::size_t depth = count % 81;
      out += std::string(depth, '[') + "1" + std::string(depth, ']');
    } else if (what == 0x11) {
      out += std::string(count * 8, 'k');
    } else {
      for (std::size_t n = 0; n < count * 8; ++n) {
        const std::string number = std::to_string(n);
        out += n == 0 ? "" : ",";
        out += what == 0x0e ? "\"k" + number + "\":" + number : number;
      }
    }
  }
  return out;
}

struct Input {
  json::FlattenOptions flatten;
  std::size_t max_columns = 0;
  bool times = true;
  bool whole_tree = false;  // horizontal without a limit of depth: by way of the tree as well
  std::uint8_t cut = 0;     // sixteenths of the rows
  json::Contract contract;  // of the rows behind the cut
  std::string body;

  Input(json::Flatten mode, std::string_view in) {
    const auto choice = [&](std::size_t i) {
      return i < in.size() ? static_cast<std::uint8_t>(in[i] ^ '0') : std::uint8_t{0};
    };
    flatten.mode = mode;
    flatten.max_depth = std::array<std::uint32_t, 6>{0, 1, 2, 3, 5, 64}[choice(0) % 6];
    times = choice(0) < 192;
    whole_tree = choice(0) % 12 >= 6;
    max_columns = std::array<std::size_t, 6>{1000, 0, 1, 3, 20, 100}[choice(1) % 6];
    flatten.max_rows = std::array<std::uint64_t, 6>{1000, 1, 3, 10, 30, 100}[choice(2) % 6];
    flatten.max_cells = std::array<std::uint64_t, 4>{20'000, 5, 30, 300}[choice(2) / 6 % 4];
    flatten.max_bytes = std::array<std::uint64_t, 4>{64U << 20, 10, 100, 1000}[choice(2) / 24 % 4];
    cut = choice(3) & 15;
    contract.columns = static_cast<json::Allow>(choice(3) >> 4 & 3);
    contract.data_type = static_cast<json::Allow>(choice(3) >> 6);
    contract.tables = choice(1) < 192 ? json::Allow::kEvolve : json::Allow::kDiscardValue;
    contract.timestamps = times;
    body = written_out(in.substr(std::min<std::size_t>(in.size(), 4)));
  }

  // Up to where the body cannot be read any more, and no more than make sense here.
  std::vector<Document> documents() const {
    constexpr std::size_t kMost = 48;
    constexpr std::int64_t kApart = 100'000;
    std::int64_t id = 1;
    std::vector<Document> out;
    json::NullHandler handler;
    json::RowSplitter<json::NullHandler> splitter(handler);
    using State = decltype(splitter)::State;
    for (std::string_view rest = body; out.size() < kMost;) {
      const auto step = splitter.next(rest, true);
      if (step.state != State::kRow && step.state != State::kRefused) break;
      out.push_back({std::string(step.text), step.state == State::kRow, id});
      id += kApart;
      rest.remove_prefix(splitter.consumed());
    }
    return out;
  }
};

}  // namespace sd::fuzz
