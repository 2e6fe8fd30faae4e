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

// What a problem document (RFC 9457) says, or the status alone. Anything may answer at a URL: of that, nothing is
// shown. kPermissionDenied for 401.
Error refused_by_server(const HttpAnswer& answer);

class Transport {
 public:
  virtual ~Transport() = default;
  // kUnavailable where there was no answer and another try may bring one; kPermissionDenied where
  // none will (a certificate that is not to be trusted).
  virtual Result<HttpAnswer> send(const HttpRequest& request) = 0;
};

// An answer that is taken as it comes.
class StreamTransport : public Transport {
 public:
  struct Sink {
    // Before the body; the body of another status than 200 (up to 1 MiB of it) is in `body`, and then nothing more comes.
    std::function<Result<>(const HttpAnswer&)> head;
    std::function<Result<>(std::string_view)> bytes;
    std::function<bool()> should_stop;  // asked ten times a second; its end is kCancelled
  };
  // No time limit but that of connecting. An error of the sink is the result; kUnavailable where the answer broke off.
  virtual Result<> stream(const HttpRequest& request, const Sink& sink) = 0;
};

// One for each of the uploader's threads.
using TransportFactory = std::function<std::unique_ptr<Transport>()>;

}  // namespace sd::client
