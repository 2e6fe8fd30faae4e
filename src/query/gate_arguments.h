// Functions whose cost, or whose safety, hangs on an argument: what the gate can see of it.
//
// A call of these is one step that nothing interrupts. What is refused is what a literal gives away
// (repeat('x', 2000000000)); a number that comes from a column cannot be judged here, and then the
// engine's end at the deadline is the wall.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace sd::query {

// An expression, as far as its literals tell.
struct ArgumentShape {
  enum class Literal : std::uint8_t { kNone, kNumber, kText };
  Literal literal = Literal::kNone;
  double number = 0;
  std::string_view text;  // as JSON spells it, for kText
  // Something in it is known only when it runs: a column, a parameter, a subquery.
  bool varies = false;
  // In all texts in it: wildcards of LIKE and GLOB, and ".." or "**" of a JSON path.
  std::uint32_t percents = 0, underscores = 0, asterisks = 0, descents = 0;

  void set_text(std::string_view raw);
  // Takes over what a part has.
  void add(const ArgumentShape& part);
};

// The first arguments of a function are kept, no more.
inline constexpr std::size_t kKeptArguments = 4;

// What is wrong with a call, to follow "the function … "; nothing where it may run.
std::optional<std::string> argument_problem(std::string_view function,
                                            std::span<const ArgumentShape> arguments);

// The value of an operator between literals (2 * 40).
ArgumentShape folded(std::string_view function, std::span<const ArgumentShape> arguments,
                     ArgumentShape otherwise);

}  // namespace sd::query
