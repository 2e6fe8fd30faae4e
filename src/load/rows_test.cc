// Flatten modes, times, contracts, from the journal into a DuckDB file.
#include "load/testing/rows_fixture.h"

namespace sd::load {
namespace {

using namespace testing;

// ---- times

TEST_F(RowsTest, LinesOfCsvThatWereNoRowsKeepTheirReasonAndOnlyWhereTheBodyWasCsv) {
  const std::string body = R"([["too-many-fields","line 2 has 2 fields","1,2"],{"a":1},7])";
  append(journal::RecordKind::kInsert,
         encode_insert_head({.body = BodyKind::kCsv, .table = "of_csv"}), body, 3);
  insert("of_json", body);
  load();
  EXPECT_EQ(failed(),
            "too-many-fields \"1,2\";not-an-object 7;"
            "not-an-object [\"too-many-fields\",\"line 2 has 2 fields\",\"1,2\"];not-an-object 7;");
  EXPECT_EQ(query("SELECT detail FROM db._scratch.failed_rows WHERE code = 'too-many-fields'"),
            "line 2 has 2 fields;");
}

TEST_F(RowsTest, TimesWithAZoneBecomeTimesAndEverythingElseStaysText) {
  insert(
      "t",
      R"([{"at":"2024-02-29T12:00:00.5+02:00","local":"2024-02-29T12:00:00","day":"2024-02-29","zip":"01234"},
                  {"at":"1969-12-31T23:59:59Z","local":"x","day":"y","zip":"1"}])");
  load();
  EXPECT_EQ(columns("t"), "at TIMESTAMP WITH TIME ZONE;local VARCHAR;day VARCHAR;zip VARCHAR;");
  EXPECT_EQ(query("SELECT epoch_us(\"at\") FROM t ORDER BY __row_id"),
            "1709200800500000;-1000000;");
}

TEST_F(RowsTest, ATimeColumnThatMeetsTextKeepsEveryValueReadable) {
  insert("t", R"([{"at":"2024-01-01T00:00:00.25+01:00"},{"at":"2024-01-01T00:00:00Z"}])");
  load();
  insert("t", R"({"at":"soon"})");
  load();
  EXPECT_EQ(columns("t"), "at VARCHAR;");
  EXPECT_EQ(query("SELECT \"at\" FROM t ORDER BY __row_id"),
            "2023-12-31T23:00:00.250000Z;2024-01-01T00:00:00Z;soon;");
  insert("u", R"({"at":"2024-01-01T00:00:00Z"})");
  load();
  insert("u", R"({"at":[]})");
  load();
  EXPECT_EQ(query("SELECT \"at\" FROM u ORDER BY __row_id"), "\"2024-01-01T00:00:00Z\";[];");
}

TEST_F(RowsTest, TimesCanBeSwitchedOffForATable) {
  contract("T", R"({"timestamps":false})");
  insert("t", R"({"at":"2024-01-01T00:00:00Z"})");
  load();
  EXPECT_EQ(columns("t"), "at VARCHAR;");
}

// ---- flatten modes

TEST_F(RowsTest, EachModeBringsItsRows) {
  const std::string row = R"({"u":"x","items":[{"sku":1},{"sku":2}]})";
  insert("v", row, Flatten::kVertical);
  insert("m", row, Flatten::kMultitable);
  insert("n", row, Flatten::kNone);
  load();
  EXPECT_EQ(query("SELECT u || items_sku || __order_items || ___document_id || __row_id FROM v "
                  "ORDER BY ALL"),
            "x1011;x2112;");
  EXPECT_EQ(query("SELECT m.u || i.sku || i.__row_id FROM m JOIN m_items i ON i.m_id = m.id AND "
                  "i.__parent_row_id = m.__row_id ORDER BY ALL"),
            "x14;x25;");
  EXPECT_EQ(query("SELECT table_name || rows FROM db._scratch.request_tables ORDER BY ALL"),
            "m1;m_items2;v2;");
  EXPECT_EQ(state_.rows_loaded, 3U) << "rows of requests are counted, whatever they became";
}

TEST_F(RowsTest, AParentsIdIsStoredWithItsChildrenAsItIsWithTheParent) {
  const std::string body = R"({"id":"2024-01-01T00:00:00+02:00","c":[{"x":1},2]})";
  insert("t", body, Flatten::kMultitable);
  contract("u", R"({"timestamps":false})");
  insert("u", body, Flatten::kMultitable);
  load();
  EXPECT_EQ(query("SELECT any_value(typeof(t.id)) || count(*) FROM t JOIN t_c ON t.id = t_id AND "
                  "typeof(t.id) = typeof(t_id)"),
            "TIMESTAMP WITH TIME ZONE2;");
  EXPECT_EQ(query("SELECT any_value(typeof(u.id)) || count(*) FROM u JOIN u_c ON u.id = u_id AND "
                  "typeof(u.id) = typeof(u_id)"),
            "VARCHAR2;");
}

TEST_F(RowsTest, TheContractSaysHowRowsAreFlattenedWhereTheRequestDoesNot) {
  contract("t", R"({"flatten":"vertical"})");
  insert("t", R"({"a":[1,2]})");
  insert("t", R"({"a":[3]})", Flatten::kHorizontal);
  load();
  EXPECT_EQ(query("SELECT coalesce(a, a_0) FROM t ORDER BY ALL"), "1;2;3;");
  contract("d", R"({"flatten_depth":1})");
  insert("d", R"({"a":{"b":1}})");
  load();
  EXPECT_EQ(columns("d"), "a JSON;");
}

TEST_F(RowsTest, AProductThatIsTooLargeIsAFailedRow) {
  insert("t", R"([{"a":[1,2,3]},{"a":[4]}])", Flatten::kVertical);
  load({.max_rows_of_a_row = 2});
  EXPECT_EQ(query("SELECT a FROM t"), "4;");
  EXPECT_EQ(failed(), "too-many-rows {\"a\":[1,2,3]};");
  retry();
  load();
  EXPECT_EQ(query("SELECT a FROM t ORDER BY a"), "1;2;3;4;");
  EXPECT_EQ(failed(), "");
}

// What stands outside of the arrays is repeated in every row: a small document can be a large table.
TEST_F(RowsTest, ADocumentWhoseRowsWouldHoldTooMuchTextIsAFailedRow) {
  std::string list = "[0";
  for (int i = 1; i < 100; ++i) list += "," + std::to_string(i);
  list += "]";
  const auto document = [&](std::size_t size) {
    return R"({"s":")" + std::string(size, 'x') + R"(","a":)" + list + R"(,"b":)" + list + "}";
  };
  insert("fits", document(6'000), Flatten::kVertical);
  insert("not", document(7'000), Flatten::kVertical);
  const std::string id = R"({"id":")" + std::string(1'000'000, 'i') + R"(","c":)";
  insert("kin", id + list + "}", Flatten::kMultitable);
  insert("few", id + "[1,2,3]}", Flatten::kMultitable);
  load();
  EXPECT_EQ(query("SELECT count(*) FROM fits"), "10000;");
  EXPECT_EQ(query("SELECT count(*) FROM few_c"), "3;");
  EXPECT_EQ(query("SELECT table_name || ' ' || code || ' ' || detail FROM db._scratch.failed_rows "
                  "ORDER BY position"),
            "not too-many-rows the row would become more than 67108864 bytes of text;"
            "kin too-many-rows the row would become more than 67108864 bytes of text;");
}

// ---- native nested values

TEST_F(RowsTest, NestedValuesBecomeNativeWhereTheirShapesAgree) {
  insert(
      "n",
      R"([{"o":{"a":1,"b":["x",null]},"l":[1,2.5],"m":[{"k":1},{"z":true}],"at":["2024-01-01T00:00:00Z"]},
                  {"o":{"b":[]},"l":[]}, {"o":null}, {"l":[9007199254740993]}])",
      Flatten::kNone);
  load();
  EXPECT_EQ(columns("n"),
            "o STRUCT(a BIGINT, b VARCHAR[]);l DECIMAL(38,1)[];m STRUCT(k BIGINT, z BOOLEAN)[];"
            "at TIMESTAMP WITH TIME ZONE[];");
  EXPECT_EQ(
      query(
          "SELECT coalesce(o::VARCHAR, '-') || coalesce(l::VARCHAR, '-') FROM n ORDER BY __row_id"),
      "{'a': 1, 'b': [x, NULL]}[1.0, 2.5];{'a': NULL, 'b': []}[];--;-[9007199254740993.0];");
  EXPECT_EQ(query("SELECT m[1].k || ':' || m[2].z FROM n WHERE m IS NOT NULL"), "1:true;");
}

TEST_F(RowsTest, NativeColumnsWidenInPlaceAndKeepEveryValue) {
  insert("n", R"([{"o":{"a":1,"s":{}},"l":[1,null]},{"o":{"a":2,"s":{}},"l":[]}])", Flatten::kNone);
  load();
  EXPECT_EQ(columns("n"), "o STRUCT(a BIGINT, s JSON);l BIGINT[];");
  insert("n", R"({"o":{"a":1.5,"s":{"x":"y"},"new":[[1]]},"l":["t"]})", Flatten::kNone);
  load();
  EXPECT_EQ(columns("n"),
            "o STRUCT(a DOUBLE, s STRUCT(x VARCHAR), \"new\" BIGINT[][]);l VARCHAR[];");
  EXPECT_EQ(query("SELECT o::VARCHAR || l::VARCHAR FROM n ORDER BY __row_id"),
            "{'a': 1.0, 's': {'x': NULL}, 'new': NULL}[1, NULL];{'a': 2.0, 's': {'x': NULL}, "
            "'new': NULL}[];"
            "{'a': 1.5, 's': {'x': y}, 'new': [[1]]}[t];");
  EXPECT_EQ(query("SELECT from_type || ' -> ' || to_type FROM db._scratch.schema_log WHERE event = "
                  "'widen' AND "
                  "column_name = 'l'"),
            "BIGINT[] -> VARCHAR[];");
}

TEST_F(RowsTest, NestedValuesThatDoNotAgreeBecomeJson) {
  insert(
      "n",
      R"([{"a":{"x":1,"big":123456789012345678901234567890},"b":[1],"c":{"k":1,"K":2},"d":[{"t":"q\"\\"},[1]]}])",
      Flatten::kNone);
  load();
  EXPECT_EQ(columns("n"), "a STRUCT(x BIGINT, big HUGEINT);b BIGINT[];c JSON;d JSON[];");
  insert("n", R"([{"a":[1],"b":{"y":1},"c":1,"d":"text"}])", Flatten::kNone);
  load();
  EXPECT_EQ(columns("n"), "a JSON;b JSON;c JSON;d JSON;");
  EXPECT_EQ(
      query("SELECT a || b || c || d FROM n ORDER BY __row_id"),
      R"({"x":1,"big":123456789012345678901234567890}[1]{"k":1,"K":2}[{"t":"q\"\\"},[1]];[1]{"y":1}1"text";)");
}

