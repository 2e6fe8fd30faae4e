// The encoders behind Encoder::make. See encoder.h.
#pragma once

#include <cstdint>
#include <memory>

#include "query/encoder.h"

namespace sd::query {

enum class JsonLayout : std::uint8_t { kArray, kLines, kCompact };

std::unique_ptr<Encoder> make_json_encoder(JsonLayout layout, EncodeOptions options,
                                           const ResultShape& shape);
// CSV and TSV.
std::unique_ptr<Encoder> make_separated_encoder(char separator, EncodeOptions options,
                                                const ResultShape& shape);
std::unique_ptr<Encoder> make_html_encoder(const ResultShape& shape);
std::unique_ptr<Encoder> make_arrow_encoder(const ResultShape& shape);

}  // namespace sd::query
