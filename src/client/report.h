// What people read while an upload runs and when it is over. Text only, no terminal.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "client/upload.h"

namespace sd::client {

// "1,234,567"
std::string grouped(std::uint64_t number);
// "12.3 MB", in steps of 1000 as rates are.
std::string byte_text(double bytes);
// "1:05", "2:03:04"; "0.4 s" and "12.3 s" are spelled by seconds_text().
std::string clock_text(std::chrono::seconds time);
std::string seconds_text(std::chrono::milliseconds time);
// Texts of files and servers: nothing in them may move the terminal's cursor.
std::string printable(std::string_view text);

// One line of at most `width` characters; what matters least is left out where there is no room.
// Without a total there is no percent and no time left.
std::string progress_line(const Totals& totals, std::optional<std::uint64_t> total_bytes,
                          std::chrono::milliseconds elapsed, std::size_t width);

// "1,234 rows stored in events, 3 refused, in 12.3 s (100 rows/s, 1.2 MB/s)"
std::string summary_line(const Totals& totals, std::string_view table,
                         std::chrono::milliseconds elapsed);
// A line for each of the first refused rows, and one for the others; empty where none was refused.
std::string refused_lines(const Totals& totals);

}  // namespace sd::client
