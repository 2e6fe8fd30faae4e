#include "query/format.h"

#include <gtest/gtest.h>

namespace sd::query {
namespace {

TEST(Format, HasNamesAndContentTypes) {
  EXPECT_EQ(parse_format("json"), Format::kJson);
  EXPECT_EQ(parse_format("ndjson"), Format::kNdjson);
  EXPECT_EQ(parse_format("jsonl"), Format::kNdjson);
  EXPECT_EQ(parse_format("csv"), Format::kCsv);
  EXPECT_EQ(parse_format("tsv"), Format::kTsv);
  EXPECT_EQ(parse_format("jsoncompact"), Format::kJsonCompact);
  EXPECT_EQ(parse_format("html"), Format::kHtml);
  EXPECT_EQ(parse_format("arrow"), Format::kArrow);
  EXPECT_EQ(parse_format("parquet"), Format::kParquet);
  EXPECT_EQ(parse_format("CSV"), std::nullopt);
  EXPECT_EQ(parse_format(""), std::nullopt);
  EXPECT_EQ(content_type(Format::kJson), "application/json");
  EXPECT_EQ(content_type(Format::kNdjson), "application/x-ndjson");
  EXPECT_EQ(content_type(Format::kCsv), "text/csv; charset=utf-8");
  EXPECT_EQ(content_type(Format::kTsv), "text/tab-separated-values; charset=utf-8");
  EXPECT_EQ(content_type(Format::kJsonCompact), "application/json");
  EXPECT_EQ(content_type(Format::kHtml), "text/html; charset=utf-8");
  EXPECT_EQ(content_type(Format::kArrow), "application/vnd.apache.arrow.stream");
  EXPECT_EQ(content_type(Format::kParquet), "application/vnd.apache.parquet");
  for (const Format format :
       {Format::kJson, Format::kNdjson, Format::kCsv, Format::kTsv, Format::kJsonCompact,
        Format::kHtml, Format::kArrow, Format::kParquet}) {
    EXPECT_EQ(parse_format(format_name(format)), format);
  }
}

TEST(Format, IsNegotiatedByWeightThenExactness) {
  const std::pair<std::string_view, std::optional<Format>> cases[] = {
      {"", Format::kJson},
      {"*/*", Format::kJson},
      {"application/json", Format::kJson},
      {"APPLICATION/JSON", Format::kJson},
      {"application/*", Format::kJson},
      {"text/csv", Format::kCsv},
      {"text/*", Format::kCsv},
      {"text/csv; charset=utf-8", Format::kCsv},
      {"application/x-ndjson", Format::kNdjson},
      {"application/ndjson", Format::kNdjson},
      {"application/x-ndjson, */*", Format::kNdjson},
      {"text/csv, application/json", Format::kJson},
      {"text/csv;q=0.9, application/json;q=0.8", Format::kCsv},
      {"text/csv;q=0.8, application/json;q=0.80", Format::kJson},
      {"application/json;q=0, */*", Format::kNdjson},
      {"application/*;q=0, */*;q=0.1", Format::kCsv},
      {"text/html", Format::kHtml},
      // What Firefox, Chrome and Safari send when an address is opened.
      {"text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
       Format::kHtml},
      {"application/json, text/html", Format::kJson},
      {"text/html;q=0.5, */*", Format::kJson},
      {"application/xhtml+xml, */*;q=0.8", Format::kJson},
      {"text/tab-separated-values", Format::kTsv},
      {"text/tab-separated-values, text/*;q=0.5", Format::kTsv},
      {"application/vnd.apache.arrow.stream", Format::kArrow},
      {"application/vnd.apache.arrow.stream, application/json;q=0.9", Format::kArrow},
      {"application/vnd.apache.parquet, */*;q=0.1", Format::kParquet},
      {"application/json;q=0, application/x-ndjson;q=0, application/ndjson;q=0, "
       "application/jsonl;q=0, application/x-jsonlines;q=0, application/*",
       std::nullopt},
      {"text/csv;q=0", std::nullopt},
      {"image/png, text/csv ; Q=0.001", Format::kCsv},
      {"text/csv;a=\"x,y;q=0\";q=1", Format::kCsv},
      {" , text/csv , ", Format::kCsv},
      {"text/csv;q=2", std::nullopt},
      {"text/csv;q=x", std::nullopt},
      {"text/csv;q=0.1234", std::nullopt},
      {"text", std::nullopt},
      {"/", std::nullopt},
      {"text/", std::nullopt},
      {"*", std::nullopt},
  };
  for (const auto& [accept, format] : cases) {
    EXPECT_EQ(negotiate(accept), format) << accept;
  }
}

}  // namespace
}  // namespace sd::query
