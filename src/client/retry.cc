#include "client/retry.h"

#include <algorithm>
#include <charconv>

namespace sd::client {

Verdict judge(std::optional<int> status) {
  if (!status || *status == 408 || *status == 429 || *status >= 500) return Verdict::kRetry;
  return *status >= 200 && *status < 300 ? Verdict::kStored : Verdict::kRefused;
}

std::optional<milliseconds> parse_retry_after(std::string_view header) {
  unsigned seconds = 0;
  const char* end = header.data() + header.size();
  const auto [at, error] = std::from_chars(header.data(), end, seconds);
  if (error != std::errc{} || at != end || seconds > 86'400) return std::nullopt;
  return milliseconds(seconds * 1000LL);
}

std::optional<milliseconds> next_wait(const RetryPolicy& policy, unsigned failures,
                                      milliseconds since_first_failure,
                                      std::optional<milliseconds> retry_after, double jitter) {
  constexpr milliseconds kFirst{250};
  constexpr milliseconds kLongest{15'000};
  if (policy.retries && failures > *policy.retries) return std::nullopt;
  const unsigned doublings = std::min(failures == 0 ? 0U : failures - 1, 10U);
  const milliseconds full = std::min<milliseconds>(kLongest, kFirst * (1LL << doublings));
  const auto taken = static_cast<long long>(static_cast<double>(full.count()) / 2 * jitter);
  const milliseconds wait =
      std::max(full - milliseconds(taken), retry_after.value_or(milliseconds{0}));
  if (!policy.retries && since_first_failure + wait > policy.patience) return std::nullopt;
  return wait;
}

}  // namespace sd::client
