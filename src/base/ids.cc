#include "base/ids.h"

#include <sys/random.h>

#include <algorithm>
#include <cerrno>

#include "base/ascii.h"
#include "base/result.h"

namespace sd {

void random_bytes(std::span<std::uint8_t> out) {
  std::size_t done = 0;
  while (done < out.size()) {
    const ssize_t n = ::getrandom(out.data() + done, out.size() - done, 0);
    if (n < 0 && errno == EINTR) continue;
    SD_ASSERT(n > 0);
    done += static_cast<std::size_t>(n);
  }
}

std::uint64_t random_u64() {
  std::array<std::uint8_t, 8> bytes{};
  random_bytes(bytes);
  std::uint64_t value;
  __builtin_memcpy(&value, bytes.data(), 8);
  return value;
}

Id128 Id128::make() {
  Id128 id;
  random_bytes(id.bytes);
  id.bytes[6] = static_cast<std::uint8_t>((id.bytes[6] & 0x0F) | 0x40);
  id.bytes[8] = static_cast<std::uint8_t>((id.bytes[8] & 0x3F) | 0x80);
  return id;
}

bool Id128::is_zero() const {
  return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t b) { return b == 0; });
}

std::string to_hex(std::span<const std::uint8_t> bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const std::uint8_t b : bytes) {
    out += kDigits[b >> 4];
    out += kDigits[b & 15];
  }
  return out;
}

std::string Id128::to_string() const {
  const std::string hex = to_hex(bytes);
  std::string out;
  out.reserve(36);
  for (std::size_t i = 0; i < hex.size(); ++i) {
    if (i == 8 || i == 12 || i == 16 || i == 20) out += '-';
    out += hex[i];
  }
  return out;
}

std::optional<Id128> Id128::parse(std::string_view uuid) {
  if (uuid.size() != 36) return std::nullopt;
  Id128 id;
  std::size_t nibble = 0;
  for (std::size_t i = 0; i < 36; ++i) {
    const char c = uuid[i];
    if (i == 8 || i == 13 || i == 18 || i == 23) {
      if (c != '-') return std::nullopt;
      continue;
    }
    const int value = hex_digit(c);
    if (value < 0) return std::nullopt;
    std::uint8_t& byte = id.bytes[nibble / 2];
    byte = static_cast<std::uint8_t>(nibble % 2 == 0 ? value << 4 : byte | value);
    ++nibble;
  }
  return id;
}

std::string random_base62(std::size_t length) {
  static constexpr char kAlphabet[] =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  std::string out;
  out.reserve(length);
  while (out.size() < length) {
    std::array<std::uint8_t, 64> bytes{};
    random_bytes(bytes);
    for (const std::uint8_t b : bytes) {
      // 248 is the largest multiple of 62 in a byte: values above it would favour the first letters.
      if (b < 248 && out.size() < length) out += kAlphabet[b % 62];
    }
  }
  return out;
}

}  // namespace sd
