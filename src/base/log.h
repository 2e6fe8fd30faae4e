// Log lines on stderr, for people (console) or machines (one JSON object a line). Any thread.
//
//   log::info("engine started", {{"destination", name}, {"pid", std::to_string(pid)}});
//
// Never pass a key, a token, a password, a row or a user's SQL.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace sd::log {

enum class Level { kTrace, kDebug, kInfo, kWarn, kError, kOff };
enum class Format { kConsole, kJson };

struct Field {
  std::string_view name;
  std::string value;
};

// Call once at start, before other threads exist. `process` names the writer ("front", "engine").
void configure(Level least, Format format, std::string_view process);
bool enabled(Level level);

void write(Level level, std::string_view message, std::initializer_list<Field> fields);
inline void debug(std::string_view message, std::initializer_list<Field> fields = {}) {
  if (enabled(Level::kDebug)) write(Level::kDebug, message, fields);
}
inline void info(std::string_view message, std::initializer_list<Field> fields = {}) {
  if (enabled(Level::kInfo)) write(Level::kInfo, message, fields);
}
inline void warn(std::string_view message, std::initializer_list<Field> fields = {}) {
  if (enabled(Level::kWarn)) write(Level::kWarn, message, fields);
}
inline void error(std::string_view message, std::initializer_list<Field> fields = {}) {
  if (enabled(Level::kError)) write(Level::kError, message, fields);
}

}  // namespace sd::log
