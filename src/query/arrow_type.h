// DuckDB's types → Arrow's, and the schema message that says so.
//
//   NULL                          Null
//   BOOLEAN                       Bool
//   integers to 64 bits           Int of that width and sign
//   HUGEINT                       Decimal128(38, 0). All 128 bits are there: a value of 39 digits is exact
//                                 where the reader does not insist on the precision
//   UHUGEINT                      Decimal256(39, 0)
//   FLOAT, DOUBLE                 FloatingPoint; NaN and the infinities are themselves
//   DECIMAL(w, s)                 Decimal128(w, s)
//   VARCHAR, ENUM                 Utf8. An ENUM is decoded: every reader has Utf8, also inside lists, and
//                                 a stream needs no dictionaries before its rows
//   JSON, VARIANT                 Utf8 with the extension name arrow.json
//   BIGNUM, BIT, UUID, TIMETZ     Utf8: their text as in JSON and CSV; Arrow has no equal
//   BLOB                          Binary
//   GEOMETRY                      Binary, WKB, with the extension name geoarrow.wkb
//   DATE                          Date32
//   TIME, TIME_NS                 Time64 in µs, in ns
//   TIMESTAMP, _S, _MS, _NS       Timestamp without a zone, in their own unit
//   TIMESTAMPTZ                   Timestamp in µs, zone "UTC"
//                                 (infinity and -infinity of dates and timestamps are the largest number of
//                                 the type and its negative, as in DuckDB's own export)
//   INTERVAL                      Interval of months, days and ns
//   LIST, ARRAY                   List, FixedSizeList; the child is "item"
//   STRUCT                        Struct; members without a name are "1", "2" …
//   MAP                           Map
//   UNION                         Union, sparse. Arrow's unions cannot be NULL themselves: such a row is the
//                                 first member, NULL
//
// DuckDB can export Arrow itself (duckdb_data_chunk_to_arrow), which is not used: it drops the offset of
// TIMETZ, wraps UHUGEINT around, sends BIT and BIGNUM as internal bytes, refuses VARIANT, and its
// arrays would have to be copied once more, as it makes one for each chunk of 2,048 rows.
#pragma once

#include <string>

#include "query/result_shape.h"

namespace sd::query {

// The FlatBuffers bytes of the Message.
std::string arrow_schema_message(const ResultShape& shape);

}  // namespace sd::query
