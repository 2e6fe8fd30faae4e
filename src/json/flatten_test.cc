#include "json/flatten.h"

#include <gtest/gtest.h>

#include "json/rows.h"
#include "json/schema.h"

namespace sd::json {
namespace {

// Reads a body into the builder as the loader does; returns rows refused.
int load(TableBuilder& builder, std::string_view body) {
  HorizontalFlattener flattener(builder);
  RowSplitter<HorizontalFlattener> splitter(flattener);
  using State = decltype(splitter)::State;
  int refused = 0;
  std::int64_t id = 100;
  std::size_t used = 0;
  while (true) {
    const auto step = splitter.next(body.substr(used), true);
    used += splitter.consumed();
    if (step.state == State::kRow)
      builder.commit_row(id++, 1);
    else if (step.state == State::kRefused) {
      ++refused;
      builder.begin_row();
      ++id;
    } else
      break;
  }
  return refused;
}

// "name TYPE = row:value row:value; …" in column order.
std::string columns(const TableBuilder& builder, const SchemaPlan& plan) {
  std::string out;
  for (std::size_t i = 0; i < plan.after().columns.size(); ++i) {
    const SchemaColumn& column = plan.after().columns[i];
    out += column.name + " " + to_string(column.type) + " =";
    for (const auto& mapping : plan.mappings()) {
      if (mapping.column != i) continue;
      for (const Cell& cell : mapping.source->cells) {
        out += " " + std::to_string(cell.row) + ":";
        append_json(out, cell);
      }
    }
    out += "; ";
  }
  for (const Cell& cell : plan.overflow()) {
    out += "overflow " + std::to_string(cell.row) + ":" + std::string(cell.view()) + "; ";
  }
  EXPECT_EQ(builder.rows(), builder.row_ids().size());
  return out;
}

std::string flat(std::string_view body, std::size_t max_columns = kDefaultMaxColumns) {
  TableBuilder builder;
  load(builder, body);
  return columns(builder, SchemaPlan(TableSchema("t"), builder, max_columns));
}

TEST(Flatten, NestedKeysAndElementsBecomeColumns) {
  EXPECT_EQ(flat(R"({"a":1,"u":{"n":"x","tags":["p","q"]}})"),
            "a BIGINT = 0:1; u_n VARCHAR = 0:\"x\"; u_tags_0 VARCHAR = 0:\"p\"; "
            "u_tags_1 VARCHAR = 0:\"q\"; ");
  EXPECT_EQ(flat(R"([{"a":[{"b":1},{"b":2}]},{"a":[{"b":3}]}])"),
            "a_0_b BIGINT = 0:1 1:3; a_1_b BIGINT = 0:2; ");
  EXPECT_EQ(flat(R"({"a":[[1,2],[3]]})"),
            "a_0_0 BIGINT = 0:1; a_0_1 BIGINT = 0:2; a_1_0 BIGINT = 0:3; ");
}

TEST(Flatten, EmptyContainersStayWholeAndAnEmptyRowIsARow) {
  EXPECT_EQ(flat(R"({"a":{},"b":[],"c":{"d":[]}})"),
            "a JSON = 0:{}; b JSON = 0:[]; c_d JSON = 0:[]; ");
  TableBuilder builder;
  EXPECT_EQ(load(builder, "[{},{}]"), 0);
  EXPECT_EQ(builder.rows(), 2U);
}

TEST(Flatten, TypesComeFromAllValuesOfTheBatch) {
  EXPECT_EQ(flat(R"([{"a":1},{"a":1.5},{"a":null}])"), "a DOUBLE = 0:1 1:1.5; ");
  EXPECT_EQ(flat(R"([{"a":9007199254740993},{"a":1.5}])"),
            "a DECIMAL(38,1) = 0:9007199254740993 1:1.5; ");
  EXPECT_EQ(flat(R"([{"a":1},{"a":"x"},{"a":true}])"), "a VARCHAR = 0:1 1:\"x\" 2:true; ");
  EXPECT_EQ(flat(R"([{"a":null}])"), "a VARCHAR =; ");
}

TEST(Flatten, CollidingPlacesKeepTheirValues) {
  EXPECT_EQ(flat(R"({"a":{"b_c":1},"a_b":{"c":2}})"), "a_b_c BIGINT = 0:1; a_b_c_2 BIGINT = 0:2; ");
  EXPECT_EQ(flat(R"({"User":1,"user":2,"USER":3})"),
            "User BIGINT = 0:1; user_2 BIGINT = 0:2; USER_3 BIGINT = 0:3; ");
  EXPECT_EQ(flat(R"([{"a":1,"a":2,"a":3},{"a":4}])"),
            "a BIGINT = 0:1 1:4; a_2 BIGINT = 0:2; a_3 BIGINT = 0:3; ");
  EXPECT_EQ(flat(R"({"a":{"x":1},"a":{"x":2}})"), "a_x BIGINT = 0:1; a_x_2 BIGINT = 0:2; ");
  EXPECT_EQ(flat(R"({"a":["x"],"a_0":"y"})"), "a_0 VARCHAR = 0:\"x\"; a_0_2 VARCHAR = 0:\"y\"; ");
  EXPECT_EQ(flat(R"({"__received_at":"x","__row_id":"y","__overflow":1})"),
            "__received_at_2 VARCHAR = 0:\"x\"; __row_id_2 VARCHAR = 0:\"y\"; "
            "__overflow_2 BIGINT = 0:1; ");
}

TEST(Flatten, ARowMayBringItsOwnId) {
  TableBuilder builder;
  load(builder, R"([{"a":1},{"__row_id":7,"a":2},{"__row_id":null,"a":3},{"__row_id":1.5}])");
  EXPECT_EQ(builder.row_ids(), (std::vector<std::int64_t>{100, 7, 102, 103}));
}

TEST(Flatten, ARefusedRowLeavesNothingBehind) {
  TableBuilder builder;
  EXPECT_EQ(load(builder, "[{\"a\":1},{\"a\":2,\"b\":\"\\ud800\",\"c\":\"x\"},7,{\"a\":3}]"), 2);
  EXPECT_EQ(columns(builder, SchemaPlan(TableSchema("t"), builder, 10)), "a BIGINT = 0:1 1:3; ");
  EXPECT_EQ(builder.row_ids(), (std::vector<std::int64_t>{100, 103}));
  const std::string deep = "{\"x\":" + std::string(200, '[') + "1" + std::string(200, ']') + "}";
  EXPECT_EQ(load(builder, "[" + deep + "]"), 1);
  std::string wide = "{\"w\":[[{}],0";
  for (int i = 0; i < 200'000; ++i) wide += ",{\"k\":[]}";
  EXPECT_EQ(load(builder, "[" + wide + "]}]"), 1);
  EXPECT_LT(builder.tree().size(), 250'000U);
}

TEST(Flatten, ARefusedRowDoesNotSayInWhichOrderColumnsComeAndHowTheyAreNamed) {
  EXPECT_EQ(flat(R"([{"a":1},{"User":1,"b":2,"a":"\ud800"},{"user":1},{"User":2,"b":3}])"),
            "a BIGINT = 0:1; user BIGINT = 1:1; User_2 BIGINT = 2:2; b BIGINT = 2:3; ");
}

TEST(Flatten, NamesThatCannotBeColumnsGoToOverflow) {
  const std::string huge(300, 'k');
  EXPECT_EQ(flat("{\"\":1,\"ok\":2,\"" + huge + "\":\"v\",\"n\\u0000l\":{\"x\":[]}}"),
            "ok BIGINT = 0:2; overflow 0:{\"\":1,\"" + huge + "\":\"v\",\"n\\u0000l_x\":[]}; ");
}

TEST(Flatten, NamesThatCollideInOverflowAreBothKept) {
  const char* expected = "overflow 0:{\"hook_id\":2,\"hook_id_2\":1}; ";
  EXPECT_EQ(flat(R"({"hook_id":1,"hook":{"id":2}})", 0), expected);
  EXPECT_EQ(flat(R"({"hook":{"id":2},"hook_id":1})", 0), expected);
  EXPECT_EQ(flat(R"({"a":1,"a":2})", 0), "overflow 0:{\"a\":1,\"a_2\":2}; ");
}

TEST(Flatten, ColumnsBeyondTheCapGoToOverflowInLaterBatchesToo) {
  TableBuilder builder;
  load(builder, R"([{"a":1,"b":2,"c":3},{"d":"x"}])");
  SchemaPlan first(TableSchema("t"), builder, 2);
  EXPECT_TRUE(first.creates_table());
  EXPECT_TRUE(first.creates_overflow());
  EXPECT_EQ(columns(builder, first),
            "a BIGINT = 0:1; b BIGINT = 0:2; overflow 0:{\"c\":3}; overflow 1:{\"d\":\"x\"}; ");
  const TableSchema& schema = first.after();
  builder.clear();
  load(builder, R"({"c":9,"b":8})");
  SchemaPlan second(schema, builder, 2);
  EXPECT_FALSE(second.creates_table());
  EXPECT_FALSE(second.creates_overflow());
  EXPECT_EQ(columns(builder, second), "a BIGINT =; b BIGINT = 0:8; overflow 0:{\"c\":9}; ");
}

TEST(Flatten, ALaterBatchWidensAndAddsAndSaysWhatChanged) {
  TableBuilder builder;
  load(builder, R"([{"a":1,"n":null}])");
  SchemaPlan first(TableSchema("t"), builder, 10);
  const TableSchema& schema = first.after();
  builder.clear();
  builder.set_source(3);
  load(builder, R"([{"a":1},{"a":2.5,"n":true,"z":"new"}])");
  const SchemaPlan second(schema, builder, 10);
  ASSERT_EQ(second.changes().size(), 3U);
  EXPECT_EQ(to_string(*second.changes()[0].from), "BIGINT");
  EXPECT_EQ(to_string(second.changes()[0].to), "DOUBLE");
  EXPECT_EQ(second.changes()[0].cause, 3U);
  EXPECT_EQ(to_string(second.changes()[1].to), "BOOLEAN");
  EXPECT_FALSE(second.changes()[2].from);
}

// Wide objects, in and out of order, always find their own column.
TEST(Flatten, WideAndShuffledObjectsKeepKeysApart) {
  std::string body = "[";
  for (int row = 0; row < 20; ++row) {
    body += row == 0 ? "{" : ",{";
    for (int i = 0; i < 50; ++i) {
      const int key = (i * (row * 2 + 1)) % 50;
      body += (i == 0 ? "\"k" : ",\"k") + std::to_string(key) +
              "\":" + std::to_string(key * 1000 + row);
    }
    body += "}";
  }
  body += "]";
  TableBuilder builder;
  load(builder, body);
  const SchemaPlan plan(TableSchema("t"), builder, 1000);
  for (const auto& mapping : plan.mappings()) {
    const std::string& name = plan.after().columns[mapping.column].name;
    for (const Cell& cell : mapping.source->cells) {
      EXPECT_EQ("k" + std::to_string(cell.integer / 1000), name.substr(0, name.find('_')));
      EXPECT_EQ(cell.integer % 1000, cell.row);
    }
  }
}

}  // namespace
}  // namespace sd::json
