// The JSON escaper of the encoders: 16 bytes at a time while nothing needs escaping.
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include <bit>
#include <cstdint>

#include "base/json_text.h"
#include "query/value_text.h"

namespace sd::query {
namespace {

bool is_plain(unsigned char c) {
  return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

char* escaped(char* p, unsigned char c) {
  static constexpr char kHex[] = "0123456789abcdef";
  *p++ = '\\';
  switch (c) {
    case '"':
      *p++ = '"';
      return p;
    case '\\':
      *p++ = '\\';
      return p;
    case '\n':
      *p++ = 'n';
      return p;
    case '\r':
      *p++ = 'r';
      return p;
    case '\t':
      *p++ = 't';
      return p;
    case '\b':
      *p++ = 'b';
      return p;
    case '\f':
      *p++ = 'f';
      return p;
    default:
      break;
  }
  *p++ = 'u';
  *p++ = '0';
  *p++ = '0';
  *p++ = kHex[c >> 4];
  *p++ = kHex[c & 15];
  return p;
}

// Copies plain bytes until the block ends or something needs care; returns how many. May write up
// to 16 bytes beyond what it counts.
std::size_t copy_plain(char* p, const char* from, std::size_t n) {
  std::size_t i = 0;
#if defined(__SSE2__)
  const __m128i space = _mm_set1_epi8(0x20);
  const __m128i quote = _mm_set1_epi8('"');
  const __m128i backslash = _mm_set1_epi8('\\');
  for (; i + 16 <= n; i += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + i));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p + i), bytes);
    // As signed bytes, control characters and everything above 0x7f are less than a space.
    const __m128i special =
        _mm_or_si128(_mm_cmplt_epi8(bytes, space),
                     _mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, backslash)));
    const auto mask = static_cast<unsigned>(_mm_movemask_epi8(special));
    if (mask != 0) return i + static_cast<std::size_t>(std::countr_zero(mask));
  }
#endif
  for (; i < n && is_plain(static_cast<unsigned char>(from[i])); ++i) p[i] = from[i];
  return i;
}

}  // namespace

void put_json_string(TextSink& sink, std::string_view text) {
  constexpr std::size_t kBlock = 4096;  // bounds what is set aside for a huge string
  sink.put('"');
  std::size_t i = 0;
  while (i < text.size()) {
    const std::size_t end = std::min(text.size(), i + kBlock);
    // Six bytes for an escaped one; a sequence that the block cuts may run three bytes over its
    // end.
    char* p = sink.room((end - i) * 6 + 32);
    while (i < end) {
      const std::size_t plain = copy_plain(p, text.data() + i, end - i);
      p += plain;
      i += plain;
      while (i < end) {
        const auto c = static_cast<unsigned char>(text[i]);
        if (c < 0x80) {
          if (is_plain(c)) break;
          p = escaped(p, c);
          ++i;
          continue;
        }
        const std::size_t n = utf8_sequence_length(text.substr(i));
        if (n == 0) {
          p = static_cast<char*>(std::memcpy(p, "\xEF\xBF\xBD", 3)) + 3;
          ++i;
          continue;
        }
        for (std::size_t k = 0; k < n; ++k) *p++ = text[i++];
      }
    }
    sink.set_cursor(p);
  }
  sink.put('"');
}

}  // namespace sd::query
