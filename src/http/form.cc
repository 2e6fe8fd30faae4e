// Percent-decoding and forms.
#include "base/ascii.h"
#include "http/exchange.h"

namespace sd::http {
namespace {

// Appends the decoded text; a broken escape is kept as it is and reported.
bool decode(std::string_view text, bool plus_is_space, std::string& out) {
  bool whole = true;
  out.reserve(out.size() + text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '+' && plus_is_space) {
      out += ' ';
    } else if (c != '%') {
      out += c;
    } else {
      const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
      if (high < 0 || low < 0) {
        whole = false;
        out += c;
      } else {
        out += static_cast<char>(high * 16 + low);
        i += 2;
      }
    }
  }
  return whole;
}

}  // namespace

std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space) {
  std::string out;
  if (!decode(text, plus_is_space, out)) return std::nullopt;
  return out;
}

std::vector<Parameter> parse_form(std::string_view text) {
  std::vector<Parameter> parameters;
  while (!text.empty()) {
    const std::size_t end = text.find('&');
    const std::string_view part = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (part.empty()) continue;
    const std::size_t equals = part.find('=');
    Parameter& parameter = parameters.emplace_back();
    decode(part.substr(0, equals), true, parameter.name);
    if (equals != std::string_view::npos) decode(part.substr(equals + 1), true, parameter.value);
  }
  return parameters;
}

}  // namespace sd::http
