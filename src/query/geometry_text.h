// GEOMETRY → WKT, as DuckDB's own cast to VARCHAR spells it: "POINT Z (1 2 3)", "POLYGON EMPTY".
//
// DuckDB 1.5 keeps a GEOMETRY as little-endian WKB (OGC 06-103r4, with ISO's +1000 for Z, +2000 for
// M, +3000 for both).
#pragma once

#include <string_view>

#include "query/text_sink.h"

namespace sd::query {

// Appends the WKT. Where the bytes are not such WKB (or nest deeper than 64 levels), nothing is
// appended and the answer is false.
bool put_wkt(TextSink& sink, std::string_view wkb);

}  // namespace sd::query
