// Random identifiers. All bits come from the kernel's generator (getrandom).
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace sd {

void random_bytes(std::span<std::uint8_t> out);
std::uint64_t random_u64();

// 128 bits; as text a UUID in its usual lower-case form. make() gives a random UUID (RFC 9562 v4).
struct Id128 {
  std::array<std::uint8_t, 16> bytes{};

  static Id128 make();
  static std::optional<Id128> parse(std::string_view uuid);
  std::string to_string() const;
  bool is_zero() const;
  friend auto operator<=>(const Id128&, const Id128&) = default;
};

// Digits, then upper case, then lower case; `length` characters of uniformly random base62.
std::string random_base62(std::size_t length);

std::string to_hex(std::span<const std::uint8_t> bytes);

}  // namespace sd

template <>
struct std::hash<sd::Id128> {
  std::size_t operator()(const sd::Id128& id) const noexcept {
    std::uint64_t h;
    static_assert(sizeof h == 8);
    __builtin_memcpy(&h, id.bytes.data(), 8);
    std::uint64_t g;
    __builtin_memcpy(&g, id.bytes.data() + 8, 8);
    return h ^ (g * 0x9E3779B97F4A7C15ULL);
  }
};
