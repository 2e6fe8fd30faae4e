#include "api/html.h"

namespace sd::api {
namespace {

// The dashboard's colours and measures: web/src/style.css.
constexpr std::string_view kStyle =
    ":root{color-scheme:light dark;--bg:#f7f7f5;--panel:#fff;--ink:#1b1e22;--soft:#59626d;"
    "--line:#dfe2e6;--hover:#eef0f3;--accent:#2b54d8;--accent-ink:#fff;--bad:#b3261e;"
    "--bad-soft:#fdeceb;--mono:ui-monospace,SFMono-Regular,Menlo,Consolas,'Liberation "
    "Mono',monospace}"
    "@media(prefers-color-scheme:dark){:root{--bg:#0f1113;--panel:#16191d;--ink:#e7e9ec;"
    "--soft:#9ea7b1;--line:#2b3037;--hover:#1e2228;--accent:#8fb2ff;--accent-ink:#0f1216;"
    "--bad:#ff8f86;--bad-soft:#351c1a}}"
    "*{box-sizing:border-box}"
    "body{margin:0;color:var(--ink);background:var(--bg);font:15px/1.5 system-ui,-apple-system,"
    "'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif}"
    "main{max-width:64rem;margin:0 auto;padding:2.4rem 1.2rem 4rem}"
    "h1{font-size:1.45rem;line-height:1.25;letter-spacing:-.01em;margin:0;overflow-wrap:anywhere}"
    "h2{font-size:1.05rem;margin:2rem 0 .7rem}p{margin:.5rem 0;max-width:70ch}"
    ".soft{color:var(--soft)}:focus-visible{outline:2px solid var(--accent);outline-offset:2px}"
    "pre{background:var(--panel);border:1px solid var(--line);border-radius:8px;margin:0;"
    "padding:.7rem .9rem;white-space:pre-wrap;overflow-wrap:anywhere;font:.9em/1.5 var(--mono)}"
    ".buttons{display:flex;flex-wrap:wrap;gap:.6rem;margin:1.2rem 0 0;max-width:none}"
    ".buttons a,button{font:inherit;font-weight:550;line-height:1.4;padding:.4rem .85rem;"
    "border:1px solid var(--line);border-radius:8px;background:var(--panel);color:var(--ink);"
    "text-decoration:none;cursor:pointer}.buttons a:hover{background:var(--hover)}"
    ".buttons a:first-child,button{background:var(--accent);border-color:var(--accent);"
    "color:var(--accent-ink)}.buttons a:first-child:hover,button:hover{background:color-mix(in "
    "srgb,var(--accent) 88%,var(--ink))}"
    ".wide{overflow-x:auto;background:var(--panel);border:1px solid var(--line);"
    "border-radius:10px}"
    "table{border-collapse:collapse;width:100%}"
    "th,td{text-align:left;vertical-align:top;padding:.45rem .9rem;"
    "border-bottom:1px solid var(--line);white-space:nowrap;max-width:26rem;overflow:hidden;"
    "text-overflow:ellipsis}th{font-size:.87rem;font-weight:600}td{font-size:.93rem}"
    "tbody tr:last-child td{border-bottom:0}"
    ".num{text-align:right;font-variant-numeric:tabular-nums}"
    ".null{color:var(--soft);font-style:italic}"
    ".type{display:block;font-weight:400;font-size:.83em;color:var(--soft)}"
    ".card{min-height:100vh;display:grid;place-items:center;padding:1rem}"
    ".card section{background:var(--panel);border:1px solid var(--line);border-radius:10px;"
    "padding:1.8rem;width:min(26rem,100%)}"
    "form{display:grid;gap:.3rem;margin:1.2rem 0 0}label{font-weight:550}"
    "input{font:inherit;color:inherit;background:var(--panel);padding:.4rem .6rem;min-width:0;"
    "border:1px solid color-mix(in srgb,var(--line) 70%,var(--soft));border-radius:8px}"
    "form button{margin-top:.7rem}"
    ".trouble{background:var(--bad-soft);color:var(--bad);border-radius:8px;padding:.6rem .9rem;"
    "margin:1rem 0 0}"
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

namespace {

// `body` with what is around it: its <main>, too.
http::Response whole_page(std::string_view title, std::string_view body, int status,
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

}  // namespace

http::Response page(std::string_view title, std::string_view body,
                    const std::vector<std::string>& framers) {
  return whole_page(title, "<main>\n" + std::string(body) + "</main>\n", 200, framers);
}

http::Response card_page(std::string_view title, std::string_view body, int status) {
  const std::string card =
      "<main class=\"card\"><section>\n" + std::string(body) + "</section></main>\n";
  return whole_page(title, card, status, {});
}

}  // namespace sd::api
