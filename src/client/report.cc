#include "client/report.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <vector>

namespace sd::client {
namespace {

template <typename... Args>
std::string format(const char* pattern, Args... args) {
  std::array<char, 64> buffer{};
  const int length = std::snprintf(buffer.data(), buffer.size(), pattern, args...);
  return {buffer.data(), static_cast<std::size_t>(std::max(0, length))};
}

double per_second(std::uint64_t amount, std::chrono::milliseconds elapsed) {
  return static_cast<double>(amount) * 1000 /
         static_cast<double>(std::max<long long>(1, elapsed.count()));
}

std::string rates(const Totals& totals, std::chrono::milliseconds elapsed) {
  const auto rows = static_cast<std::uint64_t>(per_second(totals.stored + totals.refused, elapsed));
  return grouped(rows) + " rows/s, " + byte_text(per_second(totals.bytes, elapsed)) + "/s";
}

std::string bar(double part, std::size_t width) {
  const auto full = static_cast<std::size_t>(part * static_cast<double>(width));
  std::string out = "[" + std::string(full, '=');
  if (full < width) out += ">" + std::string(width - full - 1, ' ');
  return out + "]";
}

}  // namespace

std::string grouped(std::uint64_t number) {
  std::string out = std::to_string(number);
  for (std::size_t at = out.size(); at > 3;) {
    at -= 3;
    out.insert(at, ",");
  }
  return out;
}

std::string byte_text(double bytes) {
  constexpr std::array kUnits = {"B", "kB", "MB", "GB", "TB", "PB"};
  std::size_t unit = 0;
  while (bytes >= 999.95 && unit + 1 < kUnits.size()) {
    bytes /= 1000;
    ++unit;
  }
  return format(unit == 0 ? "%.0f %s" : "%.1f %s", bytes, kUnits[unit]);
}

std::string clock_text(std::chrono::seconds time) {
  const auto s = static_cast<long long>(time.count());
  if (s >= 3600) return format("%lld:%02lld:%02lld", s / 3600, s / 60 % 60, s % 60);
  return format("%lld:%02lld", s / 60, s % 60);
}

std::string seconds_text(std::chrono::milliseconds time) {
  return format("%.1f s", static_cast<double>(time.count()) / 1000);
}

std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, 2000)) {
    const auto byte = static_cast<unsigned char>(c);
    out += byte < 0x20 || byte == 0x7F ? ' ' : c;
  }
  return out;
}

std::string progress_line(const Totals& totals, std::optional<std::uint64_t> total_bytes,
                          std::chrono::milliseconds elapsed, std::size_t width) {
  // In the order of what people look for.
  std::vector<std::string> parts;
  double part = 0;
  if (total_bytes && *total_bytes > 0) {
    part = std::min(1.0, static_cast<double>(totals.bytes) / static_cast<double>(*total_bytes));
    parts.push_back(format("%3.0f %%", part * 100));
    parts.push_back(byte_text(static_cast<double>(totals.bytes)) + " of " +
                    byte_text(static_cast<double>(*total_bytes)));
  } else {
    parts.push_back(byte_text(static_cast<double>(totals.bytes)));
  }
  parts.push_back(grouped(totals.stored + totals.refused) + " rows");
  if (!totals.trouble.empty()) {
    parts.push_back("trying again: " + printable(totals.trouble));
  } else {
    if (part > 0) {
      const double left = static_cast<double>(elapsed.count()) * (1 - part) / part / 1000;
      parts.push_back(clock_text(std::chrono::seconds(std::llround(left))) + " left");
    }
    parts.push_back(rates(totals, elapsed));
  }
  if (totals.refused > 0) parts.push_back(grouped(totals.refused) + " refused");
  std::string line;
  for (const std::string& each : parts) {
    if (!line.empty() && line.size() + 2 + each.size() > width) continue;
    line += (line.empty() ? "" : "  ") + each;
  }
  if (total_bytes && line.size() + 16 <= width) {
    line += "  " + bar(part, std::min<std::size_t>(30, width - line.size() - 4));
  }
  return line.substr(0, width);
}

std::string summary_line(const Totals& totals, std::string_view table,
                         std::chrono::milliseconds elapsed) {
  std::string line = grouped(totals.stored) + (totals.stored == 1 ? " row" : " rows") +
                     " stored in " + printable(table);
  if (totals.replayed > 0) line += " (" + grouped(totals.replayed) + " of them before)";
  line += ", " + grouped(totals.refused) + " refused, in " + seconds_text(elapsed) + " (" +
          rates(totals, elapsed) + ")";
  return line;
}

std::string refused_lines(const Totals& totals) {
  if (totals.refused == 0) return "";
  std::string out = totals.first_refused.empty() ? "" : "Refused rows (counted from 0):\n";
  for (const RefusedRow& row : totals.first_refused) {
    out += "  " + printable(row.input) + ", row " + grouped(row.row) + ": " + printable(row.code) +
           (row.detail.empty() ? "" : ": " + printable(row.detail)) + "\n";
  }
  const std::uint64_t listed = totals.refused - totals.late;
  const std::uint64_t more = listed - std::min<std::uint64_t>(listed, totals.first_refused.size());
  if (more > 0) out += "  and " + grouped(more) + " more\n";
  if (totals.late > 0) {
    out += grouped(totals.late) +
           " of them were refused when they were loaded: GET /api/data/failed lists them with the "
           "reason.\n";
  }
  if (totals.unsent > 0) {
    out += grouped(totals.unsent) +
           " of them could not be sent, as no good row stood near them; the server does not have "
           "them.\n";
  }
  return out;
}

}  // namespace sd::client
