// The formats of a result: names, media types, and which of them an Accept header asks for.
//
// Pure functions; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace sd::query {

enum class Format : std::uint8_t {
  kJson,
  kNdjson,
  kCsv,
  kTsv,
  kJsonCompact,
  kHtml,
  kArrow,
  kParquet,  // DuckDB's own writer makes it: it has no Encoder
  kXlsx,     // the same: see xlsx_writer.h
};

// For Content-Type.
std::string_view content_type(Format format);

// What parse_format() reads back.
std::string_view format_name(Format format);

// "json", "ndjson" (also "jsonl"), "csv", "tsv", "jsoncompact", "html", "arrow", "parquet", "xlsx"; case matters.
std::optional<Format> parse_format(std::string_view name);

// The format that an Accept header (RFC 9110 12.5.1) prefers: the highest q; among equals the most
// exact media range, then ours in the order of Format. An empty header is json. Only json, ndjson and
// csv are what a range with a star in it means; the others must be named, as browsers name text/html:
// a query's address opened in one shows the table. jsoncompact has no media type of its own.
// nullopt: nothing that we have (406), or not an Accept header.
std::optional<Format> negotiate(std::string_view accept);

}  // namespace sd::query
