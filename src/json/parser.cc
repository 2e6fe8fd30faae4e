#include "json/parser.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "base/ascii.h"
#include "base/json_text.h"

namespace sd::json {

const char* to_string(Defect defect) {
  switch (defect) {
    case Defect::kNone:
      return "";
    case Defect::kInvalidUtf8:
      return "a string is not valid UTF-8";
    case Defect::kLoneSurrogate:
      return "a string holds a lone surrogate (\\uD800–\\uDFFF)";
    case Defect::kTooManyValues:
      return "more than 100,000 values in one row";
    case Defect::kTooDeep:
      return "nested deeper than 64 levels";
  }
  return "";
}

namespace detail {
namespace {

// Offset of the first byte at or behind `pos` that is not plain: a quote, a backslash, a control
// character, or outside ASCII.
std::size_t skip_plain(std::string_view in, std::size_t pos) {
#if defined(__SSE2__)
  const __m128i quote = _mm_set1_epi8('"');
  const __m128i backslash = _mm_set1_epi8('\\');
  const __m128i space = _mm_set1_epi8(0x20);
  while (pos + 16 <= in.size()) {
    const __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(in.data() + pos));
    // A signed comparison: bytes from 0x80 on count as negative, so they are below 0x20 too.
    const __m128i special =
        _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, backslash)),
                     _mm_cmplt_epi8(v, space));
    const int mask = _mm_movemask_epi8(special);
    if (mask != 0)
      return pos + static_cast<std::size_t>(__builtin_ctz(static_cast<unsigned>(mask)));
    pos += 16;
  }
#endif
  while (pos < in.size()) {
    const auto c = static_cast<unsigned char>(in[pos]);
    if (c < 0x20 || c >= 0x80 || c == '"' || c == '\\') break;
    ++pos;
  }
  return pos;
}

// The four digits of \uXXXX at `pos`; -1 where they are not four hexadecimal digits.
int hex4(std::string_view in, std::size_t pos) {
  if (pos + 4 > in.size()) return -1;
  int value = 0;
  for (std::size_t i = pos; i < pos + 4; ++i) {
    const int digit = hex_digit(in[i]);
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

bool is_high_surrogate(int c) {
  return c >= 0xD800 && c <= 0xDBFF;
}
bool is_low_surrogate(int c) {
  return c >= 0xDC00 && c <= 0xDFFF;
}

void append_utf8(std::string& out, std::uint32_t c) {
  const auto put = [&](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xC0 | c >> 6);
    put(0x80 | (c & 63));
  } else if (c < 0x10000) {
    put(0xE0 | c >> 12);
    put(0x80 | (c >> 6 & 63));
    put(0x80 | (c & 63));
  } else {
    put(0xF0 | c >> 18);
    put(0x80 | (c >> 12 & 63));
    put(0x80 | (c >> 6 & 63));
    put(0x80 | (c & 63));
  }
}

// Whether a sequence that the input cuts off could still become valid with more bytes.
bool may_be_cut_sequence(std::string_view rest) {
  const auto lead = static_cast<unsigned char>(rest[0]);
  const std::size_t wanted = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || rest.size() >= wanted) return false;
  for (std::size_t i = 1; i < rest.size(); ++i) {
    if ((static_cast<unsigned char>(rest[i]) & 0xC0) != 0x80) return false;
  }
  return true;
}

// Checks the escape whose backslash stands at `pos`. Returns its length, 0 where the input ends
// inside it, or -1 where it is wrong.
int scan_escape(std::string_view in, std::size_t pos, StringScan& scan) {
  if (pos + 1 >= in.size()) return 0;
  switch (in[pos + 1]) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
      return 2;
    case 'u':
      break;
    default:
      scan.message = "unknown escape in a string";
      return -1;
  }
  for (std::size_t i = pos + 2; i < pos + 6; ++i) {
    if (i >= in.size()) return 0;
    if (hex_digit(in[i]) < 0) {
      scan.message = "\\u needs four hexadecimal digits";
      return -1;
    }
  }
  const int unit = hex4(in, pos + 2);
  const auto lone = [&] {
    if (scan.defect == Defect::kNone) {
      scan.defect = Defect::kLoneSurrogate;
      scan.defect_offset = pos;
    }
    return 6;
  };
  if (is_low_surrogate(unit)) return lone();
  if (!is_high_surrogate(unit)) return 6;
  if (pos + 6 >= in.size()) return 0;
  if (in[pos + 6] != '\\') return lone();
  if (pos + 7 >= in.size()) return 0;
  if (in[pos + 7] != 'u') return lone();
  if (pos + 12 > in.size()) {
    return 0;
  }
  const int second = hex4(in, pos + 8);
  if (second < 0) {
    scan.message = "\\u needs four hexadecimal digits";
    return -1;
  }
  return is_low_surrogate(second) ? 12 : lone();
}

}  // namespace

