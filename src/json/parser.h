// A validating JSON parser (RFC 8259) that reports events to a handler, one value at a time.
//
// It is the only parser of rows in the program: the front runs it with no handler to find where rows
// begin and end and whether they are good, the loader runs the same code to fill columns, so that both
// always agree about a row.
//
// Two kinds of bad input are told apart:
//  - a *syntax error* loses the structure: nothing behind it can be trusted;
//  - a *defect* spoils the value but leaves its end known: a string that is not UTF-8 or holds a lone
//    surrogate, nesting deeper or more values than the limits. Parsing goes on, events after a defect still come, and
//    the caller refuses the row.
//
// Strings reach the handler decoded, as views that live until the next event (into the input where
// nothing had to be decoded). Numbers reach it as their token: nothing is ever rounded here.
// Pure; a parser belongs to one thread. No recursion: nesting costs one byte a level.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sd::json {

inline constexpr std::uint32_t kMaxDepth = 64;
// Values (leaves and containers) of one row. Each may become a column or a member of __overflow: without
// a bound a small body could take all memory of the engine, again at every start.
inline constexpr std::uint32_t kMaxRowValues = 100'000;

enum class Outcome : std::uint8_t {
  kOk,
  kIncomplete,  // the input ends inside the value; more bytes may complete it
  kSyntax,
};

enum class Defect : std::uint8_t { kNone, kInvalidUtf8, kLoneSurrogate, kTooDeep, kTooManyValues };

enum class ValueKind : std::uint8_t { kNull, kBool, kNumber, kString, kArray, kObject };

struct ParseResult {
  Outcome outcome = Outcome::kOk;
  ValueKind kind = ValueKind::kNull;
  std::size_t end = 0;            // offset behind the value (kOk), else of the error
  const char* message = "";       // of the syntax error
  Defect defect = Defect::kNone;  // the first one
  std::size_t defect_offset = 0;
};

const char* to_string(Defect defect);

// The handler of those who only want to know whether a value is good.
struct NullHandler {
  static constexpr bool kWantsStrings = false;  // strings are checked, not decoded
  void begin_row() {
  }  // called by RowSplitter before each attempt at a row: forget an unfinished one
  void on_null() {}
  void on_bool(bool) {}
  void on_number(std::string_view /*token*/, bool /*is_integer*/) {}
  void on_string(std::string_view) {}
  void on_key(std::string_view) {}
  void begin_object() {}
  void end_object() {}
  void begin_array() {}
  void end_array() {}
};