TEST_F(RowsTest, ManyKeysOfOneFamilyAreAMap) {
  const auto object = [](int from, int to) {
    std::string out = "{";
    for (int i = from; i < to; ++i)
      out += (i == from ? "\"k" : ",\"k") + std::to_string(i) + "\":" + std::to_string(i);
    return "{\"m\":" + out + "}}";
  };
  insert("n", object(0, 40), Flatten::kNone);
  load();
  EXPECT_EQ(columns("n").substr(0, 17), "m STRUCT(k0 BIGIN");
  insert("n", object(30, 80), Flatten::kNone);
  insert("n", R"({"m":{}})", Flatten::kNone);
  load();
  EXPECT_EQ(query("SELECT detail FROM db._scratch.failed_rows"), "");
  EXPECT_EQ(columns("n"), "m MAP(VARCHAR, BIGINT);");
  EXPECT_EQ(
      query("SELECT cardinality(m) || ':' || coalesce(m['k39'], -1) FROM n ORDER BY __row_id"),
      "40:39;50:39;0:-1;");
  insert("n", R"({"m":{"k1":0.5}})", Flatten::kNone);
  load();
  EXPECT_EQ(query("SELECT m['k1'] FROM n ORDER BY __row_id DESC LIMIT 1"), "0.5;");
  insert("n", R"({"m":{"k1":"text"}})", Flatten::kNone);
  load();
  EXPECT_EQ(query("SELECT coalesce(m.k1::VARCHAR, '-') || ':' || coalesce(m.k39::VARCHAR, '-') "
                  "FROM n ORDER BY __row_id"),
            "1:39;-:39;-:-;0.5:-;text:-;");
  EXPECT_EQ(query("SELECT count(*) FROM n"), "5;");
}

