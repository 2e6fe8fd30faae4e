#include "query/declared_parameter.h"

#include <gtest/gtest.h>

#include <map>

namespace sd::query {
namespace {

std::string read(const std::string& type, const std::vector<std::string>& texts) {
  const auto value = read_declared(parse_declared_type(type).value(), texts);
  return value ? *value : "error: " + value.error().message;
}
std::string read_json(const std::string& type, const std::string& text) {
  const auto value =
      read_declared(parse_declared_type(type).value(), json::parse_document(text).value());
  return value ? *value : "error: " + value.error().message;
}

TEST(DeclaredParameter, ATextOfAUrlIsAValueOfItsType) {
  EXPECT_EQ(read("string", {"a\"b"}), "\"a\\\"b\"");
  EXPECT_EQ(read("string", {""}), "\"\"");
  EXPECT_EQ(read("integer", {"-12"}), "-12");
  EXPECT_EQ(read("integer", {"+007"}), "7");
  EXPECT_EQ(read("integer", {"9223372036854775807"}), "9223372036854775807");
  EXPECT_EQ(read("number", {"1e3"}), "1e3");
  EXPECT_EQ(read("decimal", {"00.10"}), "0.10");
  EXPECT_EQ(read("boolean", {"1"}), "true");
  EXPECT_EQ(read("date", {"1970-01-02"}), "1");
  EXPECT_EQ(read("date", {"1969-12-31"}), "-1");
  EXPECT_EQ(read("timestamp", {"1970-01-01T00:00:01Z"}), "1000000");
  EXPECT_EQ(read("timestamp", {"1970-01-01T02:00:00+02:00"}), "0");
  EXPECT_EQ(read("timestamp", {"1970-01-01T00:00:00-01:00"}), "3600000000");
  EXPECT_EQ(read("timestamp", {"1970-01-01 00:00:00.5"}), "500000");
  EXPECT_EQ(read("timestamp", {"1970-01-02"}), "86400000000");
  EXPECT_EQ(read("timestamp", {"1970-01-01T00:01"}), "60000000");
  EXPECT_EQ(read("timestamp", {"1970-01-01T00:01Z"}), "60000000");
  EXPECT_EQ(read("timestamp", {"1970-01-01T01:01+01:00"}), "60000000");
  EXPECT_EQ(read("timestamp", {"1970-01-01T00:00:00.123456789Z"}), "123456");
  EXPECT_EQ(read("timestamp", {"1970-01-01T00:00:00.1234567"}), "123456");
  EXPECT_EQ(read("uuid", {"0D9F5C3E-8A43-4C6E-9D11-3F6F0A4B2C1D"}),
            "\"0d9f5c3e-8a43-4c6e-9d11-3f6f0a4b2c1d\"");
  EXPECT_EQ(read("integer[]", {"1", "2"}), "[1,2]");
  EXPECT_EQ(read("string[]", {"a,b"}), "[\"a,b\"]");
  EXPECT_EQ(read("date[]", {}), "[]");
}

TEST(DeclaredParameter, WhatIsNoValueOfTheTypeIsRefused) {
  for (const auto& [type, text] :
       std::multimap<std::string, std::string>{{"integer", ""},
                                               {"integer", "1.0"},
                                               {"integer", "1e3"},
                                               {"integer", "0x10"},
                                               {"integer", " 1"},
                                               {"integer", "9223372036854775808"},
                                               {"integer", "1;"},
                                               {"integer", "--1"},
                                               {"integer", "[1]"},
                                               {"number", "nan"},
                                               {"number", "inf"},
                                               {"number", "1e999"},
                                               {"number", "."},
                                               {"number", "5 "},
                                               {"integer", "+-5"},
                                               {"decimal", "+ 5"},
                                               {"decimal[]", std::string(39, '1')},
                                               {"decimal", "1e3"},
                                               {"decimal", std::string(39, '1')},
                                               {"boolean", "yes"},
                                               {"boolean", "TRUE"},
                                               {"date", "2026-02-30"},
                                               {"date", "2026-1-1"},
                                               {"date", "2026-01-01T00:00:00Z"},
                                               {"timestamp", "now"},
                                               {"timestamp", "2026-01-01T00:00:00 02:00"},
                                               {"timestamp", "2026-01-01T25:00:00Z"},
                                               {"timestamp", "2026-01-01T10"},
                                               {"timestamp", "2026-01-01T10:00:00.Z"},
                                               {"timestamp", "2026-01-01T10:00:00.1234567890Z"},
                                               {"timestamp", "2026-01-01T10:00:00.123456xZ"},
                                               {"uuid", "x"},
                                               {"string", "\xFF"}}) {
    EXPECT_TRUE(read(type, {text}).starts_with("error: must be ")) << type << " " << text;
  }
  EXPECT_EQ(read("integer", {"1", "1"}), "error: is given 2 times");
  EXPECT_EQ(read("integer", {}), "error: is given 0 times");
  EXPECT_EQ(read("integer[]", {"1", "x"}), "error: must be a whole number");
  EXPECT_EQ(read("decimal[]", {std::string(30, '1'), "0.123456789"}),
            "error: must be decimal numbers that fit together into 38 digits");
  EXPECT_EQ(read("decimal[]", {std::string(29, '1'), "-0.123456789"}),
            "[" + std::string(29, '1') + ",-0.123456789]");
}

TEST(DeclaredParameter, AJsonValueIsWhatItIs) {
  EXPECT_EQ(read_json("string", "\"1\""), "\"1\"");
  EXPECT_EQ(read_json("integer", "1"), "1");
  EXPECT_EQ(read_json("date", "\"1970-01-02\""), "1");
  EXPECT_EQ(read_json("boolean", "false"), "false");
  EXPECT_EQ(read_json("integer", "null"), "null");
  EXPECT_EQ(read_json("integer[]", "[1,null]"), "[1,null]");
  EXPECT_EQ(read_json("integer[]", "null"), "null");
  for (const auto& [type, text] : std::multimap<std::string, std::string>{{"string", "1"},
                                                                          {"integer", "\"1\""},
                                                                          {"integer", "1.5"},
                                                                          {"boolean", "1"},
                                                                          {"date", "20000"},
                                                                          {"uuid", "{}"},
                                                                          {"string", "[]"},
                                                                          {"integer[]", "1"},
                                                                          {"string[]", "[1]"},
                                                                          {"integer[]", "[[1]]"}}) {
    EXPECT_TRUE(read_json(type, text).starts_with("error: must be ")) << type << " " << text;
  }
}

TEST(DeclaredParameter, TypesHaveSqlsNamesToo) {
  for (const auto& [name, ours] :
       std::map<std::string, std::string>{{"VARCHAR", "string"},
                                          {"Int", "integer"},
                                          {"BIGINT[]", "integer[]"},
                                          {"DOUBLE", "number"},
                                          {"TIMESTAMP WITH TIME ZONE", "timestamp"},
                                          {"uuid", "uuid"}}) {
    EXPECT_EQ(declared_type_name(parse_declared_type(name).value()), ours);
  }
  for (const char* name : {"", "[]", "json", "string[][]", "int eger", "list"})
    EXPECT_FALSE(parse_declared_type(name)) << name;
}

}  // namespace
}  // namespace sd::query