StringScan scan_string(std::string_view in, std::size_t pos) {
  StringScan scan;
  while (true) {
    pos = skip_plain(in, pos);
    if (pos >= in.size()) {
      scan.end = StringScan::End::kIncomplete;
      return scan;
    }
    const auto c = static_cast<unsigned char>(in[pos]);
    if (c == '"') {
      scan.at = pos + 1;
      return scan;
    }
    if (c == '\\') {
      scan.escaped = true;
      const int length = scan_escape(in, pos, scan);
      if (length <= 0) {
        scan.end = length == 0 ? StringScan::End::kIncomplete : StringScan::End::kError;
        scan.at = pos;
        return scan;
      }
      pos += static_cast<std::size_t>(length);
    } else if (c < 0x20) {
      scan.end = StringScan::End::kError;
      scan.at = pos;
      scan.message = "a control character in a string must be escaped";
      return scan;
    } else {
      const std::size_t length = utf8_sequence_length(in.substr(pos, 4));
      if (length == 0) {
        if (may_be_cut_sequence(in.substr(pos, 4))) {
          scan.end = StringScan::End::kIncomplete;
          return scan;
        }
        if (scan.defect == Defect::kNone) {
          scan.defect = Defect::kInvalidUtf8;
          scan.defect_offset = pos;
        }
      }
      pos += length == 0 ? 1 : length;
    }
  }
}

void decode_string(std::string_view raw, std::string& out) {
  out.clear();
  out.reserve(raw.size());
  std::size_t pos = 0;
  while (pos < raw.size()) {
    const std::size_t backslash = raw.find('\\', pos);
    if (backslash == std::string_view::npos) {
      out.append(raw.substr(pos));
      return;
    }
    out.append(raw.substr(pos, backslash - pos));
    const char c = raw[backslash + 1];
    pos = backslash + 2;
    switch (c) {
      case 'b':
        out += '\b';
        break;
      case 'f':
        out += '\f';
        break;
      case 'n':
        out += '\n';
        break;
      case 'r':
        out += '\r';
        break;
      case 't':
        out += '\t';
        break;
      case 'u': {
        const int unit = hex4(raw, pos);
        pos += 4;
        int second = -1;
        if (is_high_surrogate(unit) && raw.substr(pos, 2) == "\\u") second = hex4(raw, pos + 2);
        if (is_low_surrogate(second)) {
          pos += 6;
          append_utf8(out, 0x10000U + (static_cast<std::uint32_t>(unit - 0xD800) << 10) +
                               static_cast<std::uint32_t>(second - 0xDC00));
        } else if (is_high_surrogate(unit) || is_low_surrogate(unit)) {
          append_utf8(out, 0xFFFD);
        } else {
          append_utf8(out, static_cast<std::uint32_t>(unit));
        }
        break;
      }
      default:
        out += c;
    }
  }
}

NumberScan scan_number(std::string_view in, std::size_t pos) {
  NumberScan scan;
  const auto digit = [&] { return pos < in.size() && in[pos] >= '0' && in[pos] <= '9'; };
  const auto fail_at = [&] {
    scan.ok = false;
    scan.incomplete = pos >= in.size();
    scan.end = pos;
    return scan;
  };
  if (pos < in.size() && in[pos] == '-') ++pos;
  if (!digit()) return fail_at();
  if (in[pos] == '0') {
    ++pos;
    if (digit()) return fail_at();
  } else {
    while (digit()) ++pos;
  }
  if (pos < in.size() && in[pos] == '.') {
    scan.is_integer = false;
    ++pos;
    if (!digit()) return fail_at();
    while (digit()) ++pos;
  }
  if (pos < in.size() && (in[pos] == 'e' || in[pos] == 'E')) {
    scan.is_integer = false;
    ++pos;
    if (pos < in.size() && (in[pos] == '+' || in[pos] == '-')) ++pos;
    if (!digit()) return fail_at();
    while (digit()) ++pos;
  }
  scan.ok = true;
  scan.incomplete = pos >= in.size();
  scan.end = pos;
  return scan;
}

}  // namespace detail

ParseResult validate(std::string_view in, std::size_t pos, bool final) {
  NullHandler handler;
  return Parser<NullHandler>(handler).parse(in, pos, final);
}

}  // namespace sd::json
