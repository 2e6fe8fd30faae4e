#include "api/share_page.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "api/html.h"
#include "base/json_text.h"

namespace sd::api {
namespace {

constexpr std::size_t kMostCellBytes = 300;
constexpr std::size_t kMostNameBytes = 100;
constexpr std::size_t kMostTypeBytes = 60;

// The longest beginning of `text` of at most so many bytes that cuts no character.
std::string_view beginning(std::string_view text, std::size_t most) {
  if (text.size() <= most) return text;
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0) == 0x80) --most;
  return text.substr(0, most);
}

// One field at `at`, which is moved to the byte behind it; false where the text ends inside.
bool read_field(std::string_view csv, std::size_t& at, Preview::Cell& cell) {
  cell.reset();
  if (at < csv.size() && csv[at] == '"') {
    cell.emplace();
    for (++at; at < csv.size(); ++at) {
      if (csv[at] != '"') {
        *cell += csv[at];
      } else if (at + 1 < csv.size() && csv[at + 1] == '"') {
        *cell += csv[++at];
      } else {
        ++at;
        return at < csv.size();
      }
    }
    return false;
  }
  const std::size_t end = csv.find_first_of(",\n", at);
  if (end == std::string_view::npos) return false;
  if (end > at) cell.emplace(csv.substr(at, end - at));
  at = end;
  return true;
}

// One line; false where it is not whole.
bool read_line(std::string_view csv, std::size_t& at, std::vector<Preview::Cell>& cells) {
  cells.clear();
  while (true) {
    if (!read_field(csv, at, cells.emplace_back())) return false;
    const char behind = csv[at++];
    if (behind == '\n') return true;
    if (behind != ',') return false;
  }
}

bool is_number(const std::string& text) {
  double value = 0;
  const char* end = text.data() + text.size();
  return !text.empty() && std::from_chars(text.data(), end, value).ptr == end;
}

bool is_numeric(const Preview& preview, std::size_t column) {
  bool any = false;
  for (const auto& row : preview.rows) {
    if (column >= row.size() || !row[column]) continue;
    if (!is_number(*row[column])) return false;
    any = true;
  }
  return any;
}

std::string render_cell(const Preview::Cell& cell, bool number) {
  std::string out = number ? "<td class=\"num\">" : "<td>";
  if (!cell) return out + "<span class=\"null\">null</span></td>";
  const std::string_view shown = beginning(*cell, kMostCellBytes);
  out += escape_html(shown);
  if (shown.size() < cell->size()) out += "…";
  return out + "</td>";
}

std::string render_preview(const Preview& preview) {
  std::vector<bool> numbers;
  std::string out =
      "<div class=\"wide\" role=\"region\" aria-label=\"Preview\" "
      "tabindex=\"0\"><table>\n<thead><tr>";
  for (std::size_t i = 0; i < preview.columns.size(); ++i) {
    numbers.push_back(is_numeric(preview, i));
    out += numbers.back() ? "<th scope=\"col\" class=\"num\">" : "<th scope=\"col\">";
    out += escape_html(preview.columns[i]);
    if (i < preview.types.size())
      out += "<span class=\"type\">" + escape_html(beginning(preview.types[i], kMostTypeBytes)) +
             "</span>";
    out += "</th>";
  }
  out += "</tr></thead>\n<tbody>\n";
  for (const auto& row : preview.rows) {
    out += "<tr>";
    for (std::size_t i = 0; i < row.size(); ++i)
      out += render_cell(row[i], i < numbers.size() && numbers[i]);
    out += "</tr>\n";
  }
  out += "</tbody></table></div>\n<p class=\"soft\">";
  const std::string count = std::to_string(preview.rows.size());
  if (preview.more)
    out += "The first " + count + " rows. A download has all of them.";
  else if (preview.rows.empty())
    out += "The result has no rows at the moment.";
  else if (preview.rows.size() == 1)
    out += "This is the only row.";
  else
    out += "These are all " + count + " rows.";
  return out + "</p>\n";
}

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return out;
}

