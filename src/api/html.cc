#include "api/html.h"

namespace sd::api {
namespace {

constexpr std::string_view kStyle =
    ":root{color-scheme:light "
    "dark;--fg:#1c2024;--bg:#fff;--soft:#f4f5f7;--line:#d9dce1;--accent:#1d4ed8;--trouble:#b42318}"
    "@media(prefers-color-scheme:dark){:root{--fg:#e6e8eb;--bg:#14161a;--soft:#1e2127;--line:#"
    "363b44;"
    "--accent:#8ab4ff;--trouble:#ff9a8f}}"
    "body{font:16px/1.55 system-ui,-apple-system,'Segoe UI',Roboto,sans-serif;color:var(--fg);"
    "background:var(--bg);max-width:60rem;margin:2.5rem auto;padding:0 1.2rem}"
    "h1{font-size:1.6rem;margin:0 0 .4rem}h2{font-size:1.1rem;margin-top:2rem}"
    "pre{background:var(--soft);border:1px solid var(--line);border-radius:8px;padding:.8rem 1rem;"
    "overflow-x:auto;font:14px/1.5 ui-monospace,'SF Mono',Menlo,Consolas,monospace}"
    "code{font:14px ui-monospace,Menlo,Consolas,monospace}a{color:var(--accent)}"
    ".small{font-size:.85rem;opacity:.8}"
    ".buttons a{display:inline-block;padding:.5rem 1rem;margin:0 .5rem .5rem 0;border:1px solid "
    "var(--accent);border-radius:8px;text-decoration:none;font-weight:600}"
    ".wide{overflow-x:auto;border:1px solid var(--line);border-radius:8px}"
    "table{border-collapse:collapse;font-size:.9rem;width:100%}"
    "th,td{text-align:left;padding:.35rem .8rem;border-bottom:1px solid "
    "var(--line);white-space:nowrap;"
    "max-width:26rem;overflow:hidden;text-overflow:ellipsis}"
    "tbody tr:last-child td{border-bottom:0}th{background:var(--soft)}"
    ".num{text-align:right;font-variant-numeric:tabular-nums}.null{opacity:.5;font-style:italic}"
    ".type{display:block;font-weight:400;font-size:.75rem;opacity:.7}"
    "form{display:flex;flex-wrap:wrap;gap:.6rem;align-items:center;margin:1.2rem 0}"
    "label{font-weight:600}input{font:inherit;padding:.45rem .7rem;border:1px solid var(--line);"
    "border-radius:8px;background:var(--bg);color:var(--fg);min-width:14rem}"
    "button{font:inherit;font-weight:600;padding:.5rem 1.2rem;border:1px solid var(--accent);"
    "border-radius:8px;background:var(--accent);color:var(--bg);cursor:pointer}"
    ".trouble{color:var(--trouble)}"
    "@media print{.buttons,form{display:none}.wide{overflow:visible}"
    "td,th{white-space:normal;max-width:none}}";

}  // namespace

std::string escape_html(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

void add_page_policy(http::Headers& headers, const std::vector<std::string>& framers) {
  std::string policy =
      "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'self'; "
      "frame-ancestors";
  for (const std::string& origin : framers) policy += " " + origin;
  if (framers.empty()) policy += " 'none'";
  headers.emplace_back("Content-Security-Policy", std::move(policy));
  // Knows no list: browsers that have frame-ancestors pass over it.
  if (framers.empty()) headers.emplace_back("X-Frame-Options", "DENY");
  headers.emplace_back("Referrer-Policy", "no-referrer");
}

http::Response page(std::string_view title, std::string_view body, int status,
                    const std::vector<std::string>& framers) {
  std::string html =
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
      "<title>";
  html += escape_html(title);
  html += "</title>\n<style>";
  html += kStyle;
  html += "</style>\n</head>\n<body>\n";
  html += body;
  html += "</body>\n</html>\n";
  http::Response response = http::html_response(std::move(html), status);
  add_page_policy(response.headers, framers);
  response.headers.emplace_back("X-Content-Type-Options", "nosniff");
  response.headers.emplace_back("Cache-Control", "no-store");
  return response;
}

}  // namespace sd::api
