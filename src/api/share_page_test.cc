#include "api/share_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sd::api {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr Micros kDay = 86400 * kMicrosPerSecond;

SharePage simple_page() {
  SharePage page;
  page.id = "0f0f";
  page.url = "https://data.example/share/0f0f";
  page.name = "Sales <2026>";
  page.now = 1'700'000'000'123'456;
  page.expires_at = page.now + 7 * kDay;
  page.formats = {"csv", "json"};
  page.preview = parse_preview("user,n\nalice,1\n<b>,\n", true);
  return page;
}

TEST(Preview, TellsNullFromTheEmptyString) {
  const auto preview = parse_preview("a,b\n,\"\"\n", true);
  ASSERT_TRUE(preview);
  EXPECT_THAT(preview->columns, testing::ElementsAre("a", "b"));
  ASSERT_EQ(preview->rows.size(), 1U);
  EXPECT_EQ(preview->rows[0][0], std::nullopt);
  EXPECT_EQ(preview->rows[0][1], "");
}

TEST(Preview, ReadsQuotesCommasAndLineBreaksInsideOfFields) {
  const auto preview = parse_preview("a\n\"x, \"\"y\"\"\nz\"\n\n", true);
  ASSERT_TRUE(preview);
  ASSERT_EQ(preview->rows.size(), 2U);
  EXPECT_EQ(preview->rows[0][0], "x, \"y\"\nz");
  EXPECT_EQ(preview->rows[1][0], std::nullopt) << "an empty line is a row of one null";
}

TEST(Preview, LeavesOutALineThatWasCut) {
  for (const char* cut : {"a,b\n1,2\n3", "a,b\n1,2\n3,", "a,b\n1,2\n3,\"x", "a,b\n1,2\n3,\"x\""}) {
    const auto preview = parse_preview(cut, false);
    ASSERT_TRUE(preview) << cut;
    EXPECT_EQ(preview->rows.size(), 1U) << cut;
    EXPECT_TRUE(preview->more) << cut;
  }
  EXPECT_FALSE(parse_preview("a,\"b", false));
  EXPECT_FALSE(parse_preview("", true));
}

TEST(Preview, ShowsSoManyRowsAndSaysWhetherThereAreMore) {
  std::string csv = "n\n";
  for (std::size_t i = 0; i < kPreviewRows; ++i) csv += std::to_string(i) + "\n";
  EXPECT_FALSE(parse_preview(csv, true)->more);
  const auto more = parse_preview(csv + "1\n", true);
  EXPECT_TRUE(more->more);
  EXPECT_EQ(more->rows.size(), kPreviewRows);
}

TEST(Preview, WrapsAStatementWhateverItEndsWith) {
  EXPECT_EQ(first_rows_of("SELECT 1 ; \n"), "SELECT * FROM (\nSELECT 1\n) LIMIT 101");
  EXPECT_EQ(first_rows_of("SELECT 1 -- all"), "SELECT * FROM (\nSELECT 1 -- all\n) LIMIT 101");
}

TEST(TimeLeft, SpeaksInTheUnitThatPeopleWouldUse) {
  EXPECT_EQ(time_left(0), "in less than a minute");
  EXPECT_EQ(time_left(59 * kMicrosPerSecond), "in less than a minute");
  EXPECT_EQ(time_left(90 * kMicrosPerSecond), "in a minute");
  EXPECT_EQ(time_left(3600 * kMicrosPerSecond), "in 60 minutes");
  EXPECT_EQ(time_left(kDay), "in 24 hours");
  EXPECT_EQ(time_left(7 * kDay - 1000), "in 7 days");
  EXPECT_EQ(time_left(90 * kDay), "in 3 months");
  EXPECT_EQ(time_left(3650 * kDay), "in 10 years");
}

TEST(ContentDisposition, KeepsAPlainName) {
  EXPECT_EQ(content_disposition("Sales 2026", "csv"), "attachment; filename=\"Sales 2026.csv\"");
}

TEST(ContentDisposition, GivesOtherLettersInBothSpellings) {
  EXPECT_EQ(content_disposition("Umsätze", "json"),
            "attachment; filename=\"Ums_tze.json\"; filename*=UTF-8''Ums%C3%A4tze.json");
}

TEST(ContentDisposition, NamesNoPathAndEndsNoHeader) {
  EXPECT_EQ(content_disposition("../../etc/passwd", "csv"),
            "attachment; filename=\"_.._etc_passwd.csv\"");
  EXPECT_EQ(content_disposition("a\"\r\nSet-Cookie: x", "csv"),
            "attachment; filename=\"a___Set-Cookie_ x.csv\"");
  EXPECT_EQ(content_disposition("...", "csv"), "attachment; filename=\"share.csv\"");
  EXPECT_EQ(content_disposition("", "csv"), "attachment; filename=\"share.csv\"");
  EXPECT_EQ(content_disposition("\xFF\xC2\x85", "csv"), "attachment; filename=\"__.csv\"");
}

