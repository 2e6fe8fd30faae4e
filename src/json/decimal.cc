#include "json/decimal.h"

namespace sd::json {

Decimal decompose(std::string_view token) {
  Decimal out;
  std::size_t i = 0;
  if (i < token.size() && token[i] == '-') {
    out.negative = true;
    ++i;
  }
  bool fraction = false;
  for (; i < token.size() && token[i] != 'e' && token[i] != 'E'; ++i) {
    if (token[i] == '.') {
      fraction = true;
      continue;
    }
    if (fraction) --out.exponent;
    if (token[i] == '0' && out.digits.empty()) continue;
    out.digits += token[i];
  }
  if (i < token.size()) {
    ++i;
    bool negative = false;
    if (i < token.size() && (token[i] == '+' || token[i] == '-')) negative = token[i++] == '-';
    std::int64_t e = 0;
    for (; i < token.size(); ++i) {
      if (e < 1'000'000'000'000) e = e * 10 + (token[i] - '0');
    }
    out.exponent += negative ? -e : e;
  }
  while (!out.digits.empty() && out.digits.back() == '0') {
    out.digits.pop_back();
    ++out.exponent;
  }
  if (out.digits.empty()) out.exponent = 0;
  return out;
}

void append_plain(std::string& out, const Decimal& number) {
  const auto count = static_cast<std::int64_t>(number.digits.size());
  const std::int64_t before = count + number.exponent;
  if (number.negative) out += '-';
  if (before <= 0) {
    out += "0." + std::string(static_cast<std::size_t>(-before), '0') + number.digits;
  } else if (before >= count) {
    out += number.digits + std::string(static_cast<std::size_t>(number.exponent), '0');
  } else {
    out += number.digits;
    out.insert(out.end() + number.exponent, '.');
  }
}

}  // namespace sd::json
