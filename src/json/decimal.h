// JSON numbers as their digits, whatever their length. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sd::json {

// A decimal number as its significant digits (no zeros at either end) and the power of ten of the
// last one: 1.50 is "15" and -1, 1200 is "12" and 2. Zero is "" and 0.
struct Decimal {
  std::string digits;
  std::int64_t exponent = 0;
  bool negative = false;
  friend bool operator==(const Decimal&, const Decimal&) = default;
};

// Of a JSON number's token.
Decimal decompose(std::string_view token);

// Without an exponent, and without zeros that say nothing.
void append_plain(std::string& out, const Decimal& number);

}  // namespace sd::json
