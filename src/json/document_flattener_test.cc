#include "json/document_flattener.h"

#include <gtest/gtest.h>

#include <map>

#include "json/schema.h"

namespace sd::json {
namespace {

// Tables by name, as the loader keeps them.
class Tables final : public RowSink {
 public:
  Result<TableBuilder*> table(const std::string& name) override {
    auto& slot = builders_[name];
    if (!slot) slot = std::make_unique<TableBuilder>();
    return slot.get();
  }
  std::int64_t row_id(const TableBuilder& builder) const override {
    return builder.row_id_or(next_);
  }
  void commit(TableBuilder& builder) override { builder.commit_row(next_++, 1); }

  // "table: name=value,… | …", one part for each row, in the order of the columns' first appearance.
  std::string text() const {
    std::string out;
    for (const auto& [name, builder] : builders_) {
      if (!out.empty()) out += "; ";
      out += name + ":";
      const SchemaPlan plan(TableSchema(name), *builder, kDefaultMaxColumns);
      for (std::uint32_t row = 0; row < builder->rows(); ++row) {
        out += row == 0 ? " " : " | ";
        out += std::to_string(builder->row_ids()[row]);
        for (const auto& mapping : plan.mappings()) {
          for (const Cell& cell : mapping.source->cells) {
            if (cell.row != row) continue;
            out += "," + plan.after().columns[mapping.column].name + "=";
            append_json(out, cell);
          }
        }
      }
    }
    return out;
  }

