// An HTTP/1.1 connection that is kept and made anew as needed, with or without TLS.
#pragma once

#include <memory>

#include "client/transport.h"
#include "client/url.h"

namespace sd::client {

// `timeout` is for one request: connecting, sending, and the answer. Certificates are checked
// against the system's (SSL_CERT_FILE and SSL_CERT_DIR name others). One thread at a time.
std::unique_ptr<StreamTransport> make_connection(Url url, std::chrono::milliseconds timeout);

}  // namespace sd::client
