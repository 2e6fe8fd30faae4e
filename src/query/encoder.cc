#include "query/encoder.h"

#include "query/encoder_impl.h"

namespace sd::query {

std::unique_ptr<Encoder> Encoder::make(Format format, EncodeOptions options,
                                       const ResultShape& shape) {
  switch (format) {
    case Format::kJson:
      return make_json_encoder(JsonLayout::kArray, options, shape);
    case Format::kNdjson:
      return make_json_encoder(JsonLayout::kLines, options, shape);
    case Format::kJsonCompact:
      return make_json_encoder(JsonLayout::kCompact, options, shape);
    case Format::kCsv:
      return make_separated_encoder(',', options, shape);
    case Format::kTsv:
      return make_separated_encoder('\t', options, shape);
    case Format::kHtml:
      return make_html_encoder(shape);
    case Format::kArrow:
      return make_arrow_encoder(shape);
    case Format::kParquet:  // COPY writes it
    case Format::kXlsx:     // XlsxWriter
      break;
  }
  panic(__FILE__, __LINE__, "a format without an encoder");
}

}  // namespace sd::query