// Keys that turn out to be no data after all: every value that the MAP held is in its field.
TEST_F(RowsTest, AMapThatBecomesAStructKeepsEveryValue) {
  const auto object = [](const std::string& value) {
    std::string out;
    for (int i = 0; i < 66; ++i)
      out += (i == 0 ? "\"k" : ",\"k") + std::to_string(i) + "\":" + value;
    return "{" + out + "}";
  };
  const auto check = [&](const std::string& table, const std::string& path) {
    EXPECT_EQ(query("SELECT count(*) || ':' || sum(v::BIGINT) FROM (SELECT "
                    "unnest(map_values(json_transform("
                    "to_json(" +
                    path + "), '\"MAP(VARCHAR, VARCHAR)\"'))) v FROM " + table +
                    " ORDER BY __row_id LIMIT 66)"),
              "66:462;")
        << table;
  };
  insert("m", "{\"m\":" + object("7") + "}", Flatten::kNone);
  insert("l", "{\"m\":[" + object("7") + "]}", Flatten::kNone);
  insert("s", "{\"m\":{\"in\":" + object("7") + "}}", Flatten::kNone);
  load();
  EXPECT_EQ(
      columns("m") + columns("l") + columns("s"),
      "m MAP(VARCHAR, BIGINT);m MAP(VARCHAR, BIGINT)[];m STRUCT(\"in\" MAP(VARCHAR, BIGINT));");
  insert("m", R"({"m":{"k0":"x","other":[1]}})", Flatten::kNone);
  insert("l", R"({"m":[{"k0":[2]}]})", Flatten::kNone);
  insert("s", R"({"m":{"in":{"k0":true}}})", Flatten::kNone);
  load();
  EXPECT_EQ(query("SELECT detail FROM db._scratch.failed_rows"), "");
  EXPECT_EQ(columns("m").substr(0, 8), "m STRUCT");
  check("m", "m");
  check("l", "m[1]");
  check("s", "m.\"in\"");
}

