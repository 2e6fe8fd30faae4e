#include "base/ascii.h"
#include "base/file.h"
#include "client/chunks.h"

namespace sd::client {

std::optional<Format> parse_format(std::string_view name) {
  if (name == "json") return Format::kJson;
  if (name == "ndjson" || name == "jsonl") return Format::kNdjson;
  if (name == "csv") return Format::kCsv;
  if (name == "parquet") return Format::kParquet;
  return std::nullopt;
}

std::optional<Format> format_of_name(std::string_view path) {
  std::string name = fold_ascii(base_name(path));
  for (const std::string_view packed : {".gz", ".zst"}) {
    if (name.ends_with(packed)) {
      name.resize(name.size() - packed.size());
      break;
    }
  }
  const std::size_t dot = name.rfind('.');
  return dot == std::string::npos ? std::nullopt : parse_format(name.substr(dot + 1));
}

Result<Format> format_of_bytes(Window& window) {
  constexpr std::size_t kEnough = 64U << 10;
  while (true) {
    std::string_view view = window.view();
    if (view.starts_with("PAR1")) return Format::kParquet;
    if (view.starts_with("\xEF\xBB\xBF")) view.remove_prefix(3);
    const std::size_t at = view.find_first_not_of(" \t\r\n");
    if (at != std::string_view::npos && view.size() >= 4) {
      return view[at] == '{' || view[at] == '[' ? Format::kJson : Format::kCsv;
    }
    if (window.ended()) {
      const bool json = at == std::string_view::npos || view[at] == '{' || view[at] == '[';
      return json ? Format::kJson : Format::kCsv;
    }
    if (view.size() > kEnough) return Format::kJson;
    TRY(window.grow());
  }
}

}  // namespace sd::client
