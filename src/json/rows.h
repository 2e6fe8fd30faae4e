// Finding the rows of a body: one object, an array of objects, NDJSON, or concatenated objects.
//
// The first byte that is no blank decides: '[' is an array, '{' a stream of objects. (A UTF-8 byte
// order mark before it is skipped.) Rules, the same for the front, which counts, and the loader, which
// fills columns, because both run this code over the same bytes:
//
//  - In an array, and between concatenated objects, a syntax error ends everything: the body is
//    refused with the error's offset.
//  - In NDJSON each line stands alone: a line that is no good object is one refused row. A stream is
//    NDJSON as long as every value so far stood alone on its line. Where the very first value is bad,
//    its error must lie in its first line, or be the first character of the next one.
//  - What begins with neither '{' nor '[' is no body, unless it is said to be NDJSON (Framing::kLines): then it is that,
//    line by line, and its first line is a refused row.
//  - An element or line that is no object, and an object with a defect (see parser.h), is a refused row.
//
// Works on a window of the body: next() asks for more bytes when the window ends inside a row, so that
// a body of any size streams through a buffer that is as large as its largest row.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "json/parser.h"

namespace sd::json {

struct RowError {
  std::string
      code;  // "not-an-object", "invalid-json", "invalid-utf8", "lone-surrogate", "too-deep",
             // "too-many-values"
  std::string detail;
  std::uint64_t offset = 0;  // in the body; kNoOffset where that is not known

  static constexpr std::uint64_t kNoOffset = UINT64_MAX;
};

enum class Framing : std::uint8_t { kDetected, kLines };

template <typename Handler>
class RowSplitter {
 public:
  enum class State : std::uint8_t {
    kRow,       // one good row: the handler has had its events
    kRefused,   // one bad row: `error`; the handler may have had some of its events
    kNeedMore,  // call again with more bytes behind the ones not consumed
    kEnd,       // nothing but blanks is left
    kSyntax,    // the body as a whole is refused: `error`
  };

  struct Step {
    State state = State::kEnd;
    std::string_view text;  // the row as it was sent (kRow, kRefused)
    RowError error;
  };

  explicit RowSplitter(Handler& handler, Framing framing = Framing::kDetected)
      : handler_(handler), parser_(handler), framing_(framing) {}

  // `window` begins with the first byte not consumed yet.
  Step next(std::string_view window, bool final);
  // Bytes of the last window that are done with.
  std::size_t consumed() const { return consumed_; }
  // Offset in the body of the first byte not consumed.
  std::uint64_t offset() const { return offset_; }
  bool is_array() const { return shape_ == Shape::kArray; }

 private:
  enum class Shape : std::uint8_t { kUnknown, kArray, kStream, kDone };

  Step begin(std::string_view window, bool final);
  Step array_element(std::string_view window, std::size_t pos, bool final);
  Step stream_value(std::string_view window, std::size_t pos, bool final);
  Step line(std::string_view window, std::size_t pos, bool final);
  Step bad_line(std::string_view window, std::size_t pos, bool final, RowError error);

  Step done(Step step, std::size_t consumed) {
    consumed_ = consumed;
    offset_ += consumed;
    return step;
  }
  Step need_more() { return done({.state = State::kNeedMore}, 0); }
  Step syntax(std::size_t pos, const char* message) {
    return done({.state = State::kSyntax, .error = {"invalid-json", message, offset_ + pos}}, 0);
  }
  Step finish_row(std::string_view window, std::size_t pos, const ParseResult& parsed,
                  std::size_t consumed);

  ParseResult parse(std::string_view window, std::size_t pos, bool final) {
    handler_.begin_row();
    return parser_.parse(window, pos, final);
  }

