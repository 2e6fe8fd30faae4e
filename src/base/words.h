// How near words are to each other, for "did you mean …?".
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sd {

// Number of single-character insertions, removals, changes and swaps of neighbours between two
// words. Costs the product of their lengths: cut what comes from outside.
std::size_t edit_distance(std::string_view a, std::string_view b);

// The candidate with the least distance to the word, ASCII case aside, the first of equals; empty where none shares half
// of its letters with it. Of a long word only its beginning counts.
std::string nearest_word(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace sd
