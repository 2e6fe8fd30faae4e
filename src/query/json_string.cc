// The JSON escaper of the encoders.
#include <algorithm>
#include <cstdint>

#include "base/json_text.h"
#include "query/json_special.h"
#include "query/value_text.h"

namespace sd::query {
namespace {

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

}  // namespace

void put_json_string(TextSink& sink, std::string_view text) {
  constexpr std::size_t kBlock = 4096;  // bounds what is set aside for a huge string
  // Most strings are short and plain.
  std::size_t i = 0;
  if (text.size() <= kBlock) {
    char* p = sink.room(text.size() + 2);
    *p++ = '"';
    i = copy_plain(p, text.data(), text.size(), JsonSpecial{});
    p += i;
    if (i == text.size()) *p++ = '"';
    sink.set_cursor(p);
    if (i == text.size()) return;
  } else {
    sink.put('"');
  }
  while (i < text.size()) {
    const std::size_t end = std::min(text.size(), i + kBlock);
    // Six bytes for an escaped one; a sequence that the block cuts may run three bytes over its
    // end.
    char* p = sink.room((end - i) * 6 + 32);
    while (i < end) {
      const std::size_t plain = copy_plain(p, text.data() + i, end - i, JsonSpecial{});
      p += plain;
      i += plain;
      while (i < end) {
        const auto c = static_cast<unsigned char>(text[i]);
        if (c < 0x80) {
          if (!JsonSpecial::is(text[i])) break;
          p = escaped(p, c);
          ++i;
          continue;
        }
        const std::size_t n = utf8_sequence_length(text.substr(i));
        if (n == 0) {
          p = std::copy_n("\xEF\xBF\xBD", 3, p);
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
