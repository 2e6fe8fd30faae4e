#include "http/response_head.h"

#include <array>
#include <charconv>

#include "base/ascii.h"
#include "http/head_check.h"

namespace sd::http {
namespace {

// Every answer is readable from any page; credentials are keys in headers, never cookies.
constexpr std::string_view kCors =
    "Access-Control-Allow-Origin: *\r\n"
    "Access-Control-Expose-Headers: X-Request-Id, X-Query-Id, X-Endpoint-Version, X-Fresh, "
    "X-Lag-Rows, ETag, Content-Disposition, Retry-After\r\n";

void append_number(std::string& out, std::uint64_t value) {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out.append(digits.data(), end);
}

bool is_ours(std::string_view name) {
  switch (name.size()) {
    case 4:
      return same_ascii_folded(name, "date");
    case 10:
      return same_ascii_folded(name, "connection");
    case 12:
      return same_ascii_folded(name, "x-request-id");
    case 14:
      return same_ascii_folded(name, "content-length");
    case 17:
      return same_ascii_folded(name, "transfer-encoding");
    default:
      return false;
  }
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
  if (!is_token(name) || is_ours(name)) return;
  out += name;
  out += ": ";
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    out += byte < 0x20 || byte == 0x7F ? ' ' : c;
  }
  out += "\r\n";
}

}  // namespace

std::string_view reason_phrase(int status) {
  switch (status) {
    case 100:
      return "Continue";
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 303:
      return "See Other";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 411:
      return "Length Required";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 415:
      return "Unsupported Media Type";
    case 416:
      return "Range Not Satisfiable";
    case 417:
      return "Expectation Failed";
    case 422:
      return "Unprocessable Content";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 499:
      return "Client Closed Request";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    case 507:
      return "Insufficient Storage";
    default:
      return "Unknown";
  }
}

bool status_has_body(int status) {
  return status >= 200 && status != 204 && status != 304;
}

std::string_view DateHeader::at(std::time_t now) {
  if (now == second_) return text_;
  second_ = now;
  std::tm tm{};
  gmtime_r(&now, &tm);
  // Not strftime's %a and %b, which speak the locale's language.
  static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::array<char, 64> text;
  const int length = std::snprintf(text.data(), text.size(), "%s, %02d %s %04d %02d:%02d:%02d GMT",
                                   kDays[tm.tm_wday], tm.tm_mday, kMonths[tm.tm_mon],
                                   tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
  text_.assign(text.data(), static_cast<std::size_t>(length));
  return text_;
}

void append_response_head(std::string& out, const ResponseHead& head, const Headers& headers,
                          const Headers& more) {
  if (head.status == 200) {
    out += "HTTP/1.1 200 OK\r\n";
  } else {
    out += "HTTP/1.1 ";
    append_number(out, static_cast<std::uint64_t>(head.status));
    out += ' ';
    out += reason_phrase(head.status);
    out += "\r\n";
  }
  out += "Date: ";
  out += head.date;
  out += "\r\nX-Request-Id: ";
  out += head.request_id;
  out += "\r\n";
  out += kCors;
  for (const auto& [name, value] : headers) append_field(out, name, value);
  for (const auto& [name, value] : more) append_field(out, name, value);
  if (head.chunked) out += "Transfer-Encoding: chunked\r\n";
  if (head.content_length) {
    out += "Content-Length: ";
    append_number(out, *head.content_length);
    out += "\r\n";
  }
  if (!head.keep_alive)
    out += "Connection: close\r\n";
  else if (head.minor_version == 0)
    out += "Connection: keep-alive\r\n";
  out += "\r\n";
}

}  // namespace sd::http
