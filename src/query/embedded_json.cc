#include "query/embedded_json.h"

#include <bitset>

#include "base/json_text.h"

namespace sd::query {
namespace {

constexpr std::size_t kMaxDepth = 1000;

// A pass over the text that copies as it validates. Not recursive: open brackets are bits.
class Copier {
 public:
  Copier(std::string_view text, char* out) : at_(text.data()), end_(at_ + text.size()), out_(out) {}

  // The end of what was written, or nullptr where the text is no JSON.
  char* run() {
    while (true) {
      if (!value()) return nullptr;
      // After a value: close what ends here, then either the next member or the end of the text.
      while (true) {
        skip_space();
        if (depth_ == 0) return at_ == end_ ? out_ : nullptr;
        if (at_ == end_) return nullptr;
        const bool object = objects_[depth_ - 1];
        if (*at_ == (object ? '}' : ']')) {
          take();
          --depth_;
          continue;
        }
        if (*at_ != ',') return nullptr;
        take();
        if (object && !key()) return nullptr;
        break;
      }
    }
  }

 private:
  void take() { *out_++ = *at_++; }
  void skip_space() {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\t' || *at_ == '\r')) ++at_;
  }

  // A scalar, an empty container, or the opening of one as far as its first value.
  bool value() {
    while (true) {
      skip_space();
      if (at_ == end_) return false;
      switch (*at_) {
        case '{':
        case '[': {
          const bool object = *at_ == '{';
          if (depth_ == kMaxDepth) return false;
          objects_[depth_++] = object;
          take();
          skip_space();
          if (at_ == end_) return false;
          if (*at_ == (object ? '}' : ']')) {
            take();
            --depth_;
            return true;
          }
          if (object && !key()) return false;
          continue;
        }
        case '"':
          return string();
        case 't':
          return word("true");
        case 'f':
          return word("false");
        case 'n':
          return word("null");
        case 'N':
          return as_null("NaN");
        case 'I':
          return as_null("Infinity");
        default:
          return number();
      }
    }
  }

  bool key() {
    skip_space();
    if (at_ == end_ || *at_ != '"' || !string()) return false;
    skip_space();
    if (at_ == end_ || *at_ != ':') return false;
    take();
    return true;
  }

  bool starts_with(std::string_view word) const {
    return std::string_view(at_, static_cast<std::size_t>(end_ - at_)).starts_with(word);
  }
  bool word(std::string_view word) {
    if (!starts_with(word)) return false;
    for (std::size_t i = 0; i < word.size(); ++i) take();
    return true;
  }
  // Every such word has at least three letters and four come out: the output may be one byte longer
  // than the input for each. room() below allows for it.
  bool as_null(std::string_view word) {
    if (!starts_with(word)) return false;
    at_ += word.size();
    for (const char c : std::string_view("null")) *out_++ = c;
    return true;
  }

  bool digits() {
    if (at_ == end_ || *at_ < '0' || *at_ > '9') return false;
    while (at_ != end_ && *at_ >= '0' && *at_ <= '9') take();
    return true;
  }
  bool number() {
    if (*at_ == '-') {
      if (starts_with("-Infinity")) return as_null("-Infinity");
      take();
    }
    if (at_ != end_ && *at_ == '0') {
      take();
    } else if (!digits()) {
      return false;
    }
    if (at_ != end_ && *at_ == '.') {
      take();
      if (!digits()) return false;
    }
    if (at_ != end_ && (*at_ == 'e' || *at_ == 'E')) {
      take();
      if (at_ != end_ && (*at_ == '+' || *at_ == '-')) take();
      if (!digits()) return false;
    }
    return true;
  }

  bool string() {
    take();
    while (at_ != end_) {
      const auto c = static_cast<unsigned char>(*at_);
      if (c == '"') {
        take();
        return true;
      }
      if (c == '\\') {
        if (!escape()) return false;
      } else if (c < 0x20) {
        return false;
      } else if (c < 0x80) {
        take();
      } else {
        std::size_t n = utf8_sequence_length({at_, static_cast<std::size_t>(end_ - at_)});
        if (n == 0) return false;
        for (; n != 0; --n) take();
      }
    }
    return false;
  }
  bool escape() {
    take();
    if (at_ == end_) return false;
    if (*at_ != 'u') {
      if (std::string_view("\"\\/bfnrt").find(*at_) == std::string_view::npos) return false;
      take();
      return true;
    }
    take();
    for (int i = 0; i < 4; ++i) {
      if (at_ == end_) return false;
      const char c = *at_;
      const bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
      if (!hex) return false;
      take();
    }
    return true;
  }

  const char* at_;
  const char* end_;
  char* out_;
  std::size_t depth_ = 0;
  std::bitset<kMaxDepth> objects_;
};

}  // namespace

bool put_embedded_json(TextSink& sink, std::string_view text) {
  // "NaN" grows by one byte and takes at least two of input with its comma: half as much again is
  // enough for everything.
  char* out = sink.room(text.size() + text.size() / 2 + 8);
  char* const end = Copier(text, out).run();
  if (end == nullptr) return false;
  sink.set_cursor(end);
  return true;
}

}  // namespace sd::query
