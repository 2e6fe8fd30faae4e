#include "base/words.h"

#include <algorithm>

#include "base/ascii.h"

namespace sd {
namespace {

constexpr std::size_t kLongestWord = 100;

}  // namespace

std::size_t edit_distance(std::string_view a, std::string_view b) {
  // Rows of the usual table, one a line above the other; two are kept for the swap.
  std::vector<std::size_t> before(b.size() + 1), above(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) above[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, change});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before.swap(above);
    above.swap(row);
  }
  return above[b.size()];
}

std::string nearest_word(std::string_view word, const std::vector<std::string>& candidates) {
  const std::string folded = fold_ascii(word.substr(0, kLongestWord));
  std::string best;
  std::size_t least = std::string::npos;
  for (const std::string& candidate : candidates) {
    const std::size_t distance = edit_distance(folded, fold_ascii(candidate));
    const bool is_near = 2 * distance <= std::max(folded.size(), candidate.size());
    if (!is_near || distance >= least) continue;
    least = distance;
    best = candidate;
  }
  return best;
}

std::string unknown_text(std::string_view what, std::string_view name,
                         const std::vector<std::string>& known) {
  std::string text =
      "unknown " + std::string(what) + " \"" + std::string(name.substr(0, kLongestWord)) + "\"";
  const std::string near = nearest_word(name, known);
  return near.empty() ? text : text + "; did you mean \"" + near + "\"?";
}

std::optional<bool> parse_bool(std::string_view text) {
  const std::string word = fold_ascii(text);
  if (word == "true" || word == "yes" || word == "on" || word == "1") return true;
  if (word == "false" || word == "no" || word == "off" || word == "0") return false;
  return std::nullopt;
}

}  // namespace sd
