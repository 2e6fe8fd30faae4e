#include "query/format.h"

#include <array>
#include <vector>

#include "base/ascii.h"
#include "base/result.h"
#include "query/accept_header.h"

namespace sd::query {
namespace {

struct Name {
  Format format;
  std::string_view name;
  std::string_view content_type;
};
constexpr std::array kNames = {
    Name{Format::kJson, "json", "application/json"},
    Name{Format::kNdjson, "ndjson", "application/x-ndjson"},
    Name{Format::kCsv, "csv", "text/csv; charset=utf-8"},
    Name{Format::kTsv, "tsv", "text/tab-separated-values; charset=utf-8"},
    Name{Format::kJsonCompact, "jsoncompact", "application/json"},
    Name{Format::kHtml, "html", "text/html; charset=utf-8"},
    Name{Format::kArrow, "arrow", "application/vnd.apache.arrow.stream"},
    Name{Format::kParquet, "parquet", "application/vnd.apache.parquet"},
    Name{Format::kXlsx, "xlsx",
         "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
};

const Name& entry(Format format) {
  for (const Name& each : kNames) {
    if (each.format == format) return each;
  }
  panic(__FILE__, __LINE__, "unknown format");
}

struct MediaRange {
  std::string_view type;
  int weight = 1000;
};

std::optional<MediaRange> parse_range(std::string_view text) {
  MediaRange range{next_part(text, ';')};
  const std::size_t slash = range.type.find('/');
  if (slash == 0 || slash == std::string_view::npos || slash + 1 == range.type.size()) {
    return std::nullopt;
  }
  while (!text.empty()) {
    const std::string_view parameter = next_part(text, ';');
    if (parameter.size() < 2 || !same_ascii_folded(parameter.substr(0, 2), "q=")) continue;
    const std::optional<int> weight = parse_weight(parameter.substr(2));
    if (!weight) return std::nullopt;
    range.weight = *weight;
  }
  return range;
}

constexpr int kExact = 3;

// kExact: this very type, 2: its family, 1: anything, 0: does not match.
int match(std::string_view range, std::string_view type) {
  if (same_ascii_folded(range, type)) return kExact;
  if (range == "*/*") return 1;
  const std::size_t slash = type.find('/');
  return range.size() == slash + 2 && range.ends_with("/*") &&
                 same_ascii_folded(range.substr(0, slash), type.substr(0, slash))
             ? 2
             : 0;
}

struct Offer {
  std::string_view type;
  Format format;
  bool asked_exactly = false;  // a range with a star does not ask for it
};
constexpr Offer kOffers[] = {
    {"application/json", Format::kJson},
    {"application/x-ndjson", Format::kNdjson},
    {"application/ndjson", Format::kNdjson},
    {"application/jsonl", Format::kNdjson},
    {"application/x-jsonlines", Format::kNdjson},
    {"text/csv", Format::kCsv},
    {"text/tab-separated-values", Format::kTsv, true},
    {"text/html", Format::kHtml, true},
    {"application/vnd.apache.arrow.stream", Format::kArrow, true},
    {"application/vnd.apache.parquet", Format::kParquet, true},
    {"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", Format::kXlsx, true},
};

}  // namespace

std::string_view content_type(Format format) {
  return entry(format).content_type;
}

std::string_view format_name(Format format) {
  return entry(format).name;
}

std::optional<Format> parse_format(std::string_view name) {
  if (name == "jsonl") return Format::kNdjson;
  for (const Name& each : kNames) {
    if (each.name == name) return each.format;
  }
  return std::nullopt;
}

std::optional<Format> negotiate(std::string_view accept) {
  if (accept.find_first_not_of(" \t") == std::string_view::npos) return Format::kJson;
  std::vector<MediaRange> ranges;
  while (!accept.empty()) {
    const std::string_view part = next_part(accept, ',');
    if (part.empty()) continue;
    const std::optional<MediaRange> range = parse_range(part);
    if (!range) return std::nullopt;
    ranges.push_back(*range);
  }
  const Offer* best = nullptr;
  int best_weight = 0;
  int best_match = 0;
  for (const Offer& offer : kOffers) {
    // The most exact range that matches an offer gives its weight.
    int weight = 0;
    int exactness = 0;
    for (const MediaRange& range : ranges) {
      const int matched = match(range.type, offer.type);
      if (matched > exactness && (matched == kExact || !offer.asked_exactly)) {
        exactness = matched;
        weight = range.weight;
      }
    }
    if (weight > best_weight || (weight == best_weight && exactness > best_match && weight > 0)) {
      best = &offer;
      best_weight = weight;
      best_match = exactness;
    }
  }
  if (best == nullptr) return std::nullopt;
  return best->format;
}

}  // namespace sd::query
