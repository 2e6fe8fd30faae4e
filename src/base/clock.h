// Time as a value that tests can set. Wall time is microseconds since 1970-01-01T00:00:00Z (it may
// jump); steady time is microseconds since some start and never runs backwards.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sd {

using Micros = std::int64_t;
inline constexpr Micros kMicrosPerSecond = 1'000'000;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Micros wall_us() const = 0;
  virtual Micros steady_us() const = 0;
};

// The operating system's clock. Any thread.
const Clock& system_clock();

// Stands still until told otherwise. Any thread.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(Micros wall_us = 1'700'000'000'000'000) : wall_(wall_us) {}
  Micros wall_us() const override { return wall_.load(); }
  Micros steady_us() const override { return steady_.load(); }
  void advance(Micros by_us) {
    wall_ += by_us;
    steady_ += by_us;
  }
  void set_wall(Micros wall_us) { wall_ = wall_us; }

 private:
  std::atomic<Micros> wall_;
  std::atomic<Micros> steady_{1};
};

// RFC 3339 in UTC with 'Z'; microseconds are written only where they are not zero.
std::string format_rfc3339(Micros wall_us);

// RFC 3339 date-time with a zone ('Z' or an offset); nullopt for anything else.
std::optional<Micros> parse_rfc3339(std::string_view text);

}  // namespace sd