TEST_F(RowsTest, NativeValuesOfManyRowsStandWhereTheyBelong) {
  std::string body;
  for (int i = 0; i < 10'000; ++i) {
    const std::string n = std::to_string(i);
    if (i % 7 == 0)
      body += "{\"n\":" + n + "}\n";
    else if (i % 11 == 0)
      body += "{\"n\":" + n + ",\"o\":null,\"l\":[]}\n";
    else
      body += "{\"n\":" + n + ",\"o\":{\"s\":\"a string that is not short " + n +
              "\",\"d\":{\"i\":" + n + "}},\"l\":[" +
              (i % 3 == 0 ? n + ",null," + n : std::string("1")) + "],\"ll\":[[\"" + n +
              "\"],[],null]}\n";
  }
  insert("n", body, Flatten::kNone);
  load({.max_batch_rows = 6000});
  EXPECT_EQ(query("SELECT count(*) FROM n WHERE (n % 7 = 0 OR n % 11 = 0) <> (o IS NULL)"), "0;");
  EXPECT_EQ(query("SELECT count(*) FROM n WHERE o IS NOT NULL AND (o.s <> 'a string that is not "
                  "short ' || n OR o.d.i <> n "
                  "OR ll[1][1] <> n::VARCHAR OR len(ll) <> 3 OR ll[3] IS NOT NULL)"),
            "0;");
  EXPECT_EQ(query("SELECT count(*) FROM n WHERE n % 3 = 0 AND n % 7 <> 0 AND n % 11 <> 0 AND (l[1] "
                  "<> n OR l[2] IS NOT NULL OR "
                  "l[3] <> n OR len(l) <> 3)"),
            "0;");
  // The next loader knows the shapes again.
  insert("n", R"({"n":-1,"o":{"s":"x","d":{"i":1,"j":2}},"l":[7]})", Flatten::kNone);
  load();
  EXPECT_EQ(query("SELECT o.d.j || l[1] FROM n WHERE n = -1"), "27;");
  EXPECT_EQ(
      query(
          "SELECT sum(o.d.i) - (SELECT sum(n) FROM n m WHERE m.o IS NOT NULL AND m.n >= 0) FROM n"),
      "1;");
}

