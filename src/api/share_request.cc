#include <algorithm>
#include <charconv>
#include <map>

#include "api/query_request.h"
#include "api/resource.h"
#include "api/shares.h"
#include "base/ascii.h"

namespace sd::api {
namespace {

constexpr std::int64_t kLongestDuration = 10LL * 365 * 86400;

constexpr std::size_t kLongestPassword = 1000;
constexpr std::size_t kMostOrigins = 20;

// What a field holds.
enum class Kind : std::uint8_t { kText, kNumber, kFlag, kList };
const std::map<std::string, Kind, std::less<>> kFields = {
    {"query", Kind::kText},           {"name", Kind::kText},
    {"duration", Kind::kNumber},      {"formats", Kind::kList},
    {"max_downloads", Kind::kNumber}, {"password", Kind::kText},
    {"frozen", Kind::kFlag},          {"max_rows", Kind::kNumber},
    {"timeout_ms", Kind::kNumber},    {"max_simultaneous", Kind::kNumber},
    {"embed", Kind::kFlag},           {"origins", Kind::kList},
    {"destination_id", Kind::kText},  {"api_key", Kind::kText}};

std::vector<std::string> field_names() {
  std::vector<std::string> names;
  for (const auto& [name, kind] : kFields) names.push_back(name);
  return names;
}

struct Field {
  std::string name;
  std::string text;
};

std::optional<std::int64_t> read_integer(std::string_view text) {
  std::int64_t value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size()) return std::nullopt;
  return value;
}

// The words between commas, without the blanks around them.
std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    std::string_view word = text.substr(0, comma);
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
    while (word.starts_with(' ')) word.remove_prefix(1);
    while (word.ends_with(' ')) word.remove_suffix(1);
    words.emplace_back(word);
  }
  return words;
}

// "csv,json", each once and in its usual spelling.
Result<std::vector<std::string>> read_formats(std::string_view text) {
  std::vector<std::string> out;
  for (const std::string& word : split_list(text)) {
    TRY_ASSIGN(const query::Format parsed, read_format("formats", word));
    const std::string format(query::format_name(parsed));
    if (std::find(out.begin(), out.end(), format) == out.end()) out.push_back(format);
  }
  if (out.empty())
    return fail(parameter_error("formats: name at least one, or leave it out for all"));
  return out;
}

// RFC 1123 names in small letters; of "*." what follows has a dot of its own: nobody means all of .com.
bool is_host(std::string_view host) {
  const bool wild = host.starts_with("*.");
  if (wild) host.remove_prefix(2);
  if (wild && host.find('.') == std::string_view::npos) return false;
  if (host.starts_with('[')) {
    return host.size() > 3 && host.ends_with(']') &&
           host.find_first_not_of("0123456789abcdef:.", 1) == host.size() - 1;
  }
  for (;;) {
    const std::string_view label = host.substr(0, host.find('.'));
    const bool plain = std::ranges::all_of(
        label, [](char c) { return (c >= 'a' && c <= 'z') || is_ascii_digit(c) || c == '-'; });
    if (label.empty() || label.size() > 63 || !plain || label.starts_with('-') ||
        label.ends_with('-')) {
      return false;
    }
    if (label.size() == host.size()) return true;
    host.remove_prefix(label.size() + 1);
  }
}

bool is_authority(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || text.ends_with(']')) return is_host(text);
  const std::string port(text.substr(colon + 1));
  const bool number =
      !port.empty() && port.size() <= 5 && std::ranges::all_of(port, is_ascii_digit);
  return number && std::stoi(port) >= 1 && std::stoi(port) <= 65'535 &&
         is_host(text.substr(0, colon));
}

// "https://a.example,http://localhost:3000": what a page of another site is loaded from (RFC 6454), with *. for every
// subdomain. Nothing that means something else in a Content-Security-Policy.
Result<std::vector<std::string>> read_origins(std::string_view text) {
  std::vector<std::string> out;
  for (const std::string& word : split_list(text)) {
    const bool secure = word.starts_with("https://");
    if (!secure && !word.starts_with("http://"))
      return fail(parameter_error("origins: each begins with https:// or http://"));
    if (word.size() > 255 || !is_authority(std::string_view(word).substr(secure ? 8 : 7))) {
      return fail(parameter_error(
          "origins: an origin is a scheme, a host in small letters and perhaps a port, as in "
          "https://app.example.com or https://*.example.com"));
    }
    out.push_back(word);
  }
  if (out.size() > kMostOrigins)
    return fail(parameter_error("origins: at most " + std::to_string(kMostOrigins)));
  return out;
}

Result<bool> read_flag(const std::string& name, std::string_view text) {
  if (text == "true" || text == "1") return true;
  if (text == "false" || text == "0") return false;
  return fail(parameter_error(name + " must be true or false"));
}

Result<std::int64_t> read_positive(const std::string& name, std::string_view text) {
  const auto number = read_integer(text);
  if (!number || *number < 1) return fail(parameter_error(name + " must be a number from 1"));
  return *number;
}

