#include "api/insert_options.h"

#include <charconv>

#include "api/resource.h"

namespace sd::api {
namespace {

constexpr std::uint8_t kMaxFlattenDepth = 64;

Result<std::uint8_t> read_depth(const std::string& text) {
  unsigned depth = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, depth);
  if (error != std::errc() || stop != end || depth < 1 || depth > kMaxFlattenDepth) {
    return fail(parameter_error("flatten_depth must be a whole number from 1 to " +
                                std::to_string(kMaxFlattenDepth)));
  }
  return static_cast<std::uint8_t>(depth);
}

Result<> read(const Query& query, InsertOptions& options) {
  TRY_ASSIGN(options.wait, query.flag("wait"));
  TRY_ASSIGN(options.strict, query.flag("strict"));
  TRY_ASSIGN(options.dry_run, query.flag("dry_run"));
  TRY_ASSIGN(options.pixel, query.flag("pixel"));
  if (const std::string* flatten = query.find("flatten")) {
    options.flatten = json::parse_flatten(*flatten);
    if (!options.flatten) {
      return fail(parameter_error(
          "flatten must be one of horizontal, vertical (or explode), multitable and none"));
    }
  }
  if (const std::string* depth = query.find("flatten_depth")) {
    TRY_ASSIGN(options.flatten_depth, read_depth(*depth));
  }
  return {};
}

}  // namespace

InsertOptions read_insert_options(const Query& query) {
  InsertOptions options;
  if (auto done = read(query, options); !done) options.error = std::move(done).error();
  return options;
}

}  // namespace sd::api
