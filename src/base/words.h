// Words as people write them: how near they are to each other, for "did you mean …?"; yes and no.
#pragma once

#include <optional>
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

// "unknown member \"nmae\"; did you mean \"name\"?"
std::string unknown_text(std::string_view what, std::string_view name,
                         const std::vector<std::string>& known);

// true/false, yes/no, on/off, 1/0, in any case.
std::optional<bool> parse_bool(std::string_view text);

}  // namespace sd
