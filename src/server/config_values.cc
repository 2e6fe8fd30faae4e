// Values of settings: reading them from text, and spelling them again.
#include <algorithm>
#include <array>

#include "base/json_text.h"
#include "server/config_table.h"
#include "server/config_text.h"

namespace sd::server {
namespace {

constexpr std::int64_t kForever = std::numeric_limits<std::int64_t>::max();

constexpr std::array<std::pair<std::string_view, log::Level>, 9> kLevels = {{
    {"trace", log::Level::kTrace},
    {"debug", log::Level::kDebug},
    {"info", log::Level::kInfo},
    {"warn", log::Level::kWarn},
    {"error", log::Level::kError},
    {"off", log::Level::kOff},
    // Names of the original's logger.
    {"fatal", log::Level::kError},
    {"panic", log::Level::kError},
    {"disabled", log::Level::kOff},
}};

template <typename... F>
struct Overload : F... {
  using F::operator()...;
};

std::optional<std::int64_t> parse_number(const SettingSpec& spec, const std::string& text) {
  return spec.unit == Unit::kBytes ? parse_bytes(text) : parse_integer(text);
}

std::string spell_bytes(std::int64_t value) {
  constexpr std::string_view kLetters = "KMGT";
  std::string unit;
  for (const char letter : kLetters) {
    if (value == 0 || value % 1024 != 0) break;
    value /= 1024;
    unit = std::string(1, letter) + "iB";
  }
  return std::to_string(value) + unit;
}

std::string spell_millis(std::int64_t value) {
  if (value % 3'600'000 == 0 && value != 0) return std::to_string(value / 3'600'000) + "h";
  if (value % 60'000 == 0 && value != 0) return std::to_string(value / 60'000) + "m";
  if (value % 1000 == 0) return std::to_string(value / 1000) + "s";
  return std::to_string(value) + "ms";
}

std::string spell_bound(const SettingSpec& spec, std::int64_t value) {
  if (spec.unit == Unit::kBytes) return spell_bytes(value);
  if (spec.unit == Unit::kNone) return std::to_string(value);
  return spell_millis(value);
}

// "", " from 1", " from 0 to 65535".
std::string range(const SettingSpec& spec) {
  std::string out = " from " + spell_bound(spec, spec.least);
  if (spec.most != kForever) return out + " to " + spell_bound(spec, spec.most);
  return spec.least == 0 ? std::string() : out;
}

}  // namespace

std::string expectation(const SettingSpec& spec) {
  return std::visit(
      Overload{[](std::monostate) { return std::string("nothing"); },
               [](std::string* (*)(Draft&)) { return std::string("text"); },
               [](bool* (*)(Draft&)) { return std::string("true or false"); },
               [&](std::int64_t* (*)(Draft&)) {
                 return spec.unit == Unit::kBytes ? "a size" + range(spec) + ", such as 64MiB"
                                                  : "a whole number" + range(spec);
               },
               [&](Millis* (*)(Draft&)) { return "a time" + range(spec) + ", such as 30s"; },
               [](std::vector<std::string>* (*)(Draft&)) { return std::string("a list of texts"); },
               [](log::Level* (*)(Draft&)) {
                 return std::string("trace, debug, info, warn, error or off");
               },
               [](log::Format* (*)(Draft&)) { return std::string("true or false"); }},
      spec.target);
}

std::optional<std::string> assign(const SettingSpec& spec, Draft& draft,
                                  const std::vector<std::string>& values) {
  const auto wrong = [&](const std::string& value) -> std::optional<std::string> {
    return "must be " + expectation(spec) + (spec.secret ? "" : ", not " + json_string(value));
  };
  if (!spec.is_list() && values.size() != 1) return "must be " + expectation(spec) + ", not a list";
  const std::string& value = values.empty() ? std::string() : values.front();
  const auto in_range = [&](std::int64_t n) { return n >= spec.least && n <= spec.most; };
  return std::visit(Overload{[](std::monostate) { return std::optional<std::string>(); },
                             [&](std::string* (*target)(Draft&)) {
                               if (value.find('\0') != std::string::npos) return wrong(value);
                               *target(draft) = value;
                               return std::optional<std::string>();
                             },
                             [&](bool* (*target)(Draft&)) {
                               const auto parsed = parse_bool(value);
                               if (!parsed) return wrong(value);
                               *target(draft) = *parsed;
                               return std::optional<std::string>();
                             },
                             [&](std::int64_t* (*target)(Draft&)) {
                               const auto parsed = parse_number(spec, value);
                               if (!parsed || !in_range(*parsed)) return wrong(value);
                               *target(draft) = *parsed;
                               return std::optional<std::string>();
                             },
                             [&](Millis* (*target)(Draft&)) {
                               const auto parsed = parse_duration(
                                   value, Millis(spec.unit == Unit::kSeconds ? 1000 : 1));
                               if (!parsed || !in_range(parsed->count())) return wrong(value);
                               *target(draft) = *parsed;
                               return std::optional<std::string>();
                             },
                             [&](std::vector<std::string>* (*target)(Draft&)) {
                               *target(draft) = values;
                               return std::optional<std::string>();
                             },
                             [&](log::Level* (*target)(Draft&)) {
                               const auto* found = std::ranges::find(
                                   kLevels, value, [](const auto& level) { return level.first; });
                               if (found == kLevels.end()) return wrong(value);
                               *target(draft) = found->second;
                               return std::optional<std::string>();
                             },
                             [&](log::Format* (*target)(Draft&)) {
                               const auto parsed = parse_bool(value);
                               if (!parsed) return wrong(value);
                               *target(draft) =
                                   *parsed ? log::Format::kJson : log::Format::kConsole;
                               return std::optional<std::string>();
                             }},
                    spec.target);
}

std::string spell(const SettingSpec& spec, const Draft& draft) {
  // The targets want to write; a copy lets them.
  Draft copy = draft;
  const auto text = [&](const std::string& value) {
    if (spec.secret) return std::string(value.empty() ? "\"\"" : "(secret)");
    return json_string(value);
  };
  return std::visit(
      Overload{
          [](std::monostate) { return std::string(); },
          [&](std::string* (*target)(Draft&)) { return text(*target(copy)); },
          [&](bool* (*target)(Draft&)) { return std::string(*target(copy) ? "true" : "false"); },
          [&](std::int64_t* (*target)(Draft&)) {
            return spec.unit == Unit::kBytes ? spell_bytes(*target(copy))
                                             : std::to_string(*target(copy));
          },
          [&](Millis* (*target)(Draft&)) {
            const std::int64_t value = target(copy)->count();
            return spec.unit == Unit::kMillis ? std::to_string(value) : spell_millis(value);
          },
          [&](std::vector<std::string>* (*target)(Draft&)) {
            std::string out = "[";
            for (const std::string& item : *target(copy)) {
              if (out.size() > 1) out += ", ";
              out += text(item);
            }
            return out + "]";
          },
          [&](log::Level* (*target)(Draft&)) {
            const auto* found = std::ranges::find(kLevels, *target(copy),
                                                  [](const auto& level) { return level.second; });
            return std::string(found->first);
          },
          [&](log::Format* (*target)(Draft&)) {
            return std::string(*target(copy) == log::Format::kJson ? "true" : "false");
          }},
      spec.target);
}

}  // namespace sd::server
