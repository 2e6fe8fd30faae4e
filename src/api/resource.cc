#include "api/resource.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "base/json_text.h"
#include "base/words.h"

namespace sd::api {

Error parameter_error(std::string message, std::string_view name) {
  Error error = invalid(std::move(message)).with_slug("invalid-parameter");
  if (!name.empty()) error.members.emplace_back("parameter", json_string(name));
  return error;
}

Error as_parameter(Error error) {
  return std::move(error).with_slug("invalid-parameter");
}

void write_limit(json::Writer& w, std::string_view name, std::uint64_t limit) {
  if (limit == 0)
    w.null_member(name);
  else
    w.member(name, limit);
}

void write_names(json::Writer& w, std::string_view member,
                 const std::optional<std::vector<std::string>>& names) {
  if (!names) {
    w.null_member(member);
    return;
  }
  w.begin_array(member);
  for (const std::string& name : *names) w.element(name);
  w.end_array();
}

void write_scopes(json::Writer& w, catalog::Scopes scopes) {
  w.begin_array("scopes");
  for (const auto scope : {catalog::Scope::kInsert, catalog::Scope::kQuery, catalog::Scope::kShare,
                           catalog::Scope::kTail, catalog::Scope::kAdmin}) {
    if (scopes.has(scope)) w.element(to_string(scope));
  }
  w.end_array();
}

Error no_such(std::string_view what) {
  return Error{.code = ErrorCode::kNotFound, .message = "there is no such " + std::string(what)};
}

Result<ListRequest> read_list_request(const Query& query) {
  ListRequest request;
  if (const std::string* limit = query.find("limit")) {
    const char* end = limit->data() + limit->size();
    const auto parsed = std::from_chars(limit->data(), end, request.limit);
    const bool number = parsed.ec == std::errc{} && parsed.ptr == end;
    if (!number || request.limit < 1 || request.limit > 1000) {
      return fail(parameter_error("limit must be a number from 1 to 1000", "limit"));
    }
  }
  if (const std::string* after = query.find("after"); after != nullptr && !after->empty()) {
    request.after = *after;
  }
  return request;
}

Result<catalog::PageRequest> read_page_request(const Query& query) {
  TRY_ASSIGN(const ListRequest list, read_list_request(query));
  catalog::PageRequest page{.limit = list.limit, .after = {}};
  if (!list.after) return page;
  page.after = Id128::parse(*list.after);
  if (!page.after)
    return fail(parameter_error("after must be the value of \"next\" of the page before", "after"));
  return page;
}

Task<void> answer_with(App& app, http::Exchange& exchange, Work work) {
  Result<http::Response> response = co_await work(app, exchange);
  if (!response) {
    co_await refuse(exchange, std::move(response).error());
    co_return;
  }
  co_await exchange.respond(std::move(*response));
}

http::Response no_content() {
  return {.status = 204, .headers = {}, .body = {}};
}

std::string list_json(const std::vector<std::string>& items,
                      const std::optional<std::string>& next) {
  json::Writer w;
  w.begin_object().begin_array("data");
  for (const std::string& item : items) w.raw_element(item);
  w.end_array();
  if (next)
    w.member("next", *next);
  else
    w.null_member("next");
  return w.end_object().take();
}

namespace {

// Which of two is meant nobody knows: a key that fixes a value, say. In whatever the object holds too.
Result<> check_members_once(const json::Value& value) {
  std::set<std::string_view> seen;
  for (const auto& [name, member] : value.members()) {
    if (!seen.insert(name).second)
      return fail(parameter_error("the member \"" + name.substr(0, 100) + "\" is there twice"));
    TRY(check_members_once(member));
  }
  for (const json::Value& element : value.elements()) TRY(check_members_once(element));
  return {};
}

}  // namespace

Task<Result<json::Value>> read_object(http::Exchange& exchange) {
  const Result<std::string_view> body = co_await exchange.read_body(kMaxObjectBytes);
  if (!body) co_return std::unexpected(body.error());
  const bool blank = body->find_first_not_of(" \t\r\n") == std::string_view::npos;
  const std::string_view text = blank ? std::string_view("{}") : *body;
  Result<json::Value> document = json::parse_document(text);
  if (document && !document->is_object()) {
    co_return std::unexpected(invalid("the body must be a JSON object").with_slug("invalid-body"));
  }
  if (document) CO_TRY(check_members_once(*document));
  co_return document;
}

Result<> check_members(const json::Value& object, const std::vector<std::string>& known) {
  for (const auto& [name, value] : object.members()) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    return fail(parameter_error(unknown_text("member", name, known)));
  }
  return {};
}

Result<> check_parameters(const Query& query, const std::vector<std::string>& known) {
  for (const http::Parameter& parameter : query.parameters) {
    if (std::find(known.begin(), known.end(), parameter.name) != known.end()) continue;
    return fail(parameter_error(unknown_text("parameter", parameter.name, known), parameter.name));
  }
  return {};
}

}  // namespace sd::api
