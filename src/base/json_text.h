// Spelling strings as JSON (RFC 8259), for logs, problems and encoders.
#pragma once

#include <string>
#include <string_view>

namespace sd {

// Appends the quoted, escaped string. Bytes that are not valid UTF-8 become U+FFFD, so that the output
// is valid whatever comes in.
void append_json_string(std::string& out, std::string_view text);
std::string json_string(std::string_view text);

// Length of the valid UTF-8 sequence at the start of `text` (1–4), or 0 where there is none
// (RFC 3629: no surrogates, no overlong forms, nothing above U+10FFFF).
std::size_t utf8_sequence_length(std::string_view text);
bool is_valid_utf8(std::string_view text);

}  // namespace sd
