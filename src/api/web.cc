#include "api/web.h"

#include <algorithm>

#include "api/access.h"
#include "api/resource.h"
#include "web_pack.h"

namespace sd::api {
namespace {

constexpr std::string_view kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src "
    "'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const std::vector<EmbeddedFile>& web_files() {
  // The program's own: what is wrong with it a test finds.
  static const std::vector<EmbeddedFile> kFiles =
      read_web_pack(web_pack::files()).value_or(std::vector<EmbeddedFile>());
  return kFiles;
}

const EmbeddedFile* find_file(std::string_view name) {
  const auto found = std::ranges::find(web_files(), name, &EmbeddedFile::name);
  return found == web_files().end() ? nullptr : &*found;
}

}  // namespace

Result<std::vector<EmbeddedFile>> read_web_pack(std::string_view pack) {
  const auto broken = [] { return fail(ErrorCode::kCorruption, "the dashboard's pack is broken"); };
  std::uint32_t length = 0;
  if (pack.size() < 4) return broken();
  for (std::size_t i = 4; i-- > 0;) length = length << 8 | static_cast<unsigned char>(pack[i]);
  if (pack.size() - 4 < length) return broken();
  TRY_ASSIGN(const json::Value index, json::parse_document(pack.substr(4, length)));
  const std::string_view forms = pack.substr(4 + length);
  std::vector<EmbeddedFile> out;
  for (const json::Value& entry : index.elements()) {
    EmbeddedFile& file = out.emplace_back();
    file.name = entry.string_or("name", "");
    file.content_type = entry.string_or("type", "");
    file.etag = "\"" + std::string(entry.string_or("etag", "")) + "\"";
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
  const EmbeddedFile* file = find_file("index.html");
  if (file == nullptr) {
    Error error{.code = ErrorCode::kInternal,
                .message = "this program was built without its dashboard"};
    co_await refuse(exchange, std::move(error));
    co_return;
  }
  http::Response response = embedded_response(exchange, *file, "no-cache");
  response.headers.emplace_back("Content-Security-Policy", kPolicy);
  response.headers.emplace_back("X-Frame-Options", "DENY");
  response.headers.emplace_back("Referrer-Policy", "no-referrer");
  response.headers.emplace_back("Cross-Origin-Opener-Policy", "same-origin");
  co_await exchange.respond(std::move(response));
}

Task<void> handle_asset(App&, http::Exchange& exchange) {
  const EmbeddedFile* file = find_file("assets/" + std::string(exchange.path_parameter("file")));
  if (file == nullptr) {
    Error error = no_such("file");
    co_await refuse(exchange, std::move(error));
    co_return;
  }
  // Names hold a hash of what is in them, but for this one.
  const bool hashed = file->name != "assets/licences.txt";
  http::Response response = embedded_response(
      exchange, *file, hashed ? "public, max-age=31536000, immutable" : "no-cache");
  co_await exchange.respond(std::move(response));
}

}  // namespace sd::api
