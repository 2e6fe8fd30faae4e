#include "base/clock.h"

#include <time.h>

#include <array>
#include <cstdio>

namespace sd {
namespace {

class SystemClock final : public Clock {
 public:
  Micros wall_us() const override { return read(CLOCK_REALTIME); }
  Micros steady_us() const override { return read(CLOCK_MONOTONIC); }

 private:
  static Micros read(clockid_t id) {
    timespec ts{};
    ::clock_gettime(id, &ts);
    return static_cast<Micros>(ts.tv_sec) * kMicrosPerSecond + ts.tv_nsec / 1000;
  }
};

// Howard Hinnant's days_from_civil and its inverse (public domain algorithms, proleptic Gregorian).
std::int64_t days_from_civil(std::int64_t y, unsigned m, unsigned d) {
  y -= m <= 2;
  const std::int64_t era = (y >= 0 ? y : y - 399) / 400;
  const auto yoe = static_cast<unsigned>(y - era * 400);
  const unsigned doy = (153 * (m > 2 ? m - 3 : m + 9) + 2) / 5 + d - 1;
  const unsigned doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
  return era * 146097 + static_cast<std::int64_t>(doe) - 719468;
}

struct Civil {
  std::int64_t year;
  unsigned month, day;
};

Civil civil_from_days(std::int64_t z) {
  z += 719468;
  const std::int64_t era = (z >= 0 ? z : z - 146096) / 146097;
  const auto doe = static_cast<unsigned>(z - era * 146097);
  const unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
  const unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
  const unsigned mp = (5 * doy + 2) / 153;
  const unsigned day = doy - (153 * mp + 2) / 5 + 1;
  const unsigned month = mp < 10 ? mp + 3 : mp - 9;
  return {static_cast<std::int64_t>(yoe) + era * 400 + (month <= 2), month, day};
}

bool digits(std::string_view text, std::size_t at, std::size_t count, unsigned& out) {
  if (at + count > text.size()) return false;
  out = 0;
  for (std::size_t i = at; i < at + count; ++i) {
    if (text[i] < '0' || text[i] > '9') return false;
    out = out * 10 + static_cast<unsigned>(text[i] - '0');
  }
  return true;
}

bool at(std::string_view text, std::size_t i, char c) {
  return i < text.size() && text[i] == c;
}

unsigned days_in_month(unsigned year, unsigned month) {
  static constexpr std::array<unsigned, 12> kDays{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && leap ? 29 : kDays[month - 1];
}

}  // namespace

const Clock& system_clock() {
  static const SystemClock clock;
  return clock;
}

std::string format_rfc3339(Micros wall_us) {
  std::int64_t seconds = wall_us / kMicrosPerSecond;
  std::int64_t micros = wall_us % kMicrosPerSecond;
  if (micros < 0) {
    micros += kMicrosPerSecond;
    --seconds;
  }
  std::int64_t days = seconds / 86400;
  std::int64_t rest = seconds % 86400;
  if (rest < 0) {
    rest += 86400;
    --days;
  }
  const Civil c = civil_from_days(days);
  std::array<char, 64> buffer{};
  int n = std::snprintf(buffer.data(), buffer.size(), "%04lld-%02u-%02uT%02lld:%02lld:%02lld",
                        static_cast<long long>(c.year), c.month, c.day,
                        static_cast<long long>(rest / 3600), static_cast<long long>(rest / 60 % 60),
                        static_cast<long long>(rest % 60));
  std::string out(buffer.data(), static_cast<std::size_t>(n));
  if (micros != 0) {
    n = std::snprintf(buffer.data(), buffer.size(), ".%06lld", static_cast<long long>(micros));
    out.append(buffer.data(), static_cast<std::size_t>(n));
  }
  out += 'Z';
  return out;
}

std::optional<Micros> parse_rfc3339(std::string_view t) {
  unsigned year, month, day, hour, minute, second;
  if (!digits(t, 0, 4, year) || !at(t, 4, '-') || !digits(t, 5, 2, month) || !at(t, 7, '-') ||
      !digits(t, 8, 2, day) || t.size() < 20 || (t[10] != 'T' && t[10] != 't' && t[10] != ' ') ||
      !digits(t, 11, 2, hour) || !at(t, 13, ':') || !digits(t, 14, 2, minute) || !at(t, 16, ':') ||
      !digits(t, 17, 2, second)) {
    return std::nullopt;
  }
  if (month < 1 || month > 12 || day < 1 || day > days_in_month(year, month) || hour > 23 ||
      minute > 59 || second > 59) {
    return std::nullopt;
  }
  std::size_t i = 19;
  std::int64_t micros = 0;
  if (at(t, i, '.')) {
    std::int64_t unit = 100'000;
    std::size_t start = ++i;
    for (; i < t.size() && t[i] >= '0' && t[i] <= '9'; ++i, unit /= 10) {
      if (unit == 0) return std::nullopt;  // finer than a microsecond would be rounded
      micros += (t[i] - '0') * unit;
    }
    if (i == start) return std::nullopt;
  }
  std::int64_t offset_minutes = 0;
  if (i + 1 == t.size() && (t[i] == 'Z' || t[i] == 'z')) {
    offset_minutes = 0;
  } else {
    unsigned oh, om;
    if (i + 6 != t.size() || (t[i] != '+' && t[i] != '-') || !digits(t, i + 1, 2, oh) ||
        t[i + 3] != ':' || !digits(t, i + 4, 2, om) || oh > 23 || om > 59) {
      return std::nullopt;
    }
    offset_minutes = static_cast<std::int64_t>(oh) * 60 + om;
    if (t[i] == '-') offset_minutes = -offset_minutes;
  }
  const std::int64_t seconds = days_from_civil(year, month, day) * 86400 +
                               (hour * 60LL + minute - offset_minutes) * 60 + second;
  return seconds * kMicrosPerSecond + micros;
}

}  // namespace sd
