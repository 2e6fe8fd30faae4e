// Columns of types that we never make, held against DuckDB's own casts: what json::ForeignType takes arrives as the very
// number, and what it does not take would not.
#include "destinations/duckdb/append_rows.h"

#include <gtest/gtest.h>

#include <random>

#include "destinations/duckdb/rows.h"
#include "json/foreign_type.h"

namespace sd::destinations::duckdb {
namespace {

// Numbers about the edges of the types, and anything between.
std::string random_number(std::mt19937_64& random) {
  static const std::vector<std::string> kEdges = {"127",
                                                  "128",
                                                  "255",
                                                  "256",
                                                  "32767",
                                                  "32768",
                                                  "65535",
                                                  "65536",
                                                  "2147483647",
                                                  "2147483648",
                                                  "4294967295",
                                                  "4294967296",
                                                  "9223372036854775807",
                                                  "9223372036854775808",
                                                  "18446744073709551615",
                                                  "18446744073709551616",
                                                  "99999999",
                                                  "100000000",
                                                  "16777216",
                                                  "16777217"};
  std::string out = random() % 3 == 0 ? "-" : "";
  const auto digits = [&](std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) out += static_cast<char>('0' + random() % 10);
  };
  if (random() % 2 == 0) {
    out += kEdges[random() % kEdges.size()];
  } else {
    out += static_cast<char>('1' + random() % 9);
    digits(random() % 12);
  }
  if (random() % 2 == 0) {
    out += '.';
    digits(1 + random() % 4);
    if (random() % 2 == 0) out += "00";
  }
  if (random() % 8 == 0) out += random() % 2 == 0 ? "e2" : "e-3";
  return out;
}

TEST(AppendRows, ForeignNumericColumnsTakeExactlyWhatDuckdbHoldsWithoutALoss) {
  Database database;
  Connection connection;
  ASSERT_EQ(duckdb_open(nullptr, database.out()), DuckDBSuccess);
  ASSERT_EQ(duckdb_connect(database.get(), connection.out()), DuckDBSuccess);
  std::mt19937_64 random(11);
  for (const char* sql :
       {"TINYINT", "SMALLINT", "INTEGER", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT",
        "DECIMAL(10,2)", "DECIMAL(18,0)", "DECIMAL(9,9)", "DECIMAL(38,4)"}) {
    const json::ForeignType type(sql);
    int taken = 0;
    for (int i = 0; i < 400; ++i) {
      const std::string token = random_number(random);
      const bool is_integer = token.find_first_of(".e") == std::string::npos;
      const auto spelled = type.spell(json::classify_number(token, is_integer));
      taken += spelled ? 1 : 0;
      const std::string exact = "CAST('" + token + "' AS DECIMAL(38,12))";
      const auto held = fetch(connection.get(), "SELECT coalesce(CAST(TRY_CAST('" +
                                                    spelled.value_or(token) + "' AS " + sql +
                                                    ") AS DECIMAL(38,12)) = " + exact + ", false)");
      ASSERT_TRUE(held) << held.error().message;
      EXPECT_EQ((*held)[0].text(0) == "true", spelled.has_value())
          << sql << " " << token << " " << spelled.value_or("-");
    }
    EXPECT_GT(taken, 4) << sql;
  }
}

}  // namespace
}  // namespace sd::destinations::duckdb