TEST_F(RowsTest, ANativeColumnMayBeDeep) {
  const auto deep = [](const std::string& open, const std::string& leaf, const std::string& close) {
    std::string out = leaf;
    for (int i = 1; i < 30; ++i) out = open + out + close;
    return "{\"o\":" + out + "}";
  };
  for (const char* const leaf : {"1", "1.5"}) {
    insert("n", deep("{\"k\":", leaf, "}"), Flatten::kNone);
    insert("l", deep("[", leaf, "]"), Flatten::kNone);
    load();
  }
  EXPECT_EQ(query("SELECT CAST(count(*) AS VARCHAR) FROM n WHERE CAST(o AS VARCHAR) LIKE '%1.5}%'"),
            "1;");
  EXPECT_EQ(
      query("SELECT CAST(count(*) AS VARCHAR) FROM l WHERE CAST(o AS VARCHAR) LIKE '%[1.5]%'"),
      "1;");
}

TEST_F(RowsTest, AFrozenNativeColumnRefusesAnotherField) {
  insert("n", R"({"o":{"a":1}})", Flatten::kNone);
  contract("n", R"({"data_type":"freeze"})");
  insert("n", R"([{"o":{"a":2}},{"o":{"b":1}},{"o":[]}])", Flatten::kNone);
  load();
  EXPECT_EQ(columns("n"), "o STRUCT(a BIGINT);");
  EXPECT_EQ(failed(), R"(contract-freeze {"o":{"b":1}};contract-freeze {"o":[]};)");
}

// ---- contracts

TEST_F(RowsTest, AFrozenTableRefusesWhatWouldChangeIt) {
  contract("t", R"({"columns":"freeze","data_type":"freeze"})");
  insert("t", R"([{"n":1,"s":"a"},{"n":2}])");
  load();
  insert("t", R"([{"n":3},{"n":4,"new":1},{"n":"text"},{"n":5,"new":null},{"n":6,"s":7}])");
  load();
  EXPECT_EQ(query("SELECT n FROM t ORDER BY n"), "1;2;3;5;6;");
  EXPECT_EQ(columns("t"), "n BIGINT;s VARCHAR;");
  EXPECT_EQ(failed(), "contract-freeze {\"n\":4,\"new\":1};contract-freeze {\"n\":\"text\"};");
}

// Also where both come in one batch.
TEST_F(RowsTest, AFrozenColumnOfNullsTakesTheTypeOfItsFirstValue) {
  for (const bool one_batch : {true, false}) {
    const std::string table = one_batch ? "one" : "two";
    insert(table, R"({"a":null,"b":null})", Flatten::kNone);
    contract(table, R"({"data_type":"freeze"})");
    load();
    const std::string rows = R"({"a":1},{"a":"x"},{"a":2},{"b":[1]},{"b":{}},{"b":["x"]})";
    insert(table, "[" + rows + "]", Flatten::kNone);
    if (!one_batch) {
      load({.max_batch_rows = 1});
    }
    load();
    EXPECT_EQ(columns(table), "a BIGINT;b BIGINT[];");
    EXPECT_EQ(
        query("SELECT CAST(count(*) AS VARCHAR) FROM db._scratch.failed_rows WHERE table_name = '" +
              table + "'"),
        "3;");
  }
}

