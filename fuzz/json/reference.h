// A second reader of JSON, as plain as RFC 8259 itself: for the one of src/json to agree with.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "fuzz/json/oracle.h"
#include "json/parser.h"

namespace sd::fuzz {

class Reference {
 public:
  bool is_json = false;
  std::set<json::Defect> defects;
  std::string normal;  // where there are none: as fuzz::normal() spells it

  static Reference read(std::string_view text) {
    Reference out;
    out.in_ = text;
    out.is_json = out.value(1) && (out.space(), out.in_.empty());
    return out;
  }

 private:
  void space() { in_.remove_prefix(std::min(in_.find_first_not_of(" \t\r\n"), in_.size())); }
  bool take(std::string_view word) {
    if (!in_.starts_with(word)) return false;
    in_.remove_prefix(word.size());
    return true;
  }

  bool value(std::size_t depth) {
    space();
    if (++values_ == json::kMaxRowValues + 1) defects.insert(json::Defect::kTooManyValues);
    for (const char* const word : {"null", "true", "false"}) {
      if (take(word)) {
        normal += word;
        return true;
      }
    }
    if (in_.starts_with('"')) return string();
    if (in_.starts_with('{')) return container(depth, '}');
    if (in_.starts_with('[')) return container(depth, ']');
    return number();
  }

  bool container(std::size_t depth, char close) {
    if (depth > json::kMaxDepth) defects.insert(json::Defect::kTooDeep);
    normal += in_[0];
    in_.remove_prefix(1);
    space();
    for (bool first = true; !in_.starts_with(close); first = false) {
      if (!first && !take(",")) return false;
      space();
      if (close == '}') {
        if (!string()) return false;
        space();
        if (!take(":")) return false;
        normal += ':';
      }
      if (!value(depth + 1)) return false;
      normal += ',';
      space();
    }
    in_.remove_prefix(1);
    normal += close;
    return true;
  }

  std::size_t digits() {
    const std::size_t count = std::min(in_.find_first_not_of("0123456789"), in_.size());
    in_.remove_prefix(count);
    return count;
  }
  bool number() {
    const std::string_view begin = in_;
    take("-");
    const bool zero = in_.starts_with('0');
    const std::size_t before = digits();
    if (before == 0 || (zero && before > 1)) return false;
    if (take(".") && digits() == 0) return false;
    if (take("e") || take("E")) {
      if (!take("+")) take("-");
      if (digits() == 0) return false;
    }
    normal += normal_number(begin.substr(0, begin.size() - in_.size()));
    return true;
  }

  // ---- strings

  void put(std::uint32_t c, std::string& out) {
    const auto byte = [&](std::uint32_t b) { out += static_cast<char>(b); };
    if (c >= 0x10000) {
      byte(0xF0 + c / 262144);
      byte(0x80 + c / 4096 % 64);
    } else if (c >= 0x800) {
      byte(0xE0 + c / 4096);
    } else if (c >= 0x80) {
      byte(0xC0 + c / 64);
    } else {
      return byte(c);
    }
    if (c >= 0x800) byte(0x80 + c / 64 % 64);
    byte(0x80 + c % 64);
  }

  bool unit(std::uint32_t& out) {
    if (in_.size() < 4) return false;
    out = 0;
    for (const char c : in_.substr(0, 4)) {
      const std::size_t digit = std::string_view("0123456789abcdef0123456789ABCDEF").find(c);
      if (digit == std::string_view::npos) return false;
      out = out * 16 + static_cast<std::uint32_t>(digit % 16);
    }
    in_.remove_prefix(4);
    return true;
  }

  bool escape(std::string& out) {
    if (in_.empty()) return false;
    const char c = in_[0];
    in_.remove_prefix(1);
    const std::size_t known = std::string_view("\"\\/bfnrt").find(c);
    if (c != 'u') {
      if (known == std::string_view::npos) return false;
      out += "\"\\/\b\f\n\r\t"[known];
      return true;
    }
    std::uint32_t first = 0, second = 0;
    if (!unit(first)) return false;
    if (first / 0x400 == 0xD800 / 0x400) {
      // The other half must follow; an escape that is none is wrong by itself.
      const std::string_view behind = in_;
      if (take("\\u")) {
        if (!unit(second)) return false;
        if (second / 0x400 == 0xDC00 / 0x400) {
          put(0x10000 + (first - 0xD800) * 0x400 + (second - 0xDC00), out);
          return true;
        }
        in_ = behind;
      }
      defects.insert(json::Defect::kLoneSurrogate);
    } else if (first / 0x400 == 0xDC00 / 0x400) {
      defects.insert(json::Defect::kLoneSurrogate);
    } else {
      put(first, out);
    }
    return true;
  }

  // Takes a character outside of ASCII, or one byte that begins none.
  void wide(std::string& out) {
    const auto lead = static_cast<unsigned char>(in_[0]);
    const std::size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    std::uint32_t c = lead & (0xFFU >> (size + 1));
    bool good = lead >= 0xC0 && lead < 0xF8 && in_.size() >= size;
    for (std::size_t i = 1; good && i < size; ++i) {
      const auto next = static_cast<unsigned char>(in_[i]);
      good = next / 64 == 2;
      c = c * 64 + next % 64;
    }
    const std::uint32_t least = size == 4 ? 0x10000 : size == 3 ? 0x800 : 0x80;
    good = good && c >= least && c <= 0x10FFFF && c / 0x800 != 0xD800 / 0x800;
    if (!good) defects.insert(json::Defect::kInvalidUtf8);
    out += in_.substr(0, good ? size : 1);
    in_.remove_prefix(good ? size : 1);
  }

  bool string() {
    if (!take("\"")) return false;
    std::string out;
    while (!in_.empty()) {
      const auto c = static_cast<unsigned char>(in_[0]);
      if (take("\"")) {
        normal += json_string(out);
        return true;
      }
      if (c < 0x20) return false;
      if (c >= 0x80) {
        wide(out);
      } else if (take("\\")) {
        if (!escape(out)) return false;
      } else {
        out += in_[0];
        in_.remove_prefix(1);
      }
    }
    return false;
  }

  std::string_view in_;
  std::size_t values_ = 0;
};

}  // namespace sd::fuzz
