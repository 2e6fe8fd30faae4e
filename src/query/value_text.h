// Scalars of DuckDB → text, straight into a sink, without quotes. Formats: see encoder.h.
//
// Pure functions; any thread.
#pragma once

#include <duckdb.h>

#include <cstdint>
#include <string_view>

#include "query/text_sink.h"

namespace sd::query {

__extension__ typedef __int128 Int128;
__extension__ typedef unsigned __int128 Uint128;

inline Int128 to_int128(const duckdb_hugeint& v) {
  return static_cast<Int128>((static_cast<Uint128>(static_cast<std::uint64_t>(v.upper)) << 64) |
                             v.lower);
}
inline Uint128 to_uint128(const duckdb_uhugeint& v) {
  return (static_cast<Uint128>(v.upper) << 64) | v.lower;
}

// The most frequent ones also without a sink: into room for kMostScalarBytes, the end comes back. What
// they write is described at their put_…().
inline constexpr std::size_t kMostScalarBytes = 64;
char* signed_text(char* p, std::int64_t value);
char* fraction_text(char* p, double value);
// For a column of DOUBLEs: those that have six places behind the point at most and are below 10^9, as most that were
// decimals, in millionths without their sign; of others kNoMillionths. What fraction_text() spends most time on.
inline constexpr std::int64_t kNoMillionths = -1;
void find_millionths(const double* values, std::size_t count, std::int64_t* millionths);
// The same text as fraction_text() of the value.
char* millionths_text(char* p, std::int64_t millionths, bool negative);
template <std::int64_t kPerSecond>
char* timestamp_text(char* p, std::int64_t value, bool utc);

void put_signed(TextSink& sink, std::int64_t value);
void put_unsigned(TextSink& sink, std::uint64_t value);
void put_int128(TextSink& sink, Int128 value);
void put_uint128(TextSink& sink, Uint128 value);
// value / 10^scale, with exactly `scale` digits after the point.
void put_decimal(TextSink& sink, std::int64_t value, unsigned scale);
void put_decimal(TextSink& sink, Int128 value, unsigned scale);

// Finite values only.
void put_fraction(TextSink& sink, double value);
void put_fraction(TextSink& sink, float value);

// `days` since 1970-01-01; the extremes are ±infinity.
void put_date(TextSink& sink, std::int32_t days);
// `value` in units of 1/kPerSecond (1 to 1,000,000,000) since 1970-01-01T00:00:00; the extremes are
// ±infinity. With `utc`, Z is appended.
template <std::int64_t kPerSecond>
void put_timestamp(TextSink& sink, std::int64_t value, bool utc);
// Since midnight, in units of 1/kPerSecond (µs, ns); 24:00:00 exists.
template <std::int64_t kPerSecond>
void put_time(TextSink& sink, std::int64_t value);
// DuckDB's packed form: 40 bits of microseconds, 24 bits of offset.
void put_time_tz(TextSink& sink, std::uint64_t bits);
void put_interval(TextSink& sink, const duckdb_interval& value);

// DuckDB's form: a signed 128-bit integer with the top bit flipped.
void put_uuid(TextSink& sink, const duckdb_hugeint& value);
// DuckDB's form: a byte that says how many bits of the second are padding, then the bits.
void put_bit(TextSink& sink, std::string_view bytes);
// DuckDB's form: 3 bytes of header, then the magnitude, big-endian; all inverted where negative.
void put_bignum(TextSink& sink, std::string_view bytes);
void put_base64(TextSink& sink, std::string_view bytes);

// A JSON string with its quotes. Bytes that are not valid UTF-8 become U+FFFD.
void put_json_string(TextSink& sink, std::string_view text);

}  // namespace sd::query
