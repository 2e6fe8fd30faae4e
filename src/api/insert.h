// POST and GET /api/data/insert/{table}: rows into the journal.
#pragma once

#include <string>
#include <string_view>

#include "api/access.h"
#include "json/body.h"

namespace sd::api {

Task<void> handle_insert(App& app, http::Exchange& exchange);

// What a request's body is, found by its first bytes, then by its Content-Type.
struct BodyOfRows {
  std::string owned;          // JSON that was made from a form
  std::string_view borrowed;  // else the rows, in the request's own bytes
  // Never kept as a view into `owned`: the bytes of a short string move with it.
  std::string_view json() const { return owned.empty() ? borrowed : std::string_view(owned); }
};

// Rows of a body in memory. `form` is filled in where the body was a form; a form's JSON part, its
// `payload` field where that is the only one, or else its fields as one row of text values.
Result<BodyOfRows> rows_of_body(std::string_view body, std::string_view content_type, Query& form);
// Rows of a query string: its JSON part, or its parameters, other than our own, as one row of text.
Result<BodyOfRows> rows_of_query(const Query& query);

}  // namespace sd::api
