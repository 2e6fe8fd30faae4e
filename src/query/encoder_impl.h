// The encoders behind Encoder::make. See encoder.h.
#pragma once

#include <memory>

#include "query/encoder.h"

namespace sd::query {

// JSON array (lines == false) or NDJSON.
std::unique_ptr<Encoder> make_json_encoder(bool lines, EncodeOptions options,
                                           const ResultShape& shape);
std::unique_ptr<Encoder> make_csv_encoder(EncodeOptions options, const ResultShape& shape);

}  // namespace sd::query
