#include "engine/engine_output.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/file.h"

namespace sd::engine {

Result<UniqueFd> EngineOutput::open() {
  forward();
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return fail(errno_error("pipe", "an engine's output", errno));
  pipe_ = UniqueFd(ends[0]);
  ::fcntl(pipe_.get(), F_SETFL, O_NONBLOCK);
  return UniqueFd(ends[1]);
}

void EngineOutput::forward() {
  if (!pipe_) return;
  // As much as a pipe holds: whole lines, as each was written at once.
  std::array<char, 64U << 10> buffer;
  while (true) {
    const ssize_t n = ::read(pipe_.get(), buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;
    for (ssize_t done = 0; done < n;) {
      const ssize_t written =
          ::write(STDERR_FILENO, buffer.data() + done, static_cast<std::size_t>(n - done));
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) break;
      done += written;
    }
    if (n < static_cast<ssize_t>(buffer.size())) return;
  }
}

}  // namespace sd::engine
