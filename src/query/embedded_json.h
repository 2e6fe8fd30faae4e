// JSON text that stands in a column → the same value on one line inside our output.
#pragma once

#include <string_view>

#include "query/text_sink.h"

namespace sd::query {

// Validates `text` (RFC 8259, at most 1,000 levels deep, valid UTF-8) and appends it without the
// white space between its tokens. NaN, Infinity and -Infinity, which DuckDB's to_json writes,
// become null. Where the text is something else, nothing is appended and the answer is false.
bool put_embedded_json(TextSink& sink, std::string_view text);

}  // namespace sd::query
