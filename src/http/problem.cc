// The ready-made answers, among them RFC 9457 problems.
#include "base/json_text.h"
#include "http/exchange.h"
#include "http/response_head.h"

namespace sd::http {
namespace {

constexpr int kDefaultRetryAfterSeconds = 1;

// "body-too-large" → "Body too large".
std::string title_of(std::string_view slug) {
  std::string title(slug);
  for (char& c : title) {
    if (c == '-') c = ' ';
  }
  if (!title.empty() && title[0] >= 'a' && title[0] <= 'z')
    title[0] = static_cast<char>(title[0] - 32);
  return title;
}

Response typed_response(std::string_view type, std::string body, int status) {
  Response response;
  response.status = status;
  response.headers.emplace_back("Content-Type", type);
  response.body = std::move(body);
  return response;
}

}  // namespace

Response json_response(std::string body, int status) {
  return typed_response("application/json", std::move(body), status);
}
Response html_response(std::string body, int status) {
  return typed_response("text/html; charset=utf-8", std::move(body), status);
}
Response text_response(std::string body, int status) {
  return typed_response("text/plain; charset=utf-8", std::move(body), status);
}

Response problem_response(const Error& error, std::string_view request_id) {
  const int status = error.effective_status();
  const std::string_view slug =
      error.slug.empty() ? to_string(error.code) : std::string_view(error.slug);
  std::string body = "{\"type\":";
  append_json_string(body, "/problems/" + std::string(slug));
  body += ",\"title\":";
  append_json_string(body, title_of(slug));
  body += ",\"status\":" + std::to_string(status) + ",\"detail\":";
  append_json_string(body, error.message);
  body += ",\"request_id\":";
  append_json_string(body, request_id);
  for (const auto& [name, json] : error.members) {
    body += ',';
    append_json_string(body, name);
    body += ':' + json;
  }
  body += "}\n";
  Response response = typed_response("application/problem+json", std::move(body), status);
  // Of nobody else, and of no later time.
  response.headers.emplace_back("Cache-Control", "no-store");
  int retry_after = error.retry_after_s;
  if (retry_after == 0 && (status == 503 || status == 429)) retry_after = kDefaultRetryAfterSeconds;
  if (retry_after > 0) response.headers.emplace_back("Retry-After", std::to_string(retry_after));
  if (status == 401) {
    response.headers.emplace_back("WWW-Authenticate",
                                  "Bearer realm=\"scratchdata\", Basic realm=\"scratchdata\"");
  }
  return response;
}

}  // namespace sd::http
