// What JSON strings cannot hold as it is, for copy_plain(). Bytes above 0x7f count: they may be no UTF-8.
#pragma once

#include "query/plain_bytes.h"

namespace sd::query {

struct JsonSpecial {
  static bool is(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte >= 0x80 || c == '"' || c == '\\';
  }
#if defined(__SSE2__)
  static __m128i is(__m128i bytes) {
    // As signed bytes, control characters and everything above 0x7f are less than a space.
    return _mm_or_si128(_mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20)),
                        _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')),
                                     _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'))));
  }
#endif
};

}  // namespace sd::query
