#include "api/docs.h"

#include <algorithm>
#include <vector>

#include "api/access.h"
#include "api/embedded_file.h"
#include "api/resource.h"
#include "base/checksum.h"
#include "base/ids.h"
#include "docs_files.h"

namespace sd::api {
namespace {

constexpr std::string_view kScript = "text/javascript; charset=utf-8";
constexpr std::string_view kStyle = "text/css; charset=utf-8";
constexpr std::string_view kText = "text/plain; charset=utf-8";

std::string tag_of(std::string_view bytes) {
  Sha256 hash;
  hash.update(bytes);
  return "\"" + to_hex(hash.finish()).substr(0, 32) + "\"";
}

EmbeddedFile file_of(const char* name, std::string_view type, std::string_view bytes,
                     std::string_view gzip = {}) {
  return {.name = name,
          .content_type = std::string(type),
          .etag = tag_of(bytes),
          .identity = bytes,
          .gzip = gzip};
}

const std::vector<EmbeddedFile>& docs_files() {
  namespace f = docs_files_bytes;
  static const std::vector<EmbeddedFile> kFiles = {
      file_of("swagger-ui-bundle.js", kScript, f::bundle(), f::bundle_gz()),
      file_of("swagger-ui.css", kStyle, f::style(), f::style_gz()),
      file_of("docs.js", kScript, f::docs_js(), f::docs_js_gz()),
      file_of("docs.css", kStyle, f::docs_css(), f::docs_css_gz()),
      // The viewer's licences go where it goes; its script names the last of them.
      file_of("LICENSE", kText, f::license()), file_of("NOTICE", kText, f::notice()),
      file_of("swagger-ui-bundle.js.LICENSE.txt", kText, f::bundle_license())};
  return kFiles;
}

// Nothing from elsewhere. The viewer sets styles on its elements, and has its pictures in its style.
constexpr std::string_view kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' "
    "data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

}  // namespace

Task<void> handle_docs(App&, http::Exchange& exchange) {
  http::Response response = http::html_response(std::string(docs_files_bytes::page()));
  response.headers.emplace_back("Content-Security-Policy", kPolicy);
  response.headers.emplace_back("X-Frame-Options", "DENY");
  response.headers.emplace_back("Referrer-Policy", "no-referrer");
  response.headers.emplace_back("X-Content-Type-Options", "nosniff");
  response.headers.emplace_back("Cache-Control", "no-cache");
  co_await exchange.respond(std::move(response));
}

Task<void> handle_docs_file(App&, http::Exchange& exchange) {
  const auto& files = docs_files();
  const auto file = std::ranges::find(files, exchange.path_parameter("file"), &EmbeddedFile::name);
  if (file == files.end()) {
    Error error = no_such("file");
    co_await refuse(exchange, std::move(error));
    co_return;
  }
  http::Response response = embedded_response(exchange, *file, "public, max-age=3600");
  co_await exchange.respond(std::move(response));
}

}  // namespace sd::api
