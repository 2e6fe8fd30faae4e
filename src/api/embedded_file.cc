#include "api/embedded_file.h"

#include "http/byte_range.h"
#include "query/compression.h"

namespace sd::api {

http::Response embedded_response(const http::Exchange& exchange, const EmbeddedFile& file,
                                 std::string_view cache_control) {
  http::Response response;
  response.headers = {{"Cache-Control", std::string(cache_control)},
                      {"ETag", file.etag},
                      {"Vary", "Accept-Encoding"},
                      {"X-Content-Type-Options", "nosniff"}};
  if (http::matches_etag(exchange.header_list("If-None-Match"), file.etag)) {
    response.status = 304;
    return response;
  }
  response.headers.emplace_back("Content-Type", file.content_type);
  const std::string accepts = exchange.header_list("Accept-Encoding");
  response.body = file.identity;
  if (!file.br.empty() && query::accepts_coding(accepts, "br")) {
    response.headers.emplace_back("Content-Encoding", "br");
    response.body = file.br;
  } else if (!file.gzip.empty() &&
             query::negotiate_coding(accepts, false) == query::Coding::kGzip) {
    response.headers.emplace_back("Content-Encoding", "gzip");
    response.body = file.gzip;
  }
  return response;
}

}  // namespace sd::api
