#include "query/value_text.h"

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <limits>
#include <vector>

namespace sd::query {
namespace {

constexpr std::uint64_t kTen18 = 1'000'000'000'000'000'000ULL;

constexpr auto kPowersOfTen = [] {
  std::array<std::uint64_t, 20> powers{};
  std::uint64_t power = 1;
  for (std::size_t i = 0; i < powers.size(); ++i, power *= 10) powers[i] = power;
  return powers;
}();

constexpr auto kTwoDigits = [] {
  std::array<char, 200> digits{};
  for (std::size_t i = 0; i < 100; ++i) {
    digits[2 * i] = static_cast<char>('0' + i / 10);
    digits[2 * i + 1] = static_cast<char>('0' + i % 10);
  }
  return digits;
}();

char* two_digits(char* p, unsigned value) {
  std::memcpy(p, &kTwoDigits[std::size_t{2} * value], 2);
  return p + 2;
}

// Exactly `width` digits, zeros in front.
char* padded(char* p, std::uint64_t value, unsigned width) {
  unsigned i = width;
  for (; i >= 2; i -= 2) {
    std::memcpy(p + i - 2, &kTwoDigits[2 * (value % 100)], 2);
    value /= 100;
  }
  if (i == 1) p[0] = static_cast<char>('0' + value % 10);
  return p + width;
}

// A number below 10^8 as eight digits, 0 to 9, the first in the lowest byte. They are parted by halves, all halves at
// once, by a multiplication that is exact as far as these numbers go: no loop whose length nobody foresees, no table.
// (P. Khuong, "How to print integers really fast", 2017.)
std::uint64_t eight_digits(std::uint64_t value) {
  constexpr std::uint64_t kLow7s = 0x0000'007F'0000'007F, kLow4s = 0x000F'000F'000F'000F;
  const std::uint64_t fours = value / 10'000 | value % 10'000 << 32;
  const std::uint64_t hundreds = ((fours * 10'486) >> 20) & kLow7s;
  const std::uint64_t twos = hundreds | (fours - 100 * hundreds) << 16;
  const std::uint64_t tens = ((twos * 103) >> 10) & kLow4s;
  return tens | (twos - 10 * tens) << 8;
}
static_assert(std::endian::native == std::endian::little, "the first digit is the lowest byte");
constexpr std::uint64_t kZeros = 0x3030'3030'3030'3030;  // "00000000"

// These two write eight bytes, whatever comes of them.
char* put_eight(char* p, std::uint64_t value) {
  const std::uint64_t text = eight_digits(value) | kZeros;
  std::memcpy(p, &text, 8);
  return p + 8;
}
char* put_up_to_eight(char* p, std::uint64_t value) {
  const std::uint64_t digits = eight_digits(value);
  const int skipped = std::countr_zero(digits | std::uint64_t{1} << 56) / 8;
  const std::uint64_t text = (digits | kZeros) >> (8 * skipped);
  std::memcpy(p, &text, 8);
  return p + 8 - skipped;
}

// Into room for 24 bytes.
char* unsigned_text(char* p, std::uint64_t value) {
  constexpr std::uint64_t kTen8 = 100'000'000;
  if (value < kTen8) return put_up_to_eight(p, value);
  const std::uint64_t high = value / kTen8;
  p = high < kTen8 ? put_up_to_eight(p, high)
                   : put_eight(put_up_to_eight(p, high / kTen8), high % kTen8);
  return put_eight(p, value % kTen8);
}

// At most 39 digits.
char* uint128_text(char* p, Uint128 value) {
  if (value <= std::numeric_limits<std::uint64_t>::max()) {
    return unsigned_text(p, static_cast<std::uint64_t>(value));
  }
  const auto low = static_cast<std::uint64_t>(value % kTen18);
  return padded(uint128_text(p, value / kTen18), low, 18);
}

Uint128 magnitude(Int128 value) {
  return value < 0 ? -static_cast<Uint128>(value) : static_cast<Uint128>(value);
}
std::uint64_t magnitude(std::int64_t value) {
  return value < 0 ? -static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
}

Uint128 power_of_ten(unsigned exponent) {
  if (exponent < 19) return kPowersOfTen[exponent];
  return static_cast<Uint128>(kTen18) * power_of_ten(exponent - 18);
}

// Floor division, which sets times before 1970 right.
template <std::int64_t kBy>
std::int64_t floor_divide(std::int64_t value, std::int64_t& remainder) {
  std::int64_t quotient = value / kBy;
  remainder = value % kBy;
  if (remainder < 0) {
    remainder += kBy;
    --quotient;
  }
  return quotient;
}

// Proleptic Gregorian calendar, counted in 400-year eras that begin on 1 March.
char* date_text(char* p, std::int64_t days) {
  days += 719'468;  // from 0000-03-01 to 1970-01-01
  std::int64_t day_of_era;
  const std::int64_t era = floor_divide<146'097>(days, day_of_era);
  const auto doe = static_cast<unsigned>(day_of_era);
  const unsigned yoe = (doe - doe / 1460 + doe / 36'524 - doe / 146'096) / 365;
  const unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
  const unsigned m = (5 * doy + 2) / 153;
  const unsigned day = doy - (153 * m + 2) / 5 + 1;
  const unsigned month = m < 10 ? m + 3 : m - 9;
  std::int64_t year = era * 400 + yoe + (month <= 2 ? 1 : 0);
  if (year < 0) {
    *p++ = '-';
    year = -year;
  }
  if (year > 9999) {
    p = unsigned_text(p, static_cast<std::uint64_t>(year));
  } else {
    p = two_digits(p, static_cast<unsigned>(year) / 100);
    p = two_digits(p, static_cast<unsigned>(year) % 100);
  }
  *p++ = '-';
  p = two_digits(p, month);
  *p++ = '-';
  return two_digits(p, day);
}

// hh:mm:ss and the fraction in groups of three digits, none where it is zero.
template <std::uint64_t kPerSecond>
char* time_text(char* p, std::int64_t value) {
  std::uint64_t fraction = static_cast<std::uint64_t>(value) % kPerSecond;
  const auto seconds = static_cast<unsigned>(static_cast<std::uint64_t>(value) / kPerSecond);
  p = two_digits(p, seconds / 3600);
  *p++ = ':';
  p = two_digits(p, seconds / 60 % 60);
  *p++ = ':';
  p = two_digits(p, seconds % 60);
  if (fraction == 0) return p;
  unsigned width = kPerSecond == 1'000 ? 3 : kPerSecond == 1'000'000 ? 6 : 9;
  for (; width > 3 && fraction % 1000 == 0; width -= 3) fraction /= 1000;
  *p++ = '.';
  return padded(p, fraction, width);
}

// whole / 10^kPlaces, of the places those that say something, one at least.
template <unsigned kPlaces>
char* decimal_text(char* p, std::uint64_t whole) {
  constexpr std::uint64_t kUnit = kPowersOfTen[kPlaces];
  p = unsigned_text(p, whole / kUnit);
  *p++ = '.';
  const std::uint64_t digits = eight_digits(whole % kUnit) >> (8 * (8 - kPlaces));
  const std::uint64_t text = digits | kZeros;
  std::memcpy(p, &text, 8);
  return p + 8 - std::countl_zero(digits | 1) / 8;
}

// Fractions that were decimals of few digits, as money is, without the search for the shortest text; nullptr:
// it is none. If whole / scale, correctly rounded, is the value, its digits read back as the value; and
// of all decimals with as many digits as the type always keeps (15, 6) only one does.
template <typename T>
char* few_digits(char* p, T value) {
  constexpr bool kSingle = std::numeric_limits<T>::digits == 24;
  constexpr unsigned kPlaces = kSingle ? 3 : 6;
  constexpr T kScale = kSingle ? T{1e3} : T{1e6};
  constexpr T kMost = kSingle ? T{1e3} : T{1e9};
  const T magnitude = std::abs(value);
  // Below, to_chars prefers an exponent.
  if (!(magnitude < kMost && magnitude >= T{1e-3})) return nullptr;
  const auto whole = static_cast<std::uint64_t>(magnitude * kScale + T{0.5});
  if (static_cast<T>(whole) / kScale != magnitude) return nullptr;
  if (std::signbit(value)) *p++ = '-';
  return decimal_text<kPlaces>(p, whole);
}

template <typename T>
char* floating_text(char* p, T value) {
  // Whole numbers that people write without an exponent, as far as all their digits are true; also
  // the fast path for counts and money.
  constexpr T kExact = std::numeric_limits<T>::digits == 24 ? T{16'777'216} : T{1e15};
  if (std::abs(value) < kExact && value == std::trunc(value)) {
    if (std::signbit(value)) *p++ = '-';
    p = unsigned_text(p, static_cast<std::uint64_t>(std::abs(value)));
    *p++ = '.';
    *p++ = '0';
    return p;
  }
  if (char* const end = few_digits(p, value); end != nullptr) return end;
  // Past the last integer that all smaller ones can be told from, to_chars may write digits of the double
  // that are not of its shortest spelling: with an exponent it does not.
  constexpr T kDense = T{std::uint64_t{1} << std::numeric_limits<T>::digits};
  char* const end = std::abs(value) <= kDense
                        ? std::to_chars(p, p + 36, value).ptr
                        : std::to_chars(p, p + 36, value, std::chars_format::scientific).ptr;
  const std::string_view text(p, static_cast<std::size_t>(end - p));
  if (text.find_first_of(".e") != std::string_view::npos) return end;
  std::memcpy(end, ".0", 2);
  return end + 2;
}

}  // namespace

char* signed_text(char* p, std::int64_t value) {
  if (value < 0) *p++ = '-';
  return unsigned_text(p, magnitude(value));
}
char* fraction_text(char* p, double value) {
  return floating_text(p, value);
}

// few_digits(), value by value. No branch, so that the divisions, which take long, go side by side.
void find_millionths(const double* values, std::size_t count, std::int64_t* millionths) {
  for (std::size_t i = 0; i < count; ++i) {
    const double magnitude = std::abs(values[i]);
    // What is too large, or NaN, is looked at as something that is not: 0.
    const bool fits = magnitude < 1e9;
    const auto whole = static_cast<std::int64_t>((fits ? magnitude : 0.0) * 1e6 + 0.5);
    const bool same = static_cast<double>(whole) / 1e6 == magnitude;
    const bool plain = whole >= 1000 || whole == 0;  // to_chars prefers an exponent between
    millionths[i] = same && plain ? whole : kNoMillionths;
  }
}
char* millionths_text(char* p, std::int64_t millionths, bool negative) {
  if (negative) *p++ = '-';
  return decimal_text<6>(p, static_cast<std::uint64_t>(millionths));
}

void put_signed(TextSink& sink, std::int64_t value) {
  sink.set_cursor(signed_text(sink.room(kMostScalarBytes), value));
}

void put_unsigned(TextSink& sink, std::uint64_t value) {
  sink.set_cursor(unsigned_text(sink.room(24), value));
}

void put_int128(TextSink& sink, Int128 value) {
  char* p = sink.room(41);
  if (value < 0) *p++ = '-';
  sink.set_cursor(uint128_text(p, magnitude(value)));
}

void put_uint128(TextSink& sink, Uint128 value) {
  sink.set_cursor(uint128_text(sink.room(40), value));
}

void put_decimal(TextSink& sink, std::int64_t value, unsigned scale) {
  char* p = sink.room(48);
  if (value < 0) *p++ = '-';
  const std::uint64_t digits = magnitude(value);
  const std::uint64_t one = kPowersOfTen[scale];
  p = unsigned_text(p, digits / one);
  if (scale != 0) {
    *p++ = '.';
    p = padded(p, digits % one, scale);
  }
  sink.set_cursor(p);
}

void put_decimal(TextSink& sink, Int128 value, unsigned scale) {
  char* p = sink.room(96);
  if (value < 0) *p++ = '-';
  const Uint128 digits = magnitude(value);
  const Uint128 one = power_of_ten(scale);
  p = uint128_text(p, digits / one);
  if (scale != 0) {
    *p++ = '.';
    Uint128 fraction = digits % one;
    unsigned width = scale;
    if (width > 36) {  // 38 at most: two digits, then two blocks of 18
      const Uint128 block = power_of_ten(36);
      p = padded(p, static_cast<std::uint64_t>(fraction / block), width - 36);
      fraction %= block;
      width = 36;
    }
    if (width > 18) {
      p = padded(p, static_cast<std::uint64_t>(fraction / kTen18), width - 18);
      fraction %= kTen18;
      width = 18;
    }
    p = padded(p, static_cast<std::uint64_t>(fraction), width);
  }
  sink.set_cursor(p);
}

void put_fraction(TextSink& sink, double value) {
  sink.set_cursor(floating_text(sink.room(kMostScalarBytes), value));
}
void put_fraction(TextSink& sink, float value) {
  sink.set_cursor(floating_text(sink.room(kMostScalarBytes), value));
}

void put_date(TextSink& sink, std::int32_t days) {
  constexpr std::int32_t kInfinity = std::numeric_limits<std::int32_t>::max();
  if (days == kInfinity) return sink.put("infinity");
  if (days == -kInfinity) return sink.put("-infinity");
  sink.set_cursor(date_text(sink.room(32), days));
}

template <std::int64_t kPerSecond>
char* timestamp_text(char* p, std::int64_t value, bool utc) {
  constexpr std::int64_t kInfinity = std::numeric_limits<std::int64_t>::max();
  if (value == kInfinity || value == -kInfinity) {
    const std::string_view text = value > 0 ? "infinity" : "-infinity";
    return std::copy(text.begin(), text.end(), p);
  }
  std::int64_t in_day;
  const std::int64_t days = floor_divide<kPerSecond * 86'400>(value, in_day);
  p = date_text(p, days);
  *p++ = 'T';
  p = time_text<static_cast<std::uint64_t>(kPerSecond)>(p, in_day);
  if (utc) *p++ = 'Z';
  return p;
}
template char* timestamp_text<1'000'000>(char*, std::int64_t, bool);

template <std::int64_t kPerSecond>
void put_timestamp(TextSink& sink, std::int64_t value, bool utc) {
  sink.set_cursor(timestamp_text<kPerSecond>(sink.room(kMostScalarBytes), value, utc));
}
template void put_timestamp<1>(TextSink&, std::int64_t, bool);
template void put_timestamp<1'000>(TextSink&, std::int64_t, bool);
template void put_timestamp<1'000'000>(TextSink&, std::int64_t, bool);
template void put_timestamp<1'000'000'000>(TextSink&, std::int64_t, bool);

template <std::int64_t kPerSecond>
void put_time(TextSink& sink, std::int64_t value) {
  sink.set_cursor(time_text<static_cast<std::uint64_t>(kPerSecond)>(sink.room(32), value));
}
template void put_time<1'000'000>(TextSink&, std::int64_t);
template void put_time<1'000'000'000>(TextSink&, std::int64_t);

void put_time_tz(TextSink& sink, std::uint64_t bits) {
  constexpr std::int64_t kMaxOffset = 15 * 3600 + 59 * 60 + 59;
  char* p = time_text<1'000'000>(sink.room(48), static_cast<std::int64_t>(bits >> 24));
  // Stored so that bits sort like instants: a larger offset is an earlier time.
  const std::int64_t offset = kMaxOffset - static_cast<std::int64_t>(bits & 0xFF'FFFF);
  const auto seconds = static_cast<unsigned>(offset < 0 ? -offset : offset);
  *p++ = offset < 0 ? '-' : '+';
  p = two_digits(p, seconds / 3600);
  *p++ = ':';
  p = two_digits(p, seconds / 60 % 60);
  if (seconds % 60 != 0) {
    *p++ = ':';
    p = two_digits(p, seconds % 60);
  }
  sink.set_cursor(p);
}

void put_interval(TextSink& sink, const duckdb_interval& value) {
  bool first = true;
  const auto part = [&](std::int64_t count, std::string_view unit) {
    if (count == 0) return;
    if (!first) sink.put(' ');
    first = false;
    put_signed(sink, count);
    sink.put(unit);
    if (count != 1 && count != -1) sink.put('s');
  };
  part(value.months / 12, " year");
  part(value.months % 12, " month");
  part(value.days, " day");
  if (value.micros == 0 && !first) return;
  if (!first) sink.put(' ');
  const std::uint64_t micros = magnitude(value.micros);
  char* p = sink.room(48);
  if (value.micros < 0) *p++ = '-';
  const std::uint64_t hours = micros / 3'600'000'000;
  p = hours < 100 ? two_digits(p, static_cast<unsigned>(hours)) : unsigned_text(p, hours);
  *p++ = ':';
  p = two_digits(p, static_cast<unsigned>(micros / 60'000'000 % 60));
  *p++ = ':';
  p = two_digits(p, static_cast<unsigned>(micros / 1'000'000 % 60));
  if (micros % 1'000'000 != 0) {
    *p++ = '.';
    p = padded(p, micros % 1'000'000, 6);
    while (p[-1] == '0') --p;
  }
  sink.set_cursor(p);
}

void put_uuid(TextSink& sink, const duckdb_hugeint& value) {
  static constexpr char kHex[] = "0123456789abcdef";
  char* p = sink.room(36);
  const std::uint64_t upper = static_cast<std::uint64_t>(value.upper) ^ (1ULL << 63);
  for (unsigned i = 0; i < 16; ++i) {
    const std::uint64_t half = i < 8 ? upper : value.lower;
    const auto byte = static_cast<unsigned>(half >> (56 - 8 * (i % 8))) & 0xFF;
    *p++ = kHex[byte >> 4];
    *p++ = kHex[byte & 15];
    if (i == 3 || i == 5 || i == 7 || i == 9) *p++ = '-';
  }
  sink.set_cursor(p);
}

void put_bit(TextSink& sink, std::string_view bytes) {
  if (bytes.size() < 2) return;
  const std::size_t padding = static_cast<unsigned char>(bytes[0]) & 7;
  char* p = sink.room(bytes.size() * 8);
  for (std::size_t bit = padding; bit < (bytes.size() - 1) * 8; ++bit) {
    const auto byte = static_cast<unsigned char>(bytes[1 + bit / 8]);
    *p++ = (byte >> (7 - bit % 8)) & 1 ? '1' : '0';
  }
  sink.set_cursor(p);
}

void put_bignum(TextSink& sink, std::string_view bytes) {
  constexpr std::size_t kHeader = 3;
  if (bytes.size() <= kHeader) return sink.put('0');
  const bool negative = (static_cast<unsigned char>(bytes[0]) & 0x80) == 0;
  // 32-bit limbs, most significant first; divided by 10^9 until nothing is left.
  std::vector<std::uint32_t> limbs((bytes.size() - kHeader + 3) / 4);
  const std::size_t shift = limbs.size() * 4 - (bytes.size() - kHeader);
  for (std::size_t i = kHeader; i < bytes.size(); ++i) {
    auto byte = static_cast<unsigned char>(bytes[i]);
    if (negative) byte = static_cast<unsigned char>(~byte);
    const std::size_t at = i - kHeader + shift;
    limbs[at / 4] |= static_cast<std::uint32_t>(byte) << (24 - 8 * (at % 4));
  }
  std::vector<std::uint32_t> groups;  // nine decimal digits each, least significant first
  std::size_t top = 0;
  while (top < limbs.size() && limbs[top] == 0) ++top;
  while (top < limbs.size()) {
    std::uint64_t remainder = 0;
    for (std::size_t i = top; i < limbs.size(); ++i) {
      const std::uint64_t value = (remainder << 32) | limbs[i];
      limbs[i] = static_cast<std::uint32_t>(value / 1'000'000'000);
      remainder = value % 1'000'000'000;
    }
    groups.push_back(static_cast<std::uint32_t>(remainder));
    while (top < limbs.size() && limbs[top] == 0) ++top;
  }
  if (groups.empty()) return sink.put('0');
  char* p = sink.room(groups.size() * 9 + 1);
  if (negative) *p++ = '-';
  p = unsigned_text(p, groups.back());
  for (std::size_t i = groups.size() - 1; i-- > 0;) p = padded(p, groups[i], 9);
  sink.set_cursor(p);
}

void put_base64(TextSink& sink, std::string_view bytes) {
  static constexpr char kAlphabet[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  char* p = sink.room((bytes.size() + 2) / 3 * 4);
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  std::size_t i = 0;
  for (; i + 3 <= bytes.size(); i += 3) {
    const unsigned group = static_cast<unsigned>(at(i) << 16 | at(i + 1) << 8 | at(i + 2));
    *p++ = kAlphabet[group >> 18];
    *p++ = kAlphabet[group >> 12 & 63];
    *p++ = kAlphabet[group >> 6 & 63];
    *p++ = kAlphabet[group & 63];
  }
  if (const std::size_t rest = bytes.size() - i; rest != 0) {
    const unsigned group = static_cast<unsigned>(at(i) << 16 | (rest == 2 ? at(i + 1) << 8 : 0));
    *p++ = kAlphabet[group >> 18];
    *p++ = kAlphabet[group >> 12 & 63];
    *p++ = rest == 2 ? kAlphabet[group >> 6 & 63] : '=';
    *p++ = '=';
  }
  sink.set_cursor(p);
}

}  // namespace sd::query
