// Values of DuckDB vectors → text without the quotes of JSON (encoder.h says how each type is
// spelled).
#pragma once

#include "query/text_sink.h"
#include "query/vector_tree.h"

namespace sd::query {

// A value that is not NULL, of any type but VARCHAR, JSON, ENUM, VARIANT and the nested ones. Never
// holds anything that JSON would escape. The infinities and NaN are Infinity, -Infinity, NaN.
void put_scalar(TextSink& sink, const VectorTree& tree, idx_t row);

// NaN, Infinity, -Infinity.
void put_not_finite(TextSink& sink, double value);

// The text of an ENUM's value that is not NULL.
std::string_view enum_label(const VectorTree& tree, idx_t row);

// A value of any type that is not NULL: texts as they are, nested values as JSON.
void put_plain(TextSink& sink, const VectorTree& tree, idx_t row);

// WKT, or the bytes in base64 where they are no geometry that we know.
void put_geometry(TextSink& sink, std::string_view wkb);

}  // namespace sd::query