  Handler& handler_;
  Parser<Handler> parser_;
  Framing framing_;
  Shape shape_ = Shape::kUnknown;
  std::size_t consumed_ = 0;
  std::uint64_t offset_ = 0;
  bool first_ = true;          // no element or value has been seen yet
  bool line_by_line_ = true;   // every value so far stood alone on its line
  bool at_line_start_ = true;  // only blanks since the last line break (or the beginning)
};

template <typename Handler>
auto RowSplitter<Handler>::next(std::string_view window, bool final) -> Step {
  if (shape_ == Shape::kUnknown) return begin(window, final);
  std::size_t pos = 0;
  while (pos < window.size() && is_space(window[pos])) {
    if (window[pos] == '\n') at_line_start_ = true;
    ++pos;
  }
  if (shape_ == Shape::kDone) {
    if (pos < window.size()) return syntax(pos, "unexpected bytes after the end of the array");
    return final ? done({.state = State::kEnd}, pos) : need_more();
  }
  if (shape_ == Shape::kArray) return array_element(window, pos, final);
  return framing_ == Framing::kLines ? line(window, pos, final) : stream_value(window, pos, final);
}

template <typename Handler>
auto RowSplitter<Handler>::begin(std::string_view window, bool final) -> Step {
  std::size_t pos = 0;
  if (!final && window.size() < 4) return need_more();
  if (window.starts_with("\xEF\xBB\xBF")) pos = 3;
  while (pos < window.size() && is_space(window[pos])) ++pos;
  if (pos == window.size()) {
    if (!final) return need_more();
    return syntax(pos, "the body is empty");
  }
  if (window[pos] == '[') {
    shape_ = Shape::kArray;
    ++pos;
  } else if (window[pos] == '{' || framing_ == Framing::kLines) {
    shape_ = Shape::kStream;
    if (window[pos] == '{') framing_ = Framing::kDetected;
  } else {
    return syntax(pos, "a body is an object, an array of objects, or objects one behind the other");
  }
  done({}, pos);
  const std::size_t before = pos;
  Step step = next(window.substr(pos), final);
  consumed_ += before;
  return step;
}

template <typename Handler>
auto RowSplitter<Handler>::finish_row(std::string_view window, std::size_t pos,
                                      const ParseResult& parsed, std::size_t consumed) -> Step {
  Step step{.state = State::kRow, .text = window.substr(pos, parsed.end - pos)};
  if (parsed.kind != ValueKind::kObject) {
    step.state = State::kRefused;
    step.error = {"not-an-object", "a row must be a JSON object", offset_ + pos};
  } else if (parsed.defect != Defect::kNone) {
    step.state = State::kRefused;
    const char* code = parsed.defect == Defect::kInvalidUtf8     ? "invalid-utf8"
                       : parsed.defect == Defect::kLoneSurrogate ? "lone-surrogate"
                       : parsed.defect == Defect::kTooManyValues ? "too-many-values"
                                                                 : "too-deep";
    step.error = {code, to_string(parsed.defect), offset_ + parsed.defect_offset};
  }
  return done(std::move(step), consumed);
}

template <typename Handler>
auto RowSplitter<Handler>::array_element(std::string_view window, std::size_t pos, bool final)
    -> Step {
  const auto cut = [&] {
    return final ? syntax(window.size(), "the array is not closed") : need_more();
  };
  if (pos >= window.size()) return cut();
  if (window[pos] == ']') {
    shape_ = Shape::kDone;
    done({}, pos + 1);
    const std::size_t before = pos + 1;
    Step step = next(window.substr(before), final);
    consumed_ += before;
    return step;
  }
  if (!first_) {
    if (window[pos] != ',') return syntax(pos, "expected ',' or ']'");
    ++pos;
    while (pos < window.size() && is_space(window[pos])) ++pos;
    if (pos >= window.size()) return cut();
  }
  const ParseResult parsed = parse(window, pos, final);
  if (parsed.outcome == Outcome::kSyntax) return syntax(parsed.end, parsed.message);
  if (parsed.outcome == Outcome::kIncomplete) return cut();
  first_ = false;
  return finish_row(window, pos, parsed, parsed.end);
}

template <typename Handler>
auto RowSplitter<Handler>::stream_value(std::string_view window, std::size_t pos, bool final)
    -> Step {
  if (pos >= window.size()) return final ? done({.state = State::kEnd}, pos) : need_more();
  const bool own_line = first_ || at_line_start_;
  const ParseResult parsed = parse(window, pos, final);
  if (parsed.outcome == Outcome::kOk) {
    // Stands alone: no line break inside, and nothing but blanks up to the next one.
    std::size_t after = parsed.end;
    while (after < window.size() && is_space(window[after]) && window[after] != '\n') ++after;
    if (after >= window.size() && !final) return need_more();
    const bool ends_line = after >= window.size() || window[after] == '\n';
    const std::string_view text = window.substr(pos, parsed.end - pos);
    const bool one_line = text.find('\n') == std::string_view::npos;
    if (!ends_line && own_line && line_by_line_ && one_line && window[after] != '{') {
      // Junk behind a good object: in NDJSON the whole line is bad, else the body is.
      return bad_line(window, pos, final,
                      {"invalid-json", "unexpected bytes after the object", offset_ + after});
    }
    line_by_line_ = line_by_line_ && own_line && ends_line && one_line;
    first_ = false;
    at_line_start_ = false;
    return finish_row(window, pos, parsed, parsed.end);
  }
  const bool cut = parsed.outcome == Outcome::kIncomplete;
  const std::string_view before_error =
      window.substr(pos, (cut ? window.size() : parsed.end) - pos);
  // A line break before the error: the error is the next line's first character, or not this line's.
  const std::size_t line_end = before_error.find('\n');
  const bool in_line = line_end == std::string_view::npos;
  const bool at_next_line =
      !in_line && before_error.find_first_not_of(" \t\r\n", line_end) == std::string_view::npos;
  if (cut && !final) {
    return need_more();
  }
  if (line_by_line_ && own_line && (!first_ || in_line || at_next_line)) {
    return bad_line(
        window, pos, final,
        {"invalid-json", parsed.message, offset_ + (in_line ? parsed.end : pos + line_end)});
  }
  return syntax(parsed.end, parsed.message);
}

// The parser never sees the next line, so that nothing in this one can reach into it.
template <typename Handler>
auto RowSplitter<Handler>::line(std::string_view window, std::size_t pos, bool final) -> Step {
  if (pos >= window.size()) return final ? done({.state = State::kEnd}, pos) : need_more();
  const std::size_t newline = window.find('\n', pos);
  if (newline == std::string_view::npos && !final) return need_more();
  const std::string_view until = window.substr(0, newline);
  const ParseResult parsed = parse(until, pos, true);
  if (parsed.outcome != Outcome::kOk) {
    return bad_line(window, pos, final, {"invalid-json", parsed.message, offset_ + parsed.end});
  }
  std::size_t after = parsed.end;
  while (after < until.size() && is_space(until[after])) ++after;
  if (after < until.size()) {
    return bad_line(window, pos, final,
                    {"invalid-json", "unexpected bytes after the object", offset_ + after});
  }
  first_ = false;
  return finish_row(window, pos, parsed, until.size());
}

template <typename Handler>
auto RowSplitter<Handler>::bad_line(std::string_view window, std::size_t pos, bool final,
                                    RowError error) -> Step {
  const std::size_t newline = window.find('\n', pos);
  if (newline == std::string_view::npos && !final) return need_more();
  const std::size_t end = newline == std::string_view::npos ? window.size() : newline;
  Step step{.state = State::kRefused, .text = window.substr(pos, end - pos), .error = {}};
  step.error = std::move(error);
  while (!step.text.empty() && is_space(step.text.back())) step.text.remove_suffix(1);
  first_ = false;
  at_line_start_ = false;
  return done(std::move(step), end);
}

}  // namespace sd::json
