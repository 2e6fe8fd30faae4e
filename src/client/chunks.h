// Cutting a stream of rows into requests: at the borders of rows, in the same places however the
// bytes arrive. That is what makes a chunk's number and bytes a name for it (see identity.h).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "client/source.h"
#include "json/rows.h"

namespace sd::client {

struct ChunkLimits {
  std::size_t bytes = 4U << 20;  // a row that is larger goes alone
  std::uint64_t rows = 10'000;
};

// A row over this ends the input with an error, as it would end a request (413): memory stays
// bounded.
inline constexpr std::size_t kMaxRowBytes = 64U << 20;

struct Chunk {
  std::string body;
  const char* content_type = "";
  std::uint64_t rows = 0;       // those that are no good included
  std::uint64_t first_row = 0;  // in the file, counted from 0
  // A body must begin with a good row, to be known for what it is. So the first good one goes
  // before so many bad ones that stand before it in the file.
  std::uint64_t moved_behind_first = 0;
  std::uint64_t position = 0;  // of the source, behind the chunk

  // Row of the file for a row of the body.
  std::uint64_t file_row(std::uint64_t row) const;
};

// A row that cannot even be sent.
struct UnsentRow {
  std::uint64_t row = 0;  // in the file, counted from 0
  std::string code;
  std::string detail;
};
using OnUnsent = std::function<void(UnsentRow)>;

class Chunker {
 public:
  virtual ~Chunker() = default;
  // The next chunk, or nullopt at the end. What stands before an error comes out first, as a chunk.
  virtual Result<std::optional<Chunk>> next() = 0;
};

// An object, an array, NDJSON, concatenated objects: rows are found by the code that the server
// uses.
std::unique_ptr<Chunker> make_json_chunker(Window window, ChunkLimits limits, OnUnsent on_unsent,
                                           json::Framing framing = json::Framing::kDetected);
// Records of RFC 4180 after a header, which each chunk repeats. A line break in quotes ends no
// record. Empty lines are left out, but in a file of one column, where they are a value.
std::unique_ptr<Chunker> make_csv_chunker(Window window, ChunkLimits limits);

enum class Format { kJson, kNdjson, kCsv, kParquet };

// "ndjson", "jsonl", "json", "csv", "parquet"; nullopt for anything else.
std::optional<Format> parse_format(std::string_view name);
// By the name's end, .gz and .zst left out of account; nullopt where that says nothing.
std::optional<Format> format_of_name(std::string_view path);
// By the first byte that is no blank: JSON begins with { or [. "PAR1" begins Parquet.
Result<Format> format_of_bytes(Window& window);

}  // namespace sd::client
