// The page that people see behind a share's URL, and the name that a download gets. Pure: text in, text
// out. Whatever stands in a share's name or in its rows is text, never markup.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "http/exchange.h"

namespace sd::api {

// The first rows of a result. No value is NULL.
struct Preview {
  using Cell = std::optional<std::string>;
  std::vector<std::string> columns;
  std::vector<std::vector<Cell>> rows;
  bool more = false;  // there are rows behind these
  std::vector<std::string>
      types;  // of the columns, as SQL has them; empty where they are not known
};

inline constexpr std::size_t kPreviewRows = 100;

// Reads our own CSV (query/encoder.h), of which it may have only the beginning: then the last line is
// left out. nullopt where not even the header is whole.
std::optional<Preview> parse_preview(std::string_view csv, bool whole);

// A statement for the first rows of `sql` and one more; and one for its columns' types, a row for each, the type second.
std::string first_rows_of(std::string_view sql);
std::string types_of(std::string_view sql);

// "in 7 days", "in 5 minutes", "in less than a minute".
std::string time_left(Micros left);

// attachment; filename="…" (RFC 6266), and filename*=UTF-8''… (RFC 8187) where the name is not ASCII.
// What no file system or shell takes well is replaced.
std::string content_disposition(std::string_view name, std::string_view format);

struct SharePage {
  std::string id;
  std::string url;  // absolute, of the page
  std::string name;
  Micros expires_at = 0;
  Micros now = 0;
  std::vector<std::string> formats;
  bool has_password = false;
  std::optional<std::int64_t> downloads_left;
  // Of a frozen one: how many rows it has, and of when.
  std::optional<std::int64_t> rows;
  Micros frozen_at = 0;
  std::optional<Preview> preview;  // none: it cannot be had now
};

// The page that asks for the password; `trouble` says what was wrong with the one before.
http::Response password_page(const std::string& trouble, int status);

// The page's body, for html.h's page().
std::string render_share_page(const SharePage& page);

}  // namespace sd::api