// "2026-10-14 12:00:00 UTC"
std::string exact_time(Micros at) {
  std::string text = format_rfc3339(at - at % kMicrosPerSecond);
  const auto t = text.find('T');
  if (t != std::string::npos) text[t] = ' ';
  if (text.ends_with('Z')) text.replace(text.size() - 1, 1, " UTC");
  return text;
}

// The name of a file without its ending: any letters, but nothing that means something to a file
// system, a shell or a header.
std::string file_stem(std::string_view name) {
  constexpr std::string_view kRisky = "/\\:*?\"<>|%;`$&'";
  std::string out;
  for (std::size_t i = 0; i < name.size() && out.size() < kMostNameBytes;) {
    const std::size_t length = utf8_sequence_length(name.substr(i));
    const auto c = static_cast<unsigned char>(name[i]);
    const bool plain =
        length > 0 && c >= 0x20 && c != 0x7F && kRisky.find(name[i]) == std::string_view::npos;
    // The C1 controls, U+0080 to U+009F.
    const bool control = length == 2 && c == 0xC2 && static_cast<unsigned char>(name[i + 1]) < 0xA0;
    if (plain && !control)
      out += name.substr(i, length);
    else
      out += '_';
    i += std::max<std::size_t>(length, 1);
  }
  while (!out.empty() && (out.back() == ' ' || out.back() == '.')) out.pop_back();
  out.erase(0, std::min(out.find_first_not_of(" .-~"), out.size()));
  return out.empty() ? "share" : out;
}

// What a button says.
std::string label_of(const std::string& format) {
  if (format == "xlsx") return "Excel";
  if (format == "parquet") return "Parquet";
  return upper(format);
}

// "1,234,567"
std::string with_thousands(std::int64_t number) {
  std::string out = std::to_string(number);
  for (std::size_t at = out.size(); at > 3; at -= 3) out.insert(at - 3, ",");
  return out;
}

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  constexpr std::string_view kPlain = "!#+-.^_~";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       kPlain.find(c) != std::string_view::npos;
    if (plain) {
      out += c;
    } else {
      out += '%';
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    }
  }
  return out;
}

}  // namespace

std::optional<Preview> parse_preview(std::string_view csv, bool whole) {
  Preview preview;
  std::vector<Preview::Cell> cells;
  std::size_t at = 0;
  if (!read_line(csv, at, cells)) return std::nullopt;
  for (Preview::Cell& cell : cells) preview.columns.push_back(std::move(cell).value_or(""));
  while (at < csv.size() && read_line(csv, at, cells)) {
    if (preview.rows.size() == kPreviewRows) {
      preview.more = true;
      return preview;
    }
    preview.rows.push_back(std::move(cells));
  }
  preview.more = !whole;
  return preview;
}

namespace {

std::string as_source(std::string_view sql) {
  const std::size_t last = sql.find_last_not_of("; \n\r\t");
  sql = sql.substr(0, last == std::string_view::npos ? 0 : last + 1);
  // The line feed ends a comment that the statement may end with.
  return "SELECT * FROM (\n" + std::string(sql) + "\n)";
}

}  // namespace

std::string first_rows_of(std::string_view sql) {
  return as_source(sql) + " LIMIT " + std::to_string(kPreviewRows + 1);
}

std::string types_of(std::string_view sql) {
  return "DESCRIBE " + as_source(sql);
}

std::string time_left(Micros left) {
  struct Unit {
    Micros seconds;
    Micros from;  // seconds from which on it is used
    const char* name;
  };
  constexpr std::array kUnits = {
      Unit{365 * 86400, 2 * 365 * 86400, "years"}, Unit{30 * 86400, 60 * 86400, "months"},
      Unit{86400, 2 * 86400, "days"}, Unit{3600, 2 * 3600, "hours"}, Unit{60, 2 * 60, "minutes"}};
  const Micros seconds = (left + kMicrosPerSecond / 2) / kMicrosPerSecond;
  for (const Unit& unit : kUnits) {
    if (seconds < unit.from) continue;
    return "in " + std::to_string((seconds + unit.seconds / 2) / unit.seconds) + " " + unit.name;
  }
  return seconds >= 60 ? "in a minute" : "in less than a minute";
}

