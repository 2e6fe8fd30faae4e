// Names for chunks, so that the same chunk sent again is known to the server (Idempotency-Key), in
// this run or in another one after a break.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sd::client {

// What an input is, apart from its bytes. The same file in another run has the same one: its name
// without the folders, size and time of change. `ordinal` tells files apart that are alike in all
// three within one run (copies in two folders), counted from 0.
std::string file_identity(std::string_view path, std::uint64_t size, std::int64_t mtime_ns,
                          unsigned ordinal);
// A pipe has nothing of that: what the user gave, or something random. `input` counts the inputs of
// a run.
std::string named_identity(std::string_view resume_key, unsigned input);

// 64 hex digits: SHA-256 of everything that makes a chunk what it is. `parameters` are those that
// change what becomes of the rows: the same file with another flatten is another insert.
std::string idempotency_key(std::string_view table, std::string_view parameters,
                            std::string_view identity, std::uint64_t number, std::string_view body);

}  // namespace sd::client
