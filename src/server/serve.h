// The composition root: builds every part of the server from the configuration, runs it until it is
// told to stop, and takes it apart in order.
#pragma once

#include "server/cli.h"

namespace sd::server {

// Runs the server. Exit codes: 0 stopped as told; 1 a fault while running (a disk that fails); 2 it
// could not start, with one line that says why.
int run_serve(const ServeCommand& command);

}  // namespace sd::server
