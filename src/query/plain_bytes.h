// Copies text while it holds nothing that a format has to write otherwise, 16 bytes at a time.
#pragma once

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace sd::query {

// Copies bytes of `from` to `to` until one is special or `n` are done; returns how many. Special says
// which: of one byte, is(c), and, with SSE2, of 16, is(block) with 0xFF where a byte is special.
template <typename Special>
inline std::size_t copy_plain(char* to, const char* from, std::size_t n, Special special) {
  std::size_t i = 0;
#if defined(__SSE2__)
  // Where a special byte stands in the block at `at`, 16 where none does. Its bytes are copied.
  const auto block = [&](std::size_t at) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + at));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + at), bytes);
    const auto mask = static_cast<unsigned>(_mm_movemask_epi8(special.is(bytes)));
    return static_cast<std::size_t>(std::countr_zero(mask | 0x10000U));
  };
  for (; i + 16 <= n; i += 16) {
    if (const std::size_t at = block(i); at != 16) return i + at;
  }
  if (i == n) return n;
  // The rest once more together with what came before it, which holds nothing special.
  if (n >= 16) return n - 16 + block(n - 16);
  if (n >= 8) {
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    std::memcpy(&first, from, 8);
    std::memcpy(&last, from + n - 8, 8);
    std::memcpy(to, &first, 8);
    std::memcpy(to + n - 8, &last, 8);
    const __m128i both =
        _mm_set_epi64x(static_cast<long long>(last), static_cast<long long>(first));
    const auto mask = static_cast<unsigned>(_mm_movemask_epi8(special.is(both)));
    if (mask == 0) return n;
    const auto at = static_cast<std::size_t>(std::countr_zero(mask));
    return at < 8 ? at : n - 16 + at;
  }
#endif
  for (; i < n && !special.is(from[i]); ++i) to[i] = from[i];
  return i;
}

}  // namespace sd::query
