#include "api/query_request.h"

#include <algorithm>
#include <charconv>

#include "api/resource.h"
#include "base/json_text.h"
#include "json/document.h"

namespace sd::api {

using std::chrono::milliseconds;

Result<> read_parameters(const Query& query, Asked& asked) {
  if (const std::string* sql = query.find("query")) asked.sql = *sql;
  if (const std::string* format = query.find("format")) asked.format = *format;
  if (const std::string* timeout = query.find("timeout_ms")) asked.timeout_ms = *timeout;
  if (const std::string* id = query.find("query_id")) asked.query_id = *id;
  if (const std::string* params = query.find("params")) {
    const auto value = json::parse_document(*params);
    if (!value)
      return fail(parameter_error("params is not JSON: " + value.error().message, "params"));
    asked.parameters = *params;
  }
  if (query.find("fresh") != nullptr) {
    TRY_ASSIGN(asked.fresh, query.flag("fresh"));
  }
  TRY_ASSIGN(asked.quote_int64, query.flag("quote_int64", asked.quote_int64));
  TRY_ASSIGN(asked.quote_nan, query.flag("quote_nan", asked.quote_nan));
  TRY_ASSIGN(asked.spreadsheet, query.flag("spreadsheet", asked.spreadsheet));
  return {};
}

namespace {

Result<> read_json(std::string_view body, Asked& asked) {
  TRY_ASSIGN(const json::Value document, json::parse_document(body));
  if (!document.is_object())
    return fail(parameter_error("a JSON body is an object with the member \"query\""));
  for (const auto& [name, value] : document.members()) {
    // Which of two is meant nobody knows.
    const auto same = [&](const auto& member) { return member.first == name; };
    if (std::ranges::count_if(document.members(), same) > 1)
      return fail(parameter_error("the member \"" + name + "\" is there twice"));
    if (name == "query" && value.is_string())
      asked.sql = value.text();
    else if (name == "format" && value.is_string())
      asked.format = value.text();
    else if (name == "timeout_ms" && value.as_int())
      asked.timeout_ms = value.text();
    else if (name == "params" && (value.is_array() || value.is_object()))
      asked.parameters = json::to_json(value);
    else if (name == "query_id" && value.is_string())
      asked.query_id = value.text();
    else if (name == "fresh" && value.as_bool())
      asked.fresh = value.as_bool();
    else if (name == "quote_int64" && value.as_bool())
      asked.quote_int64 = *value.as_bool();
    else if (name == "quote_nan" && value.as_bool())
      asked.quote_nan = *value.as_bool();
    else if (name == "spreadsheet" && value.as_bool())
      asked.spreadsheet = *value.as_bool();
    else if (name == "destination_id" || name == "api_key")
      continue;
    else
      return fail(
          parameter_error("the member \"" + name + "\" is not known, or not of the right type"));
  }
  return {};
}

bool begins_as_json(std::string_view body) {
  const auto at = body.find_first_not_of(" \t\r\n");
  return at != std::string_view::npos && body[at] == '{';
}

}  // namespace

Result<> read_query_body(std::string_view body, std::string_view content_type, Query& form,
                         Asked& asked) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (body.starts_with(kByteOrderMark)) body.remove_prefix(kByteOrderMark.size());
  if (begins_as_json(body)) return read_json(body, asked);
  const bool is_form = content_type.starts_with("application/x-www-form-urlencoded");
  if (is_form && is_form_with(body, "query")) {
    form.parameters = http::parse_form(body);
    return read_parameters(form, asked);
  }
  if (!body.empty()) asked.sql = body;
  return {};
}

Result<query::Format> read_format(std::string_view parameter, std::string_view name) {
  const auto format = query::parse_format(name);
  if (format) return *format;
  return fail(parameter_error(std::string(parameter) +
                              ": the formats are json, ndjson, csv, tsv, jsoncompact, html, "
                              "arrow, parquet and xlsx"));
}

Result<engine::QueryRequest> to_request(const App& app, const http::Exchange& exchange,
                                        const Asked& asked, const catalog::KeyInfo& key) {
  engine::QueryRequest request;
  request.sql = asked.sql;
  request.parameters = asked.parameters;
  request.tables = key.tables;
  request.max_rows = key.max_rows;
  if (asked.sql.empty())
    return fail(invalid("no SQL: send it as ?query=, as the body, or as {\"query\":…}")
                    .with_slug("empty-query"));
  if (!is_valid_utf8(asked.sql))
    return fail(invalid("the SQL is not valid UTF-8").with_slug("invalid-utf8"));
  if (asked.format) {
    TRY_ASSIGN(request.format, read_format("format", *asked.format));
  } else {
    // Something else than we have is no reason to refuse.
    request.format =
        query::negotiate(exchange.header_list("Accept")).value_or(query::Format::kJson);
  }
  request.timeout = app.options().query_timeout;
  if (asked.timeout_ms) {
    std::int64_t ms = 0;
    const auto parsed = std::from_chars(asked.timeout_ms->data(),
                                        asked.timeout_ms->data() + asked.timeout_ms->size(), ms);
    if (parsed.ec != std::errc{} ||
        parsed.ptr != asked.timeout_ms->data() + asked.timeout_ms->size() || ms <= 0) {
      return fail(
          parameter_error("timeout_ms must be a positive number of milliseconds", "timeout_ms"));
    }
    request.timeout = std::min<milliseconds>(milliseconds(ms), std::chrono::hours(24));
  }
  request.must_be_fresh = asked.fresh.value_or(false);
  if (!asked.fresh.value_or(true)) request.fresh_timeout = milliseconds(0);
  request.quote_int64 = asked.quote_int64;
  request.quote_nan = asked.quote_nan;
  request.spreadsheet = asked.spreadsheet;
  if (exchange.method() != "POST") request.if_none_match = exchange.header_list("If-None-Match");
  return request;
}

}  // namespace sd::api
