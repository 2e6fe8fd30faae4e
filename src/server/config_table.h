// Inside of the configuration: the table of known settings. One row says everything about a
// setting: its key, where it goes, what it may be, and what took its place if it no longer means
// anything.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "server/config.h"

namespace sd::server {

// A configuration that is being put together: what the keys say, before it is made consistent.
struct Draft {
  Config config;
  std::string api_host;
  std::int64_t api_port = 8080;
  std::vector<std::string> listen;
};

enum class Unit : std::uint8_t { kNone, kBytes, kMillis, kSeconds };

struct SettingSpec {
  // Where the value goes. Nothing: the key is known, but means nothing any more.
  using Target = std::variant<std::monostate, std::string* (*)(Draft&), bool* (*)(Draft&),
                              std::int64_t* (*)(Draft&), Millis* (*)(Draft&),
                              std::vector<std::string>* (*)(Draft&), log::Level* (*)(Draft&),
                              log::Format* (*)(Draft&)>;

  std::string_view key;  // "api.port"
  Target target = std::monostate();
  std::string_view help = {};
  std::int64_t least = 0;  // of numbers, bytes; of times in milliseconds
  std::int64_t most = std::numeric_limits<std::int64_t>::max();
  Unit unit = Unit::kNone;  // of a bare number
  bool secret = false;
  // Not empty: the key is the original's and gives this one warning.
  std::string_view replaced = {};
  // With `replaced`: the value still counts, as the value of this key.
  std::string_view now_called = {};
  // With `replaced`: the key is a whole section, with these keys inside.
  std::string_view section_keys = {};

  bool is_list() const {
    return std::holds_alternative<std::vector<std::string>* (*)(Draft&)>(target);
  }
  // A setting that has a --flag and stands in the help.
  bool has_flag() const { return replaced.empty() && !secret; }
};

std::span<const SettingSpec> setting_specs();
const SettingSpec* find_spec(std::string_view key);
// "api.port" → "SCRATCH_API_PORT" and "--api-port".
std::string environment_name(std::string_view key);
std::string flag_name(std::string_view key);
// What a value of it looks like, for people: "a number from 0 to 65535".
std::string expectation(const SettingSpec& spec);

// Puts the value into the draft; what is wrong with it, otherwise. Several values only for lists.
std::optional<std::string> assign(const SettingSpec& spec, Draft& draft,
                                  const std::vector<std::string>& values);
// The value as it would be written in a file.
std::string spell(const SettingSpec& spec, const Draft& draft);

}  // namespace sd::server
