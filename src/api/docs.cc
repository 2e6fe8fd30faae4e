#include "api/docs.h"

#include <algorithm>
#include <vector>

#include "api/access.h"
#include "api/resource.h"
#include "base/checksum.h"
#include "base/ids.h"
#include "docs_files.h"
#include "query/compression.h"

namespace sd::api {
namespace {

struct DocsFile {
  std::string_view name;
  std::string_view content_type;
  std::string_view plain;
  std::string_view gzip;  // the same, compressed; or empty
  std::string etag;
};

constexpr std::string_view kScript = "text/javascript; charset=utf-8";
constexpr std::string_view kStyle = "text/css; charset=utf-8";
constexpr std::string_view kText = "text/plain; charset=utf-8";

std::string tag_of(std::string_view bytes) {
  Sha256 hash;
  hash.update(bytes);
  return "\"" + to_hex(hash.finish()).substr(0, 32) + "\"";
}

const std::vector<DocsFile>& docs_files() {
  static const std::vector<DocsFile> kFiles = [] {
    namespace f = docs_files_bytes;
    std::vector<DocsFile> files = {
        DocsFile{"swagger-ui-bundle.js", kScript, f::bundle(), f::bundle_gz(), {}},
        DocsFile{"swagger-ui.css", kStyle, f::style(), f::style_gz(), {}},
        DocsFile{"docs.js", kScript, f::docs_js(), f::docs_js_gz(), {}},
        DocsFile{"docs.css", kStyle, f::docs_css(), f::docs_css_gz(), {}},
        // The viewer's licences go where it goes; its script names the last of them.
        DocsFile{"LICENSE", kText, f::license(), {}, {}},
        DocsFile{"NOTICE", kText, f::notice(), {}, {}},
        DocsFile{"swagger-ui-bundle.js.LICENSE.txt", kText, f::bundle_license(), {}, {}}};
    for (DocsFile& file : files) file.etag = tag_of(file.plain);
    return files;
  }();
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
  const auto file = std::ranges::find(files, exchange.path_parameter("file"), &DocsFile::name);
  if (file == files.end()) {
    Error error = no_such("file");
    co_await refuse(exchange, std::move(error));
    co_return;
  }
  http::Response response;
  response.headers = {{"Cache-Control", "public, max-age=3600"},
                      {"ETag", file->etag},
                      {"Vary", "Accept-Encoding"},
                      {"X-Content-Type-Options", "nosniff"}};
  const std::string known = exchange.header_list("If-None-Match");
  if (known.find(file->etag) != std::string::npos) {
    response.status = 304;
    co_await exchange.respond(std::move(response));
    co_return;
  }
  response.headers.emplace_back("Content-Type", file->content_type);
  const std::string takes = exchange.header_list("Accept-Encoding");
  const bool compress =
      !file->gzip.empty() && query::negotiate_coding(takes, false) == query::Coding::kGzip;
  if (compress) response.headers.emplace_back("Content-Encoding", "gzip");
  response.body = compress ? file->gzip : file->plain;
  co_await exchange.respond(std::move(response));
}

}  // namespace sd::api
