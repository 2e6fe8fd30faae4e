// The parameters of an insert (api.md, Insert).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "api/access.h"
#include "json/document_flattener.h"

namespace sd::api {

// The field of a form that may be an API key.
inline constexpr std::string_view kKeyField = "api_key";
// Our own parameters in a URL, which are never values of a row.
inline constexpr std::array<std::string_view, 8> kOwnParameters = {
    kKeyField, "destination_id", "flatten", "flatten_depth", "wait", "strict", "dry_run", "pixel"};

struct InsertOptions {
  bool wait = false;
  bool strict = false;
  std::optional<std::vector<std::string>>
      tables;  // of its API key, which names all that rows may go to
  bool dry_run = false;
  bool pixel = false;
  std::optional<json::Flatten>
      flatten;                     // else as the table's contract says when the rows are loaded
  std::uint8_t flatten_depth = 0;  // likewise
  // Of a parameter: said to those who have shown a key.
  std::optional<Error> error;
};

InsertOptions read_insert_options(const Query& query);

}  // namespace sd::api