Result<> take_field(const Field& field, ShareRequest& request) {
  const auto& [name, text] = field;
  if (name == "query") request.query = text;
  if (name == "name" && !text.empty()) request.name = text;
  if (name == "duration") {
    const auto seconds = read_integer(text);
    if (!seconds || *seconds < 1 || *seconds > kLongestDuration) {
      return fail(parameter_error("duration must be a number of seconds from 1 to " +
                                  std::to_string(kLongestDuration) + " (10 years)"));
    }
    request.duration_s = *seconds;
  }
  if (name == "formats") {
    TRY_ASSIGN(request.formats, read_formats(text));
  }
  if (name == "max_downloads") {
    TRY_ASSIGN(request.max_downloads, read_positive(name, text));
  }
  if (name == "max_rows") {
    TRY_ASSIGN(request.max_rows, read_positive(name, text));
  }
  if (name == "timeout_ms") {
    TRY_ASSIGN(request.timeout_ms, read_positive(name, text));
  }
  if (name == "max_simultaneous") {
    TRY_ASSIGN(request.max_running, read_positive(name, text));
  }
  if (name == "password") {
    if (text.empty() || text.size() > kLongestPassword) {
      return fail(parameter_error("password must have 1 to " + std::to_string(kLongestPassword) +
                                  " bytes; leave it out for none"));
    }
    request.password = text;
  }
  if (name == "embed") {
    TRY_ASSIGN(request.may_embed, read_flag(name, text));
  }
  if (name == "origins") {
    TRY_ASSIGN(request.embed, read_origins(text));
  }
  if (name == "frozen") {
    TRY_ASSIGN(request.frozen, read_flag(name, text));
  }
  return {};
}

// A JSON member as the text that a form would carry.
Result<std::string> member_text(const std::string& name, const json::Value& value) {
  const Kind kind = kFields.find(name)->second;
  if (value.is_string() || (kind == Kind::kNumber && value.as_int())) return value.text();
  if (kind == Kind::kFlag && value.as_bool())
    return std::string(*value.as_bool() ? "true" : "false");
  constexpr const char* kKinds[] = {"a text", "a whole number", "true or false", "a list of texts"};
  const auto wrong = [&] {
    return fail(parameter_error(name + " must be " + kKinds[static_cast<std::size_t>(kind)]));
  };
  if (kind != Kind::kList || !value.is_array()) return wrong();
  std::string text;
  for (const json::Value& each : value.elements()) {
    if (!each.is_string() || each.text().find(',') != std::string_view::npos) return wrong();
    text += (text.empty() ? "" : ",") + each.text();
  }
  return text;
}

Result<> add_json(std::string_view body, std::vector<Field>& fields, Query& form) {
  TRY_ASSIGN(const json::Value document, json::parse_document(body));
  if (!document.is_object())
    return fail(parameter_error("a JSON body is an object with the member \"query\""));
  for (const auto& [name, value] : document.members()) {
    const bool asker = name == "destination_id" || name == "api_key";
    if (asker && value.is_string()) form.parameters.push_back({name, value.text()});
  }
  TRY(check_members(document, field_names()));
  for (const auto& [name, value] : document.members()) {
    if (value.is_null()) continue;
    TRY_ASSIGN(std::string text, member_text(name, value));
    fields.push_back({name, std::move(text)});
  }
  return {};
}

}  // namespace

Result<ShareRequest> read_share_request(const Query& query, std::string_view content_type,
                                        std::string_view body, Query& form) {
  std::vector<Field> fields;
  for (const http::Parameter& p : query.parameters) fields.push_back({p.name, p.value});
  const auto start = body.find_first_not_of(" \t\r\n");
  const bool is_form =
      content_type.starts_with("application/x-www-form-urlencoded") && is_form_with(body, "query");
  if (start != std::string_view::npos && body[start] == '{') {
    TRY(add_json(body, fields, form));
  } else if (is_form) {
    form.parameters = http::parse_form(body);
    for (const http::Parameter& p : form.parameters) fields.push_back({p.name, p.value});
  } else if (start != std::string_view::npos) {
    fields.push_back({"query", std::string(body)});
  }
  ShareRequest request;
  for (const Field& field : fields) {
    if (!kFields.contains(field.name))
      return fail(parameter_error(unknown_text("field", field.name, field_names())));
    TRY(take_field(field, request));
  }
  if (request.may_embed != !request.embed.empty()) {
    return fail(
        parameter_error("a page that may be embedded has both: \"embed\": true, and \"origins\", "
                        "the pages that may"));
  }
  if (request.query.empty()) {
    return fail(invalid("no SQL: send {\"query\":\"SELECT …\",\"duration\":3600}")
                    .with_slug("empty-query"));
  }
  return request;
}

bool prefers_plain_text(std::string_view accept) {
  // The weight of a type, 0 to 1000, from the most exact range that matches it.
  const auto weight_of = [accept](std::string_view type) {
    int weight = 0, exactness = 0;
    std::string_view rest = accept;
    while (!rest.empty()) {
      const std::size_t comma = rest.find(',');
      std::string_view range = rest.substr(0, comma);
      rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
      const std::size_t semicolon = range.find(';');
      std::string_view name = range.substr(0, semicolon);
      while (name.starts_with(' ')) name.remove_prefix(1);
      while (name.ends_with(' ')) name.remove_suffix(1);
      const bool family = name.ends_with("/*") && type.starts_with(name.substr(0, name.size() - 1));
      const int matched = name == type ? 3 : name == "*/*" ? 1 : family ? 2 : 0;
      if (matched <= exactness) continue;
      exactness = matched;
      weight = 1000;
      const std::size_t q = range.find("q=");
      if (q == std::string_view::npos) continue;
      const std::string_view number = range.substr(q + 2);
      double value = 1;
      if (std::from_chars(number.data(), number.data() + number.size(), value).ec == std::errc{}) {
        weight = static_cast<int>(value * 1000);
      }
    }
    return weight * 4 + (weight > 0 ? exactness : 0);
  };
  return weight_of("text/plain") > weight_of("application/json");
}

}  // namespace sd::api
