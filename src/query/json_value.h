// Values of DuckDB vectors → JSON text (encoder.h says how each type is spelled).
#pragma once

#include "query/text_sink.h"
#include "query/vector_tree.h"

namespace sd::query {

struct JsonOptions {
  bool quote_int64 = false;
  bool quote_nan = false;
};

// NULL is null.
void put_json(TextSink& sink, const VectorTree& tree, idx_t row, JsonOptions options);

// A VARIANT that is not NULL.
void put_json_variant(TextSink& sink, const VectorTree& tree, idx_t row, JsonOptions options);

}  // namespace sd::query
