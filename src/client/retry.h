// What to do after a request: the rules, without a clock or a network.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace sd::client {

using std::chrono::milliseconds;

struct RetryPolicy {
  std::optional<unsigned> retries;    // after the first try; else as many as fit into `patience`
  milliseconds patience{5 * 60'000};  // since the first try failed
};

enum class Verdict { kStored, kRetry, kRefused };

// Real servers and proxies answer 408, 429 and 5xx for what passes; no status is a connection that
// failed (nullopt). Everything else is the server's last word.
Verdict judge(std::optional<int> status);

// Seconds of a Retry-After header; a date, or nonsense, says nothing.
std::optional<milliseconds> parse_retry_after(std::string_view header);

// How long to wait before try number `failures` + 1, or nullopt to give up. Doubles from 250 ms to
// 15 s, of which `jitter` (0 to 1) takes away up to half, so that many clients do not come back as
// one; never shorter than what the server asked for.
std::optional<milliseconds> next_wait(const RetryPolicy& policy, unsigned failures,
                                      milliseconds since_first_failure,
                                      std::optional<milliseconds> retry_after, double jitter);

}  // namespace sd::client