 private:
  std::map<std::string, std::unique_ptr<TableBuilder>> builders_;
  std::int64_t next_ = 1;
};

std::string flat(std::string_view row, FlattenOptions options) {
  RowTree tree;
  Parser parser(tree);
  tree.begin_row();
  const ParseResult parsed = parser.parse(row, 0, true);
  EXPECT_EQ(parsed.outcome, Outcome::kOk);
  const DocumentFlattener flattener(options, "t");
  if (const auto error = flattener.check(tree)) return error->code + ": " + error->detail;
  Tables tables;
  EXPECT_TRUE(flattener.run(tree, 7, tables));
  return tables.text();
}

std::string vertical(std::string_view row) {
  return flat(row, {.mode = Flatten::kVertical});
}
std::string multitable(std::string_view row) {
  return flat(row, {.mode = Flatten::kMultitable});
}

TEST(DocumentFlattener, KnowsItsModesByName) {
  EXPECT_EQ(parse_flatten("explode"), Flatten::kVertical);
  for (const auto mode :
       {Flatten::kHorizontal, Flatten::kVertical, Flatten::kMultitable, Flatten::kNone}) {
    EXPECT_EQ(parse_flatten(to_string(mode)), mode);
  }
  EXPECT_FALSE(parse_flatten("Vertical"));
}

TEST(DocumentFlattener, VerticalPutsEachElementInARowOfItsOwn) {
  EXPECT_EQ(vertical(R"({"u":"x","items":[{"sku":1},{"sku":2}]})"),
            R"(t: 1,___document_id=7,__order_items=0,u="x",items_sku=1)"
            R"( | 2,___document_id=7,__order_items=1,u="x",items_sku=2)");
}

TEST(DocumentFlattener, VerticalMultipliesArraysThatStandSideBySide) {
  EXPECT_EQ(vertical(R"({"a":[1,2],"b":["p","q"]})"),
            R"(t: 1,___document_id=7,__order_a=0,__order_b=0,a=1,b="p")"
            R"( | 2,___document_id=7,__order_a=0,__order_b=1,a=1,b="q")"
            R"( | 3,___document_id=7,__order_a=1,__order_b=0,a=2,b="p")"
            R"( | 4,___document_id=7,__order_a=1,__order_b=1,a=2,b="q")");
}

TEST(DocumentFlattener, VerticalTakesArraysInArraysApartToo) {
  EXPECT_EQ(
      vertical(R"({"a":[{"b":[1,2]},{"b":[3]}],"m":[[4]]})"),
      R"(t: 1,___document_id=7,__order_a_b=0,__order_a=0,__order_m_m=0,__order_m=0,a_b=1,m=4)"
      R"( | 2,___document_id=7,__order_a_b=1,__order_a=0,__order_m_m=0,__order_m=0,a_b=2,m=4)"
      R"( | 3,___document_id=7,__order_a_b=0,__order_a=1,__order_m_m=0,__order_m=0,a_b=3,m=4)");
}

TEST(DocumentFlattener, VerticalKeepsEmptyArraysAndObjectsWithoutArraysWhole) {
  EXPECT_EQ(vertical(R"({"a":[],"o":{},"n":{"x":null,"y":1}})"),
            R"(t: 1,___document_id=7,a=[],o={},n_y=1)");
  EXPECT_EQ(vertical("{}"), "t: 1,___document_id=7") << "a row without values, as in other modes";
}

TEST(DocumentFlattener, VerticalKeepsItsOwnNamesAndTheKeysThatAreNamedLikeThem) {
  // Also where the row has no such array.
  for (const std::string row :
       {R"({"__order_a":9,"a":[1],"___document_id":null,"n":{"__order_a":8}})",
        R"({"n":{"__order_a":8},"___document_id":null,"a":[1],"__order_a":9})"}) {
    const std::string out = vertical(row);
    EXPECT_NE(out.find("___document_id=7,__order_a=0"), std::string::npos) << out;
    EXPECT_NE(out.find("__order_a_2=9"), std::string::npos) << out;
    EXPECT_NE(out.find("n___order_a=8"), std::string::npos) << out;
  }
  RowTree tree;
  Tables tables;
  const DocumentFlattener flattener({.mode = Flatten::kVertical}, "t");
  for (const std::string_view row : {R"({"a":[1],"__order_a":9})", R"({"__order_a":[8]})"}) {
    tree.begin_row();
    Parser parser(tree);
    ASSERT_EQ(parser.parse(row, 0, true).outcome, Outcome::kOk);
    ASSERT_TRUE(flattener.run(tree, 7, tables));
  }
  EXPECT_EQ(tables.text(),
            "t: 1,___document_id=7,__order_a=0,a=1,__order_a_2=9"
            " | 2,___document_id=7,__order_a_2=8,__order___order_a=0");
}

TEST(DocumentFlattener, VerticalGivesEachArrayAnOrderOfItsOwn) {
  RowTree tree;
  Tables tables;
  const DocumentFlattener flattener({.mode = Flatten::kVertical}, "t");
  for (const std::string_view row : {R"({"a":{"b":[1]},"a_b":[2]})", R"({"a_b":[3]})",
                                     R"({"a":[{"a":[4]}]})", R"({"a":[[5]]})"}) {
    tree.begin_row();
    Parser parser(tree);
    ASSERT_EQ(parser.parse(row, 0, true).outcome, Outcome::kOk);
    ASSERT_TRUE(flattener.run(tree, 7, tables));
  }
  EXPECT_EQ(tables.text(),
            "t: 1,___document_id=7,__order_a_b=0,__order_a_b_2=0,a_b=1,a_b_2=2"
            " | 2,___document_id=7,__order_a_b_2=0,a_b_2=3"
            " | 3,___document_id=7,__order_a_a=0,__order_a=0,a_a=4"
            " | 4,___document_id=7,__order_a=0,__order_a_a_2=0,a=5");
}

TEST(DocumentFlattener, VerticalKeepsOrdersApartFromThoseOfRepeatedKeys) {
  const auto rows = [](std::initializer_list<std::string_view> documents) {
    RowTree tree;
    Tables tables;
    const DocumentFlattener flattener({.mode = Flatten::kVertical}, "t");
    for (const std::string_view row : documents) {
      tree.begin_row();
      Parser parser(tree);
      EXPECT_EQ(parser.parse(row, 0, true).outcome, Outcome::kOk);
      EXPECT_TRUE(flattener.run(tree, 7, tables));
    }
    return tables.text();
  };
  EXPECT_EQ(rows({R"({"a":[1],"__order_a":9})", R"({"a":[2],"a":[3]})"}),
            "t: 1,___document_id=7,__order_a=0,a=1,__order_a_2=9"
            " | 2,___document_id=7,__order_a=0,a=2,__order_a_3=0,a_2=3");
  EXPECT_EQ(rows({R"({"a":[[1]]})", R"({"a":[{"a":[2],"a":[3]}]})"}),
            "t: 1,___document_id=7,__order_a_a=0,__order_a=0,a=1"
            " | 2,___document_id=7,__order_a=0,__order_a_a_2=0,__order_a_a_3=0,a_a=2,a_a_2=3");
}

TEST(DocumentFlattener, VerticalKeepsItsOwnValuesOutOfColumnsThatOtherModesMade) {
  RowTree tree;
  Tables tables;
  for (const auto& [mode, row] :
       {std::pair(Flatten::kNone, R"({"___document_id":8,"__order_a":9})"),
        std::pair(Flatten::kVertical, R"({"a":[1],"__order_a":3})")}) {
    tree.begin_row();
    Parser parser(tree);
    ASSERT_EQ(parser.parse(row, 0, true).outcome, Outcome::kOk);
    ASSERT_TRUE(DocumentFlattener({.mode = mode}, "t").run(tree, 7, tables));
  }
  EXPECT_EQ(tables.text(),
            "t: 1,___document_id=8,__order_a=9"
            " | 2,__order_a=3,___document_id_2=7,__order_a_2=0,a=1");
}

TEST(DocumentFlattener, VerticalRefusesAProductThatIsTooLarge) {
  std::string row = "{";
  for (int i = 0; i < 30; ++i)
    row += (i == 0 ? "\"" : ",\"") + std::to_string(i) + "\":[1,2,3,4,5,6,7,8,9]";
  EXPECT_EQ(vertical(row + "}"), "too-many-rows: the row would become more than 10000 rows");
  // Few rows, but each of them wide.
  row = "{\"a\":[";
  for (int i = 0; i < 5000; ++i) row += i == 0 ? "1" : ",1";
  row += "]";
  for (int i = 0; i < 1000; ++i) row += ",\"" + std::to_string(i) + "\":1";
  EXPECT_EQ(vertical(row + "}"), "too-many-rows: the row would become more than 2000000 values");
  EXPECT_EQ(flat(R"({"a":[1,2,3]})", {.mode = Flatten::kVertical, .max_rows = 2}),
            "too-many-rows: the row would become more than 2 rows");
}

TEST(DocumentFlattener, RefusesADocumentWhoseTextWouldBeRepeatedTooOften) {
  const FlattenOptions vertical{.mode = Flatten::kVertical, .max_bytes = 9};
  EXPECT_EQ(flat(R"({"a":[1,2,3],"s":"xx"})", vertical).substr(0, 3), "t: ");
  EXPECT_EQ(flat(R"({"a":[1,2,33],"s":"xx"})", vertical),
            "too-many-rows: the row would become more than 9 bytes of text");
  const FlattenOptions multitable{.mode = Flatten::kMultitable, .max_bytes = 9};
  EXPECT_EQ(flat(R"({"a":[1,2,3],"id":"xxx"})", multitable).substr(0, 3), "t: ");
  EXPECT_EQ(flat(R"({"a":[1,2,3],"id":"xxxx"})", multitable),
            "too-many-rows: the row would become more than 9 bytes of text");
}

TEST(DocumentFlattener, MultitableMakesAChildTableOfEachArray) {
  EXPECT_EQ(
      multitable(
          R"({"id":"o1","user":{"name":"x"},"items":[{"sku":1},{"sku":2,"id":9}],"tags":["p"]})"),
      R"(t: 1,id="o1",user_name="x"; )"
      R"(t_items: 2,__parent_row_id=1,t_id="o1",sku=1,id=2 | 3,__parent_row_id=1,t_id="o1",sku=2,id=9; )"
      R"(t_tags: 4,__parent_row_id=1,t_id="o1",tags="p",id=4)");
}

TEST(DocumentFlattener, MultitableNamesTablesByTheWholePath) {
  EXPECT_EQ(multitable(R"({"a":{"b":[{"c":[true]}]}})"),
            R"(t: 1,id=1; t_a_b: 2,__parent_row_id=1,t_id=1,id=2; )"
            R"(t_a_b_c: 3,__parent_row_id=2,t_a_b_id=2,c=true,id=3)");
}

TEST(DocumentFlattener, MultitableKeepsKeysThatAreBroughtAndWhatHasNoRows) {
  EXPECT_EQ(
      multitable(
          R"({"__row_id":50,"a":[{"t_id":"mine","__parent_row_id":"too"},{}],"e":[],"l":[[1,2],null]})"),
      R"(t: 50,e=[],id=50; t_a: 2,__parent_row_id=50,t_id="mine",__parent_row_id_2="too",id=2 | )"
      R"(3,__parent_row_id=50,t_id=50,id=3,a={}; )"
      R"(t_l: 4,__parent_row_id=50,t_id=50,l=[1,2],id=4 | 5,__parent_row_id=50,t_id=50,id=5)");
}

TEST(DocumentFlattener, MultitableGivesEachParentTheIdThatItsChildrenName) {
  EXPECT_EQ(multitable(R"({"id":null,"a":[1]})"),
            "t: 1,id=1; t_a: 2,__parent_row_id=1,t_id=1,a=1,id=2");
  EXPECT_EQ(multitable(R"({"ID":"x","a":[{"T_ID":5}]})"),
            R"(t: 1,id="x"; t_a: 2,__parent_row_id=1,t_id=5,id=2)");
  EXPECT_EQ(multitable(R"({"id":{"x":5},"a":[1]})"),
            "t: 1,id_x=5,id=1; t_a: 2,__parent_row_id=1,t_id=1,a=1,id=2");
  EXPECT_EQ(multitable(R"({"id":[5]})"), "t: 1,id=1; t_id: 2,__parent_row_id=1,t_id=1,id=5");
}

TEST(DocumentFlattener, MultitableTakesTheFirstIdThatStaysAColumn) {
  for (const std::string row :
       {R"({"id":null,"ID":5,"a":[1]})", R"({"id":[],"a":[1]})", R"({"id":{"x":1},"ID":5,"a":[1]})",
        R"({"id":{"x":1},"id":5,"a":[1]})"}) {
    const std::string out = multitable(row);
    EXPECT_EQ(out.find("id_2"), std::string::npos) << out;
    const bool names = row.find('5') != std::string::npos;
    EXPECT_NE(out.find(names ? ",t_id=5," : ",t_id=1,"), std::string::npos) << out;
  }
  EXPECT_EQ(multitable(R"({"id":[null,5]})"),
            "t: 1,id=1; t_id: 2,__parent_row_id=1,t_id=1,id=2 | 3,__parent_row_id=1,t_id=1,id=5");
  // An array that stays where it is, as its table could not be named.
  const std::string key(252, 'k');
  const std::string out = multitable("{\"" + key + R"(":[{"id":[1]}]})");
  EXPECT_NE(out.find(",id=[1]"), std::string::npos) << out;
  EXPECT_EQ(out.find("id_2"), std::string::npos) << out;
}

TEST(DocumentFlattener, MultitableLeavesAnArrayWhoseTableCannotBeNamedWhereItStands) {
  const std::string key(300, 'k');
  const std::string out = multitable("{\"" + key + "\":[1]}");
  EXPECT_EQ(out.find("t_k"), std::string::npos) << out;
  EXPECT_EQ(multitable(R"({"../../etc":[1]})"),
            R"(t: 1,id=1; t_../../etc: 2,__parent_row_id=1,t_id=1,../../etc=1,id=2)");
}

TEST(DocumentFlattener, NoneKeepsWhatIsNestedAsItWasSent) {
  EXPECT_EQ(flat(R"({"a":{"b":[1.50,"x\n"]},"c":[],"d":1})", {.mode = Flatten::kNone}),
            R"(t: 1,a={"b":[1.50,"x\n"]},c=[],d=1)");
}

TEST(DocumentFlattener, DepthLimitsHowFarObjectsAreTakenApart) {
  EXPECT_EQ(flat(R"({"a":{"b":{"c":1},"d":2},"e":[[3]]})", {.max_depth = 2}),
            R"(t: 1,a_b={"c":1},a_d=2,e_0=[3])");
  EXPECT_EQ(flat(R"({"a":{"b":{"c":[1]}}})", {.mode = Flatten::kVertical, .max_depth = 2}),
            R"(t: 1,___document_id=7,a_b={"c":[1]})");
  EXPECT_EQ(flat(R"({"a":{"b":[1]},"c":[{"d":{"e":2}}]})",
                 {.mode = Flatten::kMultitable, .max_depth = 2}),
            R"(t: 1,a_b=[1],id=1; t_c: 2,__parent_row_id=1,t_id=1,c={"d":{"e":2}},id=2)");
}

TEST(RowTree, WritesBackWhatWasSent) {
  for (const std::string text : {R"({"a":[1e400,-0,1.50,123456789012345678901234567890],"a":null})",
                                 R"({"":{"\u0000":"\\\"","é":true},"x":[[],{},[[[false]]]]})"}) {
    RowTree tree;
    Parser parser(tree);
    tree.begin_row();
    ASSERT_EQ(parser.parse(text, 0, true).outcome, Outcome::kOk);
    std::string out;
    tree.append_json(RowTree::kRoot, out);
    EXPECT_EQ(out, text);
  }
}

}  // namespace
}  // namespace sd::json