TEST_F(RowsTest, DiscardedValuesLeaveTheirRowsBehind) {
  insert("t", R"({"n":1})");
  contract("t", R"({"columns":"discard_value","data_type":"discard_value"})");
  insert("t", R"([{"n":2,"new":1},{"n":{"o":[]}},{"n":1.5}])");
  load();
  EXPECT_EQ(columns("t"), "n BIGINT;");
  EXPECT_EQ(query("SELECT coalesce(n, -1) FROM t ORDER BY __row_id"), "1;2;-1;-1;");
  EXPECT_EQ(failed(), "");
}

TEST_F(RowsTest, NoNewTableMeansNoNewTable) {
  contract("t_items", R"({"tables":"freeze"})");
  contract("no", R"({"tables":"discard_row"})");
  insert("no", R"({"a":1})");
  insert("t", R"([{"items":[1]},{"x":1}])", Flatten::kMultitable);
  load();
  EXPECT_EQ(query("SELECT table_name FROM duckdb_tables() WHERE schema_name = 'main' ORDER BY ALL"),
            "t;");
  EXPECT_EQ(query("SELECT x FROM t"), "1;");
  EXPECT_EQ(failed(), "contract-discard-row {\"a\":1};contract-freeze {\"items\":[1]};");
  contract("t_items", "{}");
  retry("t");
  load();
  EXPECT_EQ(query("SELECT items FROM t_items"), "1;");
  EXPECT_EQ(failed(), "contract-discard-row {\"a\":1};");
}

TEST_F(RowsTest, TheContractSetsTheNumberOfColumns) {
  contract("t", R"({"max_columns":1})");
  insert("t", R"({"a":1,"b":2})");
  insert("u", R"({"a":1,"b":2})");
  load();
  EXPECT_EQ(columns("t"), "a BIGINT;__overflow JSON;");
  EXPECT_EQ(columns("u"), "a BIGINT;b BIGINT;");
}

TEST_F(RowsTest, AContractGoesWithItsTable) {
  insert("t", R"({"a":1})");
  contract("t", R"({"columns":"freeze"})");
  TableChange rename;
  rename.kind = TableChange::Kind::kRename;
  rename.table = "t";
  rename.new_name = "u";
  append(journal::RecordKind::kControl, encode_control(rename), "", 0);
  insert("u", R"({"b":1})");
  insert("t", R"({"b":1})");
  load();
  EXPECT_EQ(columns("u"), "a BIGINT;");
  EXPECT_EQ(columns("t"), "b BIGINT;");
}

// A place whose numbers and booleans had become text, without a string among them, gives them back as what
// they were: the same in however many batches they came.
TEST_F(RowsTest, NestedNumbersThatHadBecomeTextAreNumbersInJsonHoweverTheyWereCut) {
  std::string wide;
  for (int i = 0; i < 70; ++i) wide += (i > 0 ? ",\"k" : "\"k") + std::to_string(i) + "\":1";
  const std::vector<std::string> rows = {R"({"l":[true,1],"o":{"m":true},"w":{"x":[null,true]}})",
                                         R"({"l":[2],"o":{"m":7},"w":{"x":[3.5]}})",
                                         R"({"s":[true,"1"],"m":{)" + wide + "}}",
                                         R"({"l":{"x":1},"o":{"m":{"z":1}},"w":7,"s":[{}],"m":5})"};
  std::string together;
  for (const std::string& row : rows) {
    insert("cut", row, Flatten::kNone);
    load();
    together += row + "\n";
  }
  insert("whole", together, Flatten::kNone);
  load();
  EXPECT_EQ(columns("cut"), columns("whole"));
  for (const std::string column : {"l", "o", "w"}) {
    const std::string sql = "SELECT CAST(" + column + " AS VARCHAR) FROM ";
    EXPECT_EQ(query(sql + "cut ORDER BY __row_id"), query(sql + "whole ORDER BY __row_id"));
  }
  EXPECT_EQ(query("SELECT l FROM cut WHERE l IS NOT NULL ORDER BY __row_id"),
            R"([true,1];[2];{"x":1};)");
  // Beside a string it cannot be told from text any more.
  EXPECT_EQ(query("SELECT s FROM cut WHERE s IS NOT NULL ORDER BY __row_id"),
            R"(["true", "1"];[{}];)");
}

}  // namespace
}  // namespace sd::load
