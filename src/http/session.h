// A connection's life: request after request, each read, checked, routed, answered and counted.
#pragma once

#include <memory>

#include "http/connection.h"

namespace sd::http {

// Ends when the connection is closed. Throws nothing but what destroys the server under it.
Task<void> run_session(std::shared_ptr<Connection> connection);

// One connection too many: says so and closes.
Task<void> refuse_session(std::shared_ptr<Connection> connection);

}  // namespace sd::http
