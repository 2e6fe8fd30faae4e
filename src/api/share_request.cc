#include <algorithm>
#include <charconv>

#include "api/query_request.h"
#include "api/resource.h"
#include "api/shares.h"

namespace sd::api {
namespace {

constexpr std::int64_t kLongestDuration = 10LL * 365 * 86400;

const std::vector<std::string> kFields = {"query",   "name",           "duration",
                                          "formats", "max_downloads",  "password",
                                          "frozen",  "destination_id", "api_key"};

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

// "csv,json", each once and in its usual spelling.
Result<std::vector<std::string>> read_formats(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    std::string_view word = text.substr(0, comma);
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
    while (word.starts_with(' ')) word.remove_prefix(1);
    while (word.ends_with(' ')) word.remove_suffix(1);
    TRY_ASSIGN(const query::Format parsed, read_format("formats", word));
    const std::string format(query::format_name(parsed));
    if (std::find(out.begin(), out.end(), format) == out.end()) out.push_back(format);
  }
  if (out.empty())
    return fail(parameter_error("formats: name at least one, or leave it out for all"));
  return out;
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
    const auto most = read_integer(text);
    if (!most || *most < 1) return fail(parameter_error("max_downloads must be a number from 1"));
    request.max_downloads = most;
  }
  // What would protect or change the share is never passed over in silence.
  const bool off = text == "false" || text == "0";
  if (name == "password" || (name == "frozen" && !off)) {
    return fail(parameter_error(name + " is not available in this version"));
  }
  return {};
}

// A JSON member as the text that a form would carry.
Result<std::string> member_text(const std::string& name, const json::Value& value) {
  const bool number = name == "duration" || name == "max_downloads";
  const bool list = name == "formats" && value.is_array();
  if (value.is_string() || (number && value.as_int())) return value.text();
  if (name == "frozen" && value.as_bool()) return std::string(*value.as_bool() ? "true" : "false");
  const char* kind = number ? "a whole number" : name == "frozen" ? "true or false" : "a text";
  if (name == "formats") kind = "a list of texts";
  std::string text;
  for (const json::Value& each : value.elements()) {
    if (!list || !each.is_string()) return fail(parameter_error(name + " must be " + kind));
    text += (text.empty() ? "" : ",") + each.text();
  }
  if (!list) return fail(parameter_error(name + " must be " + kind));
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
  TRY(check_members(document, kFields));
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
    if (std::find(kFields.begin(), kFields.end(), field.name) == kFields.end()) {
      return fail(parameter_error(unknown_text("field", field.name, kFields)));
    }
    TRY(take_field(field, request));
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
