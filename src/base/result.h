// Result<T>: a value or an Error. Expected failures travel as values; no exception crosses a room.
//
// The set of codes is closed and small. A code says what the caller can do about it; the message says
// it to a person. A message may reach the client as it is: it never holds a path, a secret, or SQL of
// somebody else.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sd {

enum class ErrorCode : std::uint8_t {
  kInvalidArgument,    // the request is wrong; sending it again changes nothing
  kUnauthenticated,    // no key, or an unknown one
  kPermissionDenied,   // a known key that may not do this
  kNotFound,           // does not exist, or belongs to somebody else
  kAlreadyExists,      // would collide with something that exists
  kResourceExhausted,  // a limit is reached for now (journal full, too many queries)
  kUnavailable,        // cannot be reached for now
  kInDoubt,            // may or may not have happened; ask before repeating
  kCorruption,         // stored bytes are not what was written
  kDeadlineExceeded,   // took longer than it may
  kCancelled,          // the caller went away or asked to stop
  kInternal,           // a bug, or an operating system that failed us
};

std::string_view to_string(ErrorCode code);

// The HTTP status that a code maps to when nothing more exact is known.
int http_status(ErrorCode code);

// True where the same request, sent again later, may succeed.
bool is_retryable(ErrorCode code);

struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;
  // Last segment of the problem's type URI ("invalid-json"); empty: made from the code.
  std::string slug = {};
  // HTTP status where it is more exact than http_status(code) (413, 415, 422 …); 0: from the code.
  int status = 0;
  // Seconds after which a retry makes sense; 0: says nothing.
  int retry_after_s = 0;
  // Extra members for the client: name and its value already spelled as JSON.
  std::vector<std::pair<std::string, std::string>> members = {};

  Error&& with_slug(std::string value) && {
    slug = std::move(value);
    return std::move(*this);
  }
  Error&& with_status(int value) && {
    status = value;
    return std::move(*this);
  }
  Error&& with_retry_after(int seconds) && {
    retry_after_s = seconds;
    return std::move(*this);
  }
  Error&& with_member(std::string name, std::string json) && {
    members.emplace_back(std::move(name), std::move(json));
    return std::move(*this);
  }
  int effective_status() const { return status != 0 ? status : http_status(code); }
};

template <typename T = void>
using Result = std::expected<T, Error>;

inline std::unexpected<Error> fail(ErrorCode code, std::string message) {
  return std::unexpected(Error{.code = code, .message = std::move(message)});
}
inline std::unexpected<Error> fail(Error error) {
  return std::unexpected(std::move(error));
}

inline Error invalid(std::string message) {
  return Error{.code = ErrorCode::kInvalidArgument, .message = std::move(message)};
}

// Ends the process with a line on stderr. For broken invariants only; on in release builds too.
[[noreturn]] void panic(const char* file, int line, std::string_view what);

}  // namespace sd

#define SD_CONCAT_(a, b) a##b
#define SD_CONCAT(a, b) SD_CONCAT_(a, b)

// TRY(expression): on error returns it from the function, else goes on.
#define TRY(expr)                                                                 \
  do {                                                                            \
    auto sd_try_result = (expr);                                                  \
    if (!sd_try_result) return std::unexpected(std::move(sd_try_result).error()); \
  } while (false)

// TRY_ASSIGN(auto x, expression): on error returns it, else declares or assigns x.
#define TRY_ASSIGN(target, expr) SD_TRY_ASSIGN_(SD_CONCAT(sd_try_, __LINE__), target, expr)
#define SD_TRY_ASSIGN_(tmp, target, expr)                   \
  auto tmp = (expr);                                        \
  if (!tmp) return std::unexpected(std::move(tmp).error()); \
  target = std::move(*tmp)

// The same inside a coroutine that returns a Result.
#define CO_TRY(expr)                                                                 \
  do {                                                                               \
    auto sd_try_result = (expr);                                                     \
    if (!sd_try_result) co_return std::unexpected(std::move(sd_try_result).error()); \
  } while (false)
#define CO_TRY_ASSIGN(target, expr) SD_CO_TRY_ASSIGN_(SD_CONCAT(sd_try_, __LINE__), target, expr)
#define SD_CO_TRY_ASSIGN_(tmp, target, expr)                   \
  auto tmp = (expr);                                           \
  if (!tmp) co_return std::unexpected(std::move(tmp).error()); \
  target = std::move(*tmp)

// Invariants, checked in release too.
#define SD_ASSERT(condition)                                            \
  do {                                                                  \
    if (!(condition)) [[unlikely]]                                      \
      ::sd::panic(__FILE__, __LINE__, "assertion failed: " #condition); \
  } while (false)
