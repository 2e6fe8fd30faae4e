#include "api/web.h"

#include <algorithm>

#include "api/access.h"
#include "api/resource.h"
#include "base/ascii.h"
#include "query/compression.h"
#include "web_pack.h"

namespace sd::api {
namespace {

constexpr std::string_view kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src "
    "'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const std::vector<WebFile>& web_files() {
  // The program's own: what is wrong with it a test finds.
  static const std::vector<WebFile> kFiles =
      read_web_pack(web_pack::files()).value_or(std::vector<WebFile>());
  return kFiles;
}

const WebFile* find_file(std::string_view name) {
  const auto found = std::ranges::find(web_files(), name, &WebFile::name);
  return found == web_files().end() ? nullptr : &*found;
}

// Brotli (RFC 7932) stands in no other list of ours: nothing that is made while somebody waits is worth its time.
bool takes_brotli(std::string_view accepts) {
  while (!accepts.empty()) {
    const std::size_t comma = accepts.find(',');
    std::string_view item = accepts.substr(0, comma);
    accepts = comma == std::string_view::npos ? std::string_view() : accepts.substr(comma + 1);
    const std::size_t semicolon = std::min(item.find(';'), item.size());
    std::string_view name = item.substr(0, semicolon);
    while (name.starts_with(' ')) name.remove_prefix(1);
    while (name.ends_with(' ')) name.remove_suffix(1);
    if (!same_ascii_folded(name, "br")) continue;
    const std::string_view quality = item.substr(semicolon);
    // "q=0", "q=0.0": not at all.
    const std::size_t q = quality.find("q=");
    return q == std::string_view::npos ||
           quality.substr(q + 2).find_first_of("123456789") != std::string_view::npos;
  }
  return false;
}

http::Response file_response(const http::Exchange& exchange, const WebFile& file) {
  http::Response response;
  response.headers = {
      {"Cache-Control", file.hashed ? "public, max-age=31536000, immutable" : "no-cache"},
      {"ETag", file.etag},
      {"Vary", "Accept-Encoding"},
      {"X-Content-Type-Options", "nosniff"}};
  if (exchange.header_list("If-None-Match").find(file.etag) != std::string::npos) {
    response.status = 304;
    return response;
  }
  response.headers.emplace_back("Content-Type", file.content_type);
  const std::string accepts = exchange.header_list("Accept-Encoding");
  response.body = file.identity;
  if (!file.br.empty() && takes_brotli(accepts)) {
    response.headers.emplace_back("Content-Encoding", "br");
    response.body = file.br;
  } else if (!file.gzip.empty() &&
             query::negotiate_coding(accepts, false) == query::Coding::kGzip) {
    response.headers.emplace_back("Content-Encoding", "gzip");
    response.body = file.gzip;
  }
  return response;
}

}  // namespace

Result<std::vector<WebFile>> read_web_pack(std::string_view pack) {
  const auto broken = [] { return fail(ErrorCode::kCorruption, "the dashboard's pack is broken"); };
  std::uint32_t length = 0;
  if (pack.size() < 4) return broken();
  for (std::size_t i = 4; i-- > 0;) length = length << 8 | static_cast<unsigned char>(pack[i]);
  if (pack.size() - 4 < length) return broken();
  TRY_ASSIGN(const json::Value index, json::parse_document(pack.substr(4, length)));
  const std::string_view forms = pack.substr(4 + length);
  std::vector<WebFile> out;
  for (const json::Value& entry : index.elements()) {
    WebFile& file = out.emplace_back();
    file.name = entry.string_or("name", "");
    file.content_type = entry.string_or("type", "");
    file.etag = "\"" + std::string(entry.string_or("etag", "")) + "\"";
    file.hashed = entry.bool_or("hashed", false);
    const json::Value* places = entry.find("forms");
    if (places == nullptr) return broken();
    const auto form = [&](const char* coding) -> std::string_view {
      const json::Value* place = places->find(coding);
      if (place == nullptr || place->elements().size() != 2) return {};
      const auto begin = place->elements()[0].as_uint().value_or(forms.size());
      const auto size = place->elements()[1].as_uint().value_or(0);
      if (begin > forms.size() || size > forms.size() - begin) return {};
      return forms.substr(begin, size);
    };
    file.identity = form("identity");
    file.gzip = form("gzip");
    file.br = form("br");
    if (file.name.empty() || file.identity.empty()) return broken();
  }
  return out;
}

Task<void> handle_dashboard(App&, http::Exchange& exchange) {
  const WebFile* file = find_file("index.html");
  if (file == nullptr) {
    Error error{.code = ErrorCode::kInternal,
                .message = "this program was built without its dashboard"};
    co_await refuse(exchange, std::move(error));
    co_return;
  }
  http::Response response = file_response(exchange, *file);
  response.headers.emplace_back("Content-Security-Policy", kPolicy);
  response.headers.emplace_back("X-Frame-Options", "DENY");
  response.headers.emplace_back("Referrer-Policy", "no-referrer");
  response.headers.emplace_back("Cross-Origin-Opener-Policy", "same-origin");
  co_await exchange.respond(std::move(response));
}

Task<void> handle_asset(App&, http::Exchange& exchange) {
  const WebFile* file = find_file("assets/" + std::string(exchange.path_parameter("file")));
  if (file == nullptr) {
    Error error = no_such("file");
    co_await refuse(exchange, std::move(error));
    co_return;
  }
  http::Response response = file_response(exchange, *file);
  co_await exchange.respond(std::move(response));
}

}  // namespace sd::api
