#include "client/transport.h"

#include "json/document.h"

namespace sd::client {

Error refused_by_server(const HttpAnswer& answer) {
  const auto document = json::parse_document(answer.body);
  std::string detail;
  if (document && document->is_object()) {
    detail = document->string_or("detail", document->string_or("title", ""));
  }
  const std::string status = std::to_string(answer.status);
  if (answer.status == 401) {
    return Error{.code = ErrorCode::kPermissionDenied,
                 .message = "the server does not know this key (401)" +
                            (detail.empty() ? "" : ": " + detail)};
  }
  if (answer.status >= 300 && answer.status < 400) {
    return invalid("the server answered " + status + ", a redirection" +
                   (answer.location.empty() ? "" : " to " + answer.location) +
                   "; give the right address with --url");
  }
  return invalid("the server answered " + status + (detail.empty() ? "" : ": " + detail));
}

}  // namespace sd::client