inline bool is_space(char c) {
  return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

namespace detail {

struct StringScan {
  enum class End : std::uint8_t { kQuote, kIncomplete, kError };
  End end = End::kQuote;
  std::size_t at = 0;  // behind the closing quote, or where the error is
  const char* message = "";
  bool escaped = false;  // there is something to decode
  Defect defect = Defect::kNone;
  std::size_t defect_offset = 0;
};

// `pos` stands behind the opening quote.
StringScan scan_string(std::string_view in, std::size_t pos);
// Decodes what scan_string accepted (without the quotes); lone surrogates become U+FFFD.
void decode_string(std::string_view raw, std::string& out);

struct NumberScan {
  bool ok = false;
  bool incomplete = false;  // more bytes could still change or complete it
  bool is_integer = true;
  std::size_t end = 0;
};
NumberScan scan_number(std::string_view in, std::size_t pos);

}  // namespace detail

template <typename Handler>
class Parser {
 public:
  explicit Parser(Handler& handler, std::uint32_t max_depth = kMaxDepth)
      : handler_(handler), max_depth_(max_depth) {}

  // Parses the one value that begins at `pos` (blanks before it are skipped). `final` says that no
  // byte follows `in`: a number at its end is then complete.
  ParseResult parse(std::string_view in, std::size_t pos, bool final) {
    in_ = in;
    pos_ = pos;
    final_ = final;
    result_ = {};
    values_ = 0;
    stack_.clear();
    run();
    return result_;
  }

 private:
  enum class Step : std::uint8_t { kValue, kAfterValue, kDone };

  void run() {
    Step step = Step::kValue;
    while (step != Step::kDone) step = step == Step::kValue ? value() : after_value();
  }

  bool skip_space() {
    while (pos_ < in_.size() && is_space(in_[pos_])) ++pos_;
    return pos_ < in_.size();
  }

  Step stop(Outcome outcome, std::size_t at, const char* message = "") {
    result_.outcome = outcome;
    result_.end = at;
    result_.message = message;
    return Step::kDone;
  }
  Step incomplete() { return stop(Outcome::kIncomplete, in_.size(), "the value is not complete"); }
  Step syntax(const char* message) { return stop(Outcome::kSyntax, pos_, message); }

  void note_defect(Defect defect, std::size_t at) {
    if (defect != Defect::kNone && result_.defect == Defect::kNone) {
      result_.defect = defect;
      result_.defect_offset = at;
    }
  }

  void set_kind(ValueKind kind) {
    if (stack_.empty()) result_.kind = kind;
  }

  Step value() {
    if (!skip_space()) return incomplete();
    if (++values_ > kMaxRowValues) note_defect(Defect::kTooManyValues, pos_);
    switch (in_[pos_]) {
      case '{':
        set_kind(ValueKind::kObject);
        push('{');
        handler_.begin_object();
        if (!skip_space()) return incomplete();
        if (in_[pos_] == '}') return close();
        return key();
      case '[':
        set_kind(ValueKind::kArray);
        push('[');
        handler_.begin_array();
        if (!skip_space()) return incomplete();
        if (in_[pos_] == ']') return close();
        return Step::kValue;
      case '"': {
        set_kind(ValueKind::kString);
        std::string_view text;
        if (!string(text)) return Step::kDone;
        handler_.on_string(text);
        return Step::kAfterValue;
      }
      case 't':
        return literal("true", ValueKind::kBool);
      case 'f':
        return literal("false", ValueKind::kBool);
      case 'n':
        return literal("null", ValueKind::kNull);
      default:
        return number();
    }
  }

  Step after_value() {
    if (stack_.empty()) {
      result_.end = pos_;
      return Step::kDone;
    }
    if (!skip_space()) return incomplete();
    const char c = in_[pos_];
    const bool in_object = stack_.back() == '{';
    if (c == ',') {
      ++pos_;
      if (!in_object) return Step::kValue;
      if (!skip_space()) return incomplete();
      return key();
    }
    if (c == (in_object ? '}' : ']')) return close();
    return syntax(in_object ? "expected ',' or '}'" : "expected ',' or ']'");
  }

  void push(char bracket) {
    stack_.push_back(bracket);
    if (stack_.size() > max_depth_) note_defect(Defect::kTooDeep, pos_);
    ++pos_;
  }

  Step close() {
    const bool in_object = stack_.back() == '{';
    ++pos_;
    stack_.pop_back();
    if (in_object)
      handler_.end_object();
    else
      handler_.end_array();
    return Step::kAfterValue;
  }

  Step key() {
    if (in_[pos_] != '"') return syntax("expected a key in double quotes");
    std::string_view text;
    if (!string(text)) return Step::kDone;
    if (!skip_space()) return incomplete();
    if (in_[pos_] != ':') return syntax("expected ':' after the key");
    ++pos_;
    handler_.on_key(text);
    return Step::kValue;
  }

  bool string(std::string_view& text) {
    const std::size_t begin = pos_ + 1;
    const detail::StringScan scan = detail::scan_string(in_, begin);
    note_defect(scan.defect, scan.defect_offset);
    if (scan.end == detail::StringScan::End::kIncomplete) {
      incomplete();
      return false;
    }
    if (scan.end == detail::StringScan::End::kError) {
      stop(Outcome::kSyntax, scan.at, scan.message);
      return false;
    }
    pos_ = scan.at;
    if constexpr (Handler::kWantsStrings) {
      text = in_.substr(begin, scan.at - 1 - begin);
      if (scan.escaped) {
        detail::decode_string(text, scratch_);
        text = scratch_;
      }
    }
    return true;
  }

  Step literal(std::string_view word, ValueKind kind) {
    const std::string_view rest = in_.substr(pos_, word.size());
    std::size_t same = 0;
    while (same < rest.size() && rest[same] == word[same]) ++same;
    if (same < word.size()) {
      if (pos_ + same == in_.size()) return incomplete();
      pos_ += same;
      return syntax(
          "expected a value (true, false, null, a number, a string, an array, an object)");
    }
    set_kind(kind);
    pos_ += word.size();
    if (kind == ValueKind::kNull)
      handler_.on_null();
    else
      handler_.on_bool(word[0] == 't');
    return Step::kAfterValue;
  }

  Step number() {
    const detail::NumberScan scan = detail::scan_number(in_, pos_);
    if (scan.incomplete && !(final_ && scan.ok)) return incomplete();
    if (!scan.ok) {
      pos_ = scan.end;
      return syntax(scan.end < in_.size() &&
                            (in_[scan.end] == ']' || in_[scan.end] == '}' || in_[scan.end] == ',')
                        ? "expected a value"
                        : "not a valid value");
    }
    set_kind(ValueKind::kNumber);
    handler_.on_number(in_.substr(pos_, scan.end - pos_), scan.is_integer);
    pos_ = scan.end;
    return Step::kAfterValue;
  }

  Handler& handler_;
  const std::uint32_t max_depth_;
  std::string_view in_;
  std::size_t pos_ = 0;
  bool final_ = true;
  ParseResult result_;
  std::uint32_t values_ = 0;
  std::vector<char> stack_;  // the open brackets
  std::string scratch_;      // the last string that had to be decoded
};

// Checks one value without a handler.
ParseResult validate(std::string_view in, std::size_t pos = 0, bool final = true);

}  // namespace sd::json