TEST(ContentDisposition, CutsALongNameBetweenCharacters) {
  std::string name;
  for (int i = 0; i < 200; ++i) name += "ä";
  std::string encoded;
  for (int i = 0; i < 50; ++i) encoded += "%C3%A4";
  EXPECT_THAT(content_disposition(name, "csv"), HasSubstr("UTF-8''" + encoded + ".csv"));
}

TEST(SharePage, SaysWhenTheLinkEndsInWordsAndExactly) {
  const std::string html = render_share_page(simple_page());
  EXPECT_THAT(html, HasSubstr("in 7 days"));
  EXPECT_THAT(html, HasSubstr("2023-11-21 22:13:20 UTC</time>"));
}

TEST(SharePage, ShowsNamesAndValuesAsTextOnly) {
  const std::string html = render_share_page(simple_page());
  EXPECT_THAT(html, HasSubstr("<h1>Sales &lt;2026&gt;</h1>"));
  EXPECT_THAT(html, HasSubstr("<td>&lt;b&gt;</td>"));
  EXPECT_THAT(html, HasSubstr("<span class=\"null\">null</span>"));
  EXPECT_THAT(html, HasSubstr("These are all 2 rows."));
}

TEST(SharePage, OffersTheFormatsOfTheShareAndACurlLine) {
  const std::string html = render_share_page(simple_page());
  EXPECT_THAT(html, HasSubstr("<a href=\"0f0f/data.csv\" download>CSV</a><a "
                              "href=\"0f0f/data.csv?spreadsheet=true\" download>CSV for "
                              "spreadsheets</a><a href=\"0f0f/data.json\" download>JSON</a>"));
  EXPECT_THAT(html, Not(HasSubstr("NDJSON")));
  EXPECT_THAT(html, HasSubstr("curl -o data.csv 'https://data.example/share/0f0f/data.csv'"));
}

TEST(SharePage, SetsNumbersToTheRightAndNothingElse) {
  SharePage page = simple_page();
  page.preview = parse_preview("a,b,c,d\n1,2026-11-01,-1.5e+22,\n,2026-11-02,NaN,\n", true);
  const std::string html = render_share_page(page);
  EXPECT_THAT(html, HasSubstr("class=\"num\">a</th><th scope=\"col\">b</th><th scope=\"col\" "
                              "class=\"num\">c</th><th scope=\"col\">d</th>"));
}

TEST(SharePage, ShowsTheTypesWhereTheyAreKnown) {
  SharePage page = simple_page();
  page.preview = parse_preview("a,b\n1,2\n", true);
  page.preview->types = {"BIGINT", "ENUM('<x>')"};
  const std::string html = render_share_page(page);
  EXPECT_THAT(html, HasSubstr("a<span class=\"type\">BIGINT</span></th>"));
  EXPECT_THAT(html, HasSubstr("b<span class=\"type\">ENUM(&#39;&lt;x&gt;&#39;)</span></th>"));
}

TEST(SharePage, SaysHowThePasswordIsSent) {
  SharePage page = simple_page();
  EXPECT_THAT(render_share_page(page), Not(HasSubstr("PASSWORD")));
  page.has_password = true;
  EXPECT_THAT(render_share_page(page), HasSubstr("curl -u share:PASSWORD -o data.csv '"));
}

TEST(PasswordPage, SaysWhatWasWrongAndNothingOfTheShare) {
  const http::Response first = password_page("", 401);
  EXPECT_EQ(first.status, 401);
  EXPECT_THAT(first.body, HasSubstr("<form method=\"post\">"));
  EXPECT_THAT(first.body, Not(HasSubstr("role=\"alert\"")));
  const http::Response again = password_page("too many <tries>", 429);
  EXPECT_EQ(again.status, 429);
  EXPECT_THAT(again.body, HasSubstr("role=\"alert\" class=\"trouble\">Too many &lt;tries&gt;."));
}

TEST(SharePage, SaysSoWhereThereIsNoPreview) {
  SharePage page = simple_page();
  page.preview.reset();
  page.downloads_left = 1;
  const std::string html = render_share_page(page);
  EXPECT_THAT(html, HasSubstr("A preview cannot be had right now."));
  EXPECT_THAT(html, HasSubstr("downloaded once more"));
}

TEST(SharePage, CutsLongValuesBetweenCharacters) {
  SharePage page = simple_page();
  std::string value;
  for (int i = 0; i < 1000; ++i) value += "€";
  page.preview = parse_preview("a\n" + value + "\n", true);
  const std::string html = render_share_page(page);
  EXPECT_THAT(html, HasSubstr("€…</td>"));
  EXPECT_LT(html.size(), 2000U);
}

}  // namespace
}  // namespace sd::api
