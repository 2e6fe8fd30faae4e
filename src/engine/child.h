// The engine process: what `scratchdata engine` runs. See protocol.h for what it is told and tells.
#pragma once

namespace sd::engine {

// Serves the front on the other end of `control_fd` until it is told to stop or the front is gone.
// Returns the process's exit code: 0 stopped as told or the front gone, 3 a fault that the front
// should answer with a new engine.
int run_child(int control_fd);

}  // namespace sd::engine
