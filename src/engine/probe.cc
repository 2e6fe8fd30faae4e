#include "engine/probe.h"

#include <sys/epoll.h>

#include "base/log.h"

namespace sd::engine {
namespace {

constexpr Micros kLinger = 2 * kMicrosPerSecond;  // of a process that the kernel is slow to end

Error unavailable(std::string message) {
  return Error{.code = ErrorCode::kUnavailable, .message = std::move(message)};
}

}  // namespace

void Probe::start(StartMessage message, Micros limit) {
  deadline_ = system_clock().steady_us() + limit;
  if (const auto started = process_.start(); !started) {
    log::error("an engine cannot be started", {{"error", started.error().message}});
    return end(fail(unavailable("no engine can be started; the server's log says why")));
  }
  message.probe = true;
  process_.send(message.to_json());
}

void Probe::end(Result<> result) {
  if (result_) return;
  result_ = std::move(result);
  ended_at_ = system_clock().steady_us();
  process_.hang_up();
  process_.kill();
}

void Probe::cancel() {
  end(fail(ErrorCode::kCancelled, "the test was cancelled"));
}

void Probe::on_socket(std::uint32_t events) {
  if (!process_.connected()) return;
  if ((events & EPOLLOUT) != 0) process_.flush();
  if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) == 0) return;
  const bool open = process_.read();
  while (!result_) {
    const auto frame = process_.next();
    if (!frame || !*frame) break;
    const json::Value& m = (*frame)->body;
    const std::string_view type = m.string_or("type", "");
    const json::Value* error = m.find("error");
    if (type == "probed") end({});
    if (type == "trouble" && error != nullptr) end(fail(read_error(*error)));
  }
  if (!open) end(fail(unavailable("the engine that tried it ended unexpectedly")));
}

void Probe::tick(Micros now) {
  process_.forward_output();
  if (!result_ && now > deadline_) {
    end(fail(ErrorCode::kDeadlineExceeded, "no answer in time"));
  }
  if (!result_ || told_) return;
  process_.reap();
  if (process_.alive() && now - ended_at_ < kLinger) return;
  told_ = true;
  done_(*result_);
}

}  // namespace sd::engine
