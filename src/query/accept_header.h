// The parts of headers that say what a client takes, and how gladly: Accept, Accept-Encoding (RFC 9110 12.5).
//
// Pure functions; any thread.
#pragma once

#include <optional>
#include <string_view>

namespace sd::query {

// What stands before `separator`, without the blanks around it; the rest stays in `text`. Quoted strings are
// skipped over.
std::string_view next_part(std::string_view& text, char separator);

// A weight (RFC 9110 12.4.2): "0", "0.5", "1.000" → thousandths; nullopt: not a weight.
std::optional<int> parse_weight(std::string_view text);

}  // namespace sd::query
