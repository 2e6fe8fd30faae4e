// `scratchdata insert`: the command line's part of client/insert.h.
#pragma once

#include "server/commands.h"

namespace sd::server {

// SIGINT and SIGTERM end the program from within, with what is stored so far said.
int run_insert(const InsertCommand& command, CommandContext context);

}  // namespace sd::server
