#include "base/log.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>

#include "base/clock.h"
#include "base/json_text.h"

namespace sd::log {
namespace {

std::atomic<Level> g_least{Level::kInfo};
Format g_format = Format::kConsole;
std::string g_process = "scratchdata";

std::string_view name_of(Level level) {
  switch (level) {
    case Level::kTrace:
      return "trace";
    case Level::kDebug:
      return "debug";
    case Level::kInfo:
      return "info";
    case Level::kWarn:
      return "warn";
    case Level::kError:
      return "error";
    case Level::kOff:
      return "off";
  }
  return "info";
}

// Values of more than one word are quoted, and control characters never reach a terminal.
void append_console_value(std::string& out, std::string_view value) {
  const bool plain = !value.empty() && std::all_of(value.begin(), value.end(), [](char c) {
    return c > ' ' && c != '"' && c != '=' && c != '\x7f';
  });
  if (plain)
    out += value;
  else
    append_json_string(out, value);
}

void append_console_message(std::string& out, std::string_view message) {
  for (const char c : message) out += (c >= 0 && c < ' ') || c == '\x7f' ? ' ' : c;
}

}  // namespace

void configure(Level least, Format format, std::string_view process) {
  g_least = least;
  g_format = format;
  g_process = process;
}

bool enabled(Level level) {
  return level >= g_least.load(std::memory_order_relaxed);
}

void write(Level level, std::string_view message, std::initializer_list<Field> fields) {
  std::string line;
  const std::string time = format_rfc3339(system_clock().wall_us());
  if (g_format == Format::kJson) {
    line += "{\"time\":\"" + time + "\",\"level\":\"";
    line += name_of(level);
    line += "\",\"process\":";
    append_json_string(line, g_process);
    line += ",\"message\":";
    append_json_string(line, message);
    for (const Field& field : fields) {
      line += ',';
      append_json_string(line, field.name);
      line += ':';
      append_json_string(line, field.value);
    }
    line += "}\n";
  } else {
    line += time;
    line += ' ';
    line += name_of(level);
    line += ' ';
    line += g_process;
    line += ": ";
    append_console_message(line, message);
    for (const Field& field : fields) {
      line += ' ';
      line += field.name;
      line += '=';
      append_console_value(line, field.value);
    }
    line += '\n';
  }
  // One write a line: lines of several threads and processes do not mix.
  [[maybe_unused]] const auto written = ::write(2, line.data(), line.size());
}

}  // namespace sd::log
