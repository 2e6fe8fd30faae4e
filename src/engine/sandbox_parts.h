// The two parts of the sandbox that are the kernel's own. sandbox.h says what for.
#pragma once

#include "engine/sandbox.h"

namespace sd::engine {

// 0 where this kernel has no Landlock.
int probe_landlock();
Result<> restrict_files(const SandboxPlan& plan, int abi);

bool probe_seccomp();
Result<> restrict_syscalls(bool network);

}  // namespace sd::engine