std::string content_disposition(std::string_view name, std::string_view format) {
  const std::string stem = file_stem(name);
  const std::string file = stem + "." + std::string(format);
  std::string ascii;
  for (std::size_t i = 0; i < file.size();) {
    const std::size_t length =
        std::max<std::size_t>(utf8_sequence_length(std::string_view(file).substr(i)), 1);
    ascii += length == 1 ? file[i] : '_';
    i += length;
  }
  std::string out = "attachment; filename=\"" + ascii + "\"";
  if (ascii != file) out += "; filename*=UTF-8''" + percent_encoded(file);
  return out;
}

http::Response password_page(const std::string& trouble, int status) {
  std::string body =
      "<h1>This share has a password</h1>\n<p class=\"soft\">Whoever sent you the link knows "
      "it.</p>\n"
      "<form method=\"post\"><label for=\"password\">Password</label>\n"
      "<input type=\"password\" id=\"password\" name=\"password\" required autofocus "
      "autocomplete=\"current-password\"";
  if (!trouble.empty()) body += " aria-describedby=\"trouble\" aria-invalid=\"true\"";
  body += ">\n<button>Open</button></form>\n";
  if (!trouble.empty()) {
    std::string sentence = trouble;
    if (sentence[0] >= 'a' && sentence[0] <= 'z')
      sentence[0] = static_cast<char>(sentence[0] - 'a' + 'A');
    body +=
        "<p id=\"trouble\" role=\"alert\" class=\"trouble\">" + escape_html(sentence) + ".</p>\n";
  }
  return card_page("Password", body, status);
}

std::string render_share_page(const SharePage& page) {
  std::string out = "<h1>" + escape_html(page.name) + "</h1>\n<p class=\"soft\">This link ends ";
  out += time_left(page.expires_at - page.now) + " (<time datetime=\"" +
         format_rfc3339(page.expires_at) + "\">" + exact_time(page.expires_at) + "</time>).";
  if (page.downloads_left) {
    const bool one = *page.downloads_left == 1;
    out += " It can be downloaded " +
           (one ? "once" : std::to_string(*page.downloads_left) + " times") + " more.";
  }
  if (page.rows) {
    out += " It holds the result as it was on <time datetime=\"" + format_rfc3339(page.frozen_at) +
           "\">" + exact_time(page.frozen_at) + "</time>: " + with_thousands(*page.rows) +
           (*page.rows == 1 ? " row." : " rows.");
  } else {
    out += " Each download has the result as it is at that moment.";
  }
  out += "</p>\n<p class=\"buttons\">";
  for (const std::string& format : page.formats) {
    out += "<a href=\"" + page.id + "/data." + format + "\" download>" + label_of(format) + "</a>";
    // The same with a byte order mark, and without formulas.
    if (format == "csv")
      out +=
          "<a href=\"" + page.id + "/data.csv?spreadsheet=true\" download>CSV for spreadsheets</a>";
  }
  out += "</p>\n<h2>Preview</h2>\n";
  out += page.preview
             ? render_preview(*page.preview)
             : std::string(
                   "<p class=\"soft\">A preview cannot be had right now. The download may still "
                   "work; else come back in a moment.</p>\n");
  if (!page.formats.empty()) {
    const std::string file = "data." + page.formats.front();
    out += "<h2>From a terminal</h2>\n<pre>curl ";
    if (page.has_password) out += "-u share:PASSWORD ";
    if (page.rows) out += "-C - ";  // goes on where it broke off
    out += "-o " + file + " '" + escape_html(page.url) + "/" + file + "'</pre>\n";
  }
  return out;
}

}  // namespace sd::api
