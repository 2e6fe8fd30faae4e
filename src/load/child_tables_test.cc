// Ids of rows in mode multitable, and what their children name.
#include "load/testing/rows_fixture.h"

namespace sd::load {
namespace {

using namespace testing;

class ChildTables : public RowsTest {};

TEST_F(ChildTables, AChildsIdOfItsParentHasTheTypeOfTheParentsId) {
  const auto types = [&] {
    return query(
        "SELECT table_name || ' ' || column_name || ' ' || data_type FROM duckdb_columns() WHERE "
        "column_name IN ('id', 'p_id', 'p_c_id') ORDER BY table_name, column_name");
  };
  insert("p", R"({"id":1,"c":[{"n":1,"d":[1]}],"e":[5]})", Flatten::kMultitable);
  load();
  EXPECT_EQ(types(),
            "p id BIGINT;p_c id BIGINT;p_c p_id BIGINT;p_c_d id BIGINT;p_c_d p_c_id BIGINT;"
            "p_e id BIGINT;p_e p_id BIGINT;");
  // A parent without children, and one with a child of one of the two tables.
  insert("p", R"([{"id":"x"},{"id":2,"c":[{"n":2}]}])", Flatten::kMultitable);
  load();
  EXPECT_EQ(types(),
            "p id VARCHAR;p_c id BIGINT;p_c p_id VARCHAR;p_c_d id BIGINT;p_c_d p_c_id BIGINT;"
            "p_e id BIGINT;p_e p_id VARCHAR;");
  // A child table that is new when the ids have been text for long.
  insert("p", R"({"id":3,"f":[1]})", Flatten::kMultitable);
  load();
  EXPECT_EQ(query("SELECT p.id || ' ' || n FROM p JOIN p_c ON p.id = p_c.p_id ORDER BY n"),
            "1 1;2 2;");
  EXPECT_EQ(query("SELECT p.id FROM p JOIN p_f ON p.id = p_f.p_id"), "3;");
  // The contract of a child that keeps its types goes first.
  contract("p_e", R"({"data_type":"freeze"})");
  insert("p", R"({"id":{"deep":[1]},"flat":1})", Flatten::kMultitable);
  load();
  EXPECT_EQ(failed(), "");
}

TEST_F(ChildTables, AChildsIdOfItsParentIsNullWhereAContractTookItFromTheParent) {
  insert("p", R"({"id":1,"c":[{"n":1}]})", Flatten::kMultitable);
  load();
  contract("p", R"({"data_type":"discard_value"})");
  insert("p", R"([{"id":"x","c":[{"n":2}]},{"id":3,"c":[{"n":3}]}])", Flatten::kMultitable);
  load();
  EXPECT_EQ(query("SELECT coalesce(id::VARCHAR, 'null') FROM p ORDER BY __row_id"), "1;null;3;");
  EXPECT_EQ(query("SELECT coalesce(p_id::VARCHAR, 'null') FROM p_c ORDER BY n"), "1;null;3;");
  EXPECT_EQ(query("SELECT count(*) FROM p JOIN p_c ON p.__row_id = p_c.__parent_row_id"), "3;");
}

TEST_F(ChildTables, AParentsIdThatAChildBringsAsNullOrTakenApartIsNotBrought) {
  insert(
      "p",
      R"({"c":[{"p_id":null,"n":1},{"p_id":{"x":1},"n":2},{"p_id":[3],"n":3},{"p_id":7,"n":4}]})",
      Flatten::kMultitable);
  insert("q", R"({"q_id":[null,5]})", Flatten::kMultitable);
  load();
  EXPECT_EQ(query("SELECT c.n || ' ' || (c.p_id = p.id) FROM p_c c, p ORDER BY n"),
            "1 true;2 true;3 true;4 false;");
  EXPECT_EQ(columns("p_c"), "__parent_row_id BIGINT;p_id BIGINT;n BIGINT;id BIGINT;p_id_x BIGINT;");
  EXPECT_EQ(query("SELECT c.q_id = q.id FROM q_q_id c, q ORDER BY c.__row_id"), "true;false;");
}

TEST_F(ChildTables, AParentsIdIsNeverAChildsOwnRowId) {
  insert("__row", R"({"id":100,"t":[1,2]})", Flatten::kMultitable);
  load();
  EXPECT_EQ(query("SELECT count(DISTINCT __row_id) || ' ' || max(\"__row_id_2\") FROM \"__row_t\""),
            "2 100;");
}

TEST_F(ChildTables, AnIdInAnyCaseIsTheOneThatChildrenName) {
  insert("p", R"([{"id":101,"c":[1]},{"ID":105,"c":[2]},{"Id":null,"c":[3]}])",
         Flatten::kMultitable);
  insert("p", R"({"c":[{"P_ID":9}]})", Flatten::kMultitable);
  load();
  EXPECT_EQ(query("SELECT p.id FROM p JOIN p_c ON p.id = p_c.p_id WHERE c < 3 ORDER BY c"),
            "101;105;");
  EXPECT_EQ(query("SELECT count(*) FROM p JOIN p_c ON p.id = p_c.p_id"), "3;");
  EXPECT_EQ(query("SELECT p_id FROM p_c WHERE p_id = 9"), "9;");
  EXPECT_EQ(columns("p"), "id BIGINT;");
}

}  // namespace
}  // namespace sd::load
