// `scratchdata query`: the command line's part of client/query.h.
#pragma once

#include "server/commands.h"

namespace sd::server {

// SIGINT and SIGTERM cancel the query on the server.
int run_query(const QueryCommand& command, CommandContext context);

}  // namespace sd::server
