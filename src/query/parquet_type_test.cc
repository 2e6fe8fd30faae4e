#include "query/parquet_type.h"

#include "query/test_database.h"

namespace sd::query::testing {
namespace {

TEST(ParquetType, IsAnotherOnlyForWhatTheWriterWouldNotKeep) {
  const TestDatabase database;
  const auto type_of = [&](const std::string& type) {
    const ResultShape shape = database.shape("SELECT NULL::" + type + " AS v");
    return parquet_type(shape.columns().front().type).value_or("as it is");
  };
  EXPECT_EQ(type_of("BIGINT"), "as it is");
  EXPECT_EQ(type_of("DECIMAL(38,10)"), "as it is");
  EXPECT_EQ(type_of("STRUCT(a INTEGER, b VARCHAR[])"), "as it is");
  EXPECT_EQ(type_of("JSON"), "as it is");
  EXPECT_EQ(type_of("HUGEINT"), "DECIMAL(38,0)");
  EXPECT_EQ(type_of("UHUGEINT"), "DECIMAL(38,0)");
  EXPECT_EQ(type_of("TIMETZ"), "VARCHAR");
  EXPECT_EQ(type_of("INTERVAL"), "VARCHAR");
  EXPECT_EQ(type_of("UNION(num INTEGER, str VARCHAR)"), "JSON");
  EXPECT_EQ(type_of("HUGEINT[2]"), "DECIMAL(38,0)[2]");
  EXPECT_EQ(type_of("MAP(VARCHAR, STRUCT(a INTERVAL, \"b c\" DATE)[])"),
            "MAP(VARCHAR, STRUCT(\"a\" VARCHAR, \"b c\" DATE)[])");
}

TEST(ParquetType, GivesNamesToTheMembersOfStructsWithoutAny) {
  const TestDatabase database;
  const std::string sql =
      "SELECT row(1::HUGEINT, 'x') AS r, [row(1, INTERVAL 1 month)] AS l, MAP {'x': (1, "
      "2::HUGEINT)} AS m, list((a, b)) AS g, row(1, {'n': 3::HUGEINT}) AS d, row(4, 5) AS p FROM "
      "(SELECT 1 AS a, "
      "sum(2) AS b)";
  const auto cast = cast_for_parquet(sql, database.shape(sql));
  ASSERT_TRUE(cast);
  EXPECT_EQ(database.ndjson(*cast),
            "{\"r\":{\"1\":1,\"2\":\"x\"},\"l\":[{\"1\":1,\"2\":\"1 month\"}],"
            "\"m\":{\"x\":{\"1\":1,\"2\":2}},\"g\":[{\"1\":1,\"2\":2}],"
            "\"d\":{\"1\":1,\"2\":{\"n\":3}},\"p\":{\"1\":4,\"2\":5}}\n");
}

TEST(ParquetType, CastsColumnsByTheirPlaces) {
  const TestDatabase database;
  const std::string plain = "SELECT 1 AS a, 'x' AS a";
  EXPECT_FALSE(cast_for_parquet(plain, database.shape(plain)));
  const std::string sql = "SELECT 1::HUGEINT AS a, 2 AS a, 3::HUGEINT AS \"q\"\"\" -- the end";
  const auto cast = cast_for_parquet(sql, database.shape(sql));
  ASSERT_TRUE(cast);
  const ResultShape shape = database.shape(*cast);
  ASSERT_EQ(shape.columns().size(), 3U);
  EXPECT_EQ(shape.columns()[0].name, "a");
  EXPECT_EQ(shape.columns()[1].name, "a_1");
  EXPECT_EQ(shape.columns()[2].name, "q\"");
  EXPECT_EQ(database.ndjson(*cast), "{\"a\":1,\"a_1\":2,\"q\\\"\":3}\n");
}

}  // namespace
}  // namespace sd::query::testing
