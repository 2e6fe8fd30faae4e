// One request and its answer. connection.h does it over the network; tests do it without.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace sd::client {

struct HttpRequest {
  std::string method = "POST";
  std::string target;  // path and query
  std::vector<std::pair<std::string, std::string>> headers;
  std::string_view body;
};

struct HttpAnswer {
  int status = 0;
  std::string retry_after;
  bool replayed = false;  // the server says that it answered this Idempotency-Key before
  std::string location;
  std::string body;
};

class Transport {
 public:
  virtual ~Transport() = default;
  // kUnavailable where there was no answer and another try may bring one; kPermissionDenied where
  // none will (a certificate that is not to be trusted).
  virtual Result<HttpAnswer> send(const HttpRequest& request) = 0;
};

// One for each of the uploader's threads.
using TransportFactory = std::function<std::unique_ptr<Transport>()>;

}  // namespace sd::client
