#include "http/head_check.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/ascii.h"

namespace sd::http {
namespace {

constexpr std::size_t kMaxLeadingEmptyLines = 4;

enum : std::uint8_t { kTokenChar = 1, kValueChar = 2, kTargetChar = 4, kHostChar = 8 };

constexpr std::array<std::uint8_t, 256> make_classes() {
  std::array<std::uint8_t, 256> table{};
  for (unsigned c = 0; c < 256; ++c) {
    std::uint8_t bits = 0;
    const bool alnum = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    bool token = alnum;
    for (const char t :
         {'!', '#', '$', '%', '&', '\'', '*', '+', '-', '.', '^', '_', '`', '|', '~'})
      token = token || c == static_cast<unsigned char>(t);
    bool host = alnum;
    for (const char h : {'-', '.', '_', '~', '%', '!', '$', '&', '\'', '(', ')', '*', '+', ';', '=',
                         ':', '[', ']'})
      host = host || c == static_cast<unsigned char>(h);
    if (token) bits |= kTokenChar;
    if (host) bits |= kHostChar;
    if (c == '\t' || (c >= 0x20 && c != 0x7F)) bits |= kValueChar;
    if (c >= 0x21 && c != 0x7F) bits |= kTargetChar;
    table[c] = bits;
  }
  return table;
}
constexpr std::array<std::uint8_t, 256> kClasses = make_classes();

bool is_class(char c, std::uint8_t bits) {
  return (kClasses[static_cast<unsigned char>(c)] & bits) != 0;
}
bool all_of_class(std::string_view text, std::uint8_t bits) {
  std::uint8_t seen = bits;
  for (const char c : text) seen &= kClasses[static_cast<unsigned char>(c)];
  return seen == bits;
}

std::string_view trim_blanks(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

HeadFault bad(std::string_view detail) {
  return HeadFault{.detail = detail};
}

// Splits the target into path and query, and takes scheme and authority off an absolute one
// (RFC 9112 section 3.2.2: a server must accept it).
bool split_target(Head& head) {
  std::string_view rest = head.target;
  if (rest == "*") {
    head.path = rest;
    return head.method == "OPTIONS";
  }
  if (!rest.empty() && rest.front() != '/') {
    constexpr std::string_view kHttp = "http://";
    constexpr std::string_view kHttps = "https://";
    if (same_ascii_folded(rest.substr(0, kHttp.size()), kHttp))
      rest.remove_prefix(kHttp.size());
    else if (same_ascii_folded(rest.substr(0, kHttps.size()), kHttps))
      rest.remove_prefix(kHttps.size());
    else
      return false;
    const std::size_t authority = std::min(rest.find_first_of("/?"), rest.size());
    if (authority == 0) return false;
    rest.remove_prefix(authority);
    if (rest.empty() || rest.front() == '?') {
      head.path = "/";
      if (!rest.empty()) head.query = rest.substr(1);
      return true;
    }
  }
  const std::size_t mark = rest.find('?');
  head.path = rest.substr(0, mark);
  if (mark != std::string_view::npos) head.query = rest.substr(mark + 1);
  return !head.path.empty();
}

std::optional<HeadFault> parse_request_line(std::string_view line, Head& head) {
  const std::size_t first = line.find(' ');
  if (first == std::string_view::npos || !is_token(line.substr(0, first)))
    return bad("The request line does not begin with a method and one space.");
  head.method = line.substr(0, first);
  line.remove_prefix(first + 1);
  const std::size_t second = line.find(' ');
  if (second == std::string_view::npos)
    return bad("The request line does not end with a space and the HTTP version.");
  head.target = line.substr(0, second);
  const std::string_view version = line.substr(second + 1);
  if (head.target.empty() || !all_of_class(head.target, kTargetChar))
    return bad("The request target is empty or contains a control character.");
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  if (version.size() != 8 || !version.starts_with("HTTP/") || !digit(version[5]) ||
      version[6] != '.' || !digit(version[7]))
    return bad("The request line does not end with an HTTP version.");
  if (version[5] != '1' || (version[7] != '0' && version[7] != '1'))
    return HeadFault{505, "unsupported-version", "Only HTTP/1.1 and HTTP/1.0 are spoken here."};
  head.minor_version = version[7] - '0';
  head.keep_alive = head.minor_version == 1;
  if (!split_target(head))
    return bad("The request target must be a path that begins with '/', or an http URL.");
  return std::nullopt;
}

// What the framing of a message hangs on, gathered while its fields go by.
struct Gathered {
  std::size_t hosts = 0;
  std::size_t lengths = 0;
  std::size_t codings = 0;
  bool close = false;
  bool keep_alive = false;
};

void read_connection(std::string_view value, Gathered& gathered) {
  while (!value.empty()) {
    const std::size_t comma = std::min(value.find(','), value.size());
    const std::string_view option = trim_blanks(value.substr(0, comma));
    if (same_ascii_folded(option, "close"))
      gathered.close = true;
    else if (same_ascii_folded(option, "keep-alive"))
      gathered.keep_alive = true;
    value.remove_prefix(std::min(comma + 1, value.size()));
  }
}

std::optional<HeadFault> read_length(std::string_view value, Head& head, Gathered& gathered) {
  if (++gathered.lengths > 1) return bad("The request has more than one Content-Length.");
  // 18 digits always fit in 64 bits and are more than any body.
  if (value.empty() || value.size() > 18) return bad("Content-Length is not a number of bytes.");
  std::uint64_t length = 0;
  for (const char c : value) {
    if (c < '0' || c > '9') return bad("Content-Length is not a number of bytes.");
    length = length * 10 + static_cast<std::uint64_t>(c - '0');
  }
  head.content_length = length;
  return std::nullopt;
}

// Looks at the few fields that the protocol itself needs, told apart by their length first.
std::optional<HeadFault> read_field(const HeaderField& field, Head& head, Gathered& gathered) {
  switch (field.name.size()) {
    case 4:
      if (same_ascii_folded(field.name, "host")) {
        if (++gathered.hosts > 1) return bad("The request has more than one Host.");
        if (!all_of_class(field.value, kHostChar)) return bad("Host is not a host name.");
      }
      break;
    case 6:
      if (same_ascii_folded(field.name, "expect")) {
        if (!same_ascii_folded(field.value, "100-continue"))
          return HeadFault{417, "expectation-failed", "The only known Expect is 100-continue."};
        head.expects_continue = true;
      }
      break;
    case 10:
      if (same_ascii_folded(field.name, "connection")) read_connection(field.value, gathered);
      break;
    case 14:
      if (same_ascii_folded(field.name, "content-length"))
        return read_length(field.value, head, gathered);
      break;
    case 17:
      if (same_ascii_folded(field.name, "transfer-encoding")) {
        if (++gathered.codings > 1) return bad("The request has more than one Transfer-Encoding.");
        if (!same_ascii_folded(field.value, "chunked"))
          return HeadFault{501, "unsupported-transfer-encoding",
                           "The only known Transfer-Encoding is chunked."};
      }
      break;
    default:
      break;
  }
  return std::nullopt;
}

std::optional<HeadFault> parse_field(std::string_view line, Head& head, Gathered& gathered) {
  if (line.front() == ' ' || line.front() == '\t')
    return bad("A header is folded over two lines, which HTTP no longer allows.");
  std::size_t colon = 0;
  while (colon < line.size() && is_class(line[colon], kTokenChar)) ++colon;
  if (colon == 0 || colon == line.size() || line[colon] != ':')
    return bad(
        "A header's name is not followed by a colon, or has a character that names cannot have.");
  const HeaderField field{line.substr(0, colon), trim_blanks(line.substr(colon + 1))};
  if (!all_of_class(field.value, kValueChar))
    return bad("A header's value has a control character.");
  head.fields.push_back(field);
  return read_field(field, head, gathered);
}

std::optional<HeadFault> settle(Head& head, const Gathered& gathered) {
  if (gathered.codings != 0 && gathered.lengths != 0)
    return bad("The request has both Content-Length and Transfer-Encoding.");
  if (gathered.codings != 0 && head.minor_version == 0)
    return bad("HTTP/1.0 has no Transfer-Encoding.");
  if (gathered.hosts == 0 && head.minor_version == 1) return bad("The request has no Host.");
  if (gathered.codings != 0)
    head.framing = Framing::kChunked;
  else if (gathered.lengths != 0 && head.content_length > 0)
    head.framing = Framing::kLength;
  if (gathered.close)
    head.keep_alive = false;
  else if (gathered.keep_alive)
    head.keep_alive = true;
  // Nothing to wait for, and HTTP/1.0 clients do not know the interim answer.
  if (head.framing == Framing::kNone || head.minor_version == 0) head.expects_continue = false;
  return std::nullopt;
}

}  // namespace

bool is_token(std::string_view text) {
  return !text.empty() && all_of_class(text, kTokenChar);
}

std::string_view Head::find(std::string_view name) const {
  for (const HeaderField& field : fields) {
    if (same_ascii_folded(field.name, name)) return field.value;
  }
  return {};
}

std::string Head::find_list(std::string_view name) const {
  std::string list;
  for (const HeaderField& field : fields) {
    if (!same_ascii_folded(field.name, name) || field.value.empty()) continue;
    if (!list.empty()) list += ", ";
    list += field.value;
  }
  return list;
}

std::size_t Head::count(std::string_view name) const {
  return static_cast<std::size_t>(
      std::count_if(fields.begin(), fields.end(),
                    [&](const HeaderField& f) { return same_ascii_folded(f.name, name); }));
}

HeadScanner::State HeadScanner::scan(std::string_view buffer) {
  while (scanned_ < buffer.size()) {
    // A TLS hello or other noise is refused at its first byte, not after a timeout.
    const char first = buffer[begin_];
    if (scanned_ == begin_ && first != '\r' && !is_class(first, kTokenChar)) {
      fault_ = bad("This is not an HTTP request.");
      return State::kBad;
    }
    const void* found = std::memchr(buffer.data() + scanned_, '\n', buffer.size() - scanned_);
    if (found == nullptr) {
      scanned_ = buffer.size();
      return State::kMore;
    }
    const auto at = static_cast<std::size_t>(static_cast<const char*>(found) - buffer.data());
    if (at == line_ || buffer[at - 1] != '\r') {
      fault_ = bad("A line of the head does not end with CR LF.");
      return State::kBad;
    }
    const bool empty = at == line_ + 1;
    scanned_ = at + 1;
    if (empty && line_ == begin_) {
      begin_ = scanned_;
      if (begin_ > 2 * kMaxLeadingEmptyLines) {
        fault_ = bad("There are too many empty lines before the request.");
        return State::kBad;
      }
    } else if (empty) {
      end_ = scanned_;
      return State::kComplete;
    }
    line_ = scanned_;
  }
  return State::kMore;
}

std::optional<HeadFault> parse_head(std::string_view raw, Head& head) {
  auto fields = std::move(head.fields);
  fields.clear();
  head = Head{};
  head.fields = std::move(fields);
  Gathered gathered;
  std::optional<HeadFault> fault;
  bool first = true;
  while (!raw.empty()) {
    const std::size_t lf = raw.find('\n');
    if (lf == std::string_view::npos || lf == 0 || raw[lf - 1] != '\r')
      return bad("A line of the head does not end with CR LF.");
    const std::string_view line = raw.substr(0, lf - 1);
    raw.remove_prefix(lf + 1);
    if (line.empty()) {
      if (first || !raw.empty()) return bad("The head ends before its last line.");
      return settle(head, gathered);
    }
    fault = first ? parse_request_line(line, head) : parse_field(line, head, gathered);
    if (fault) return fault;
    first = false;
  }
  return bad("The head has no empty line at its end.");
}

}  // namespace sd::http
