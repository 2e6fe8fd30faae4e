// A SELECT out of a fuzzer's bytes: random types, random values of them, NULLs everywhere.
//
// Each column comes twice, the second time as DuckDB's own text of it. What a value's bytes do not make a
// valid value of (a date beyond the calendar, say) is NULL.
#pragma once

#include <bit>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

namespace sd::fuzz {

// The only member of UNIONs that is first: Arrow cannot tell it, NULL, from a NULL union.
inline constexpr std::string_view kFirstMember = "u~0";

class RandomResult {
 public:
  explicit RandomResult(std::string_view bytes) : bytes_(bytes) {
    const std::size_t columns = 1 + byte() % 4;
    rows_ = 1 + byte() % 6;
    // A few results have more rows than a chunk, which takes long.
    repeat_ = byte() == 77 ? 2100 / rows_ : 1;
    std::string inner;
    std::string outer;
    for (std::size_t i = 0; i < columns; ++i) {
      const Type type = make_type(0);
      const std::string name = "c" + std::to_string(i);
      inner += (i == 0 ? "" : ", ") + std::string("unnest([");
      for (std::size_t row = 0; row < rows_; ++row) {
        inner += (row == 0 ? "" : ", ") + std::string("(") + value(type) + ")::" + type.name;
      }
      inner += "]) AS " + name;
      outer += (i == 0 ? "" : ", ") + name + ", " + name + "::VARCHAR AS t" + std::to_string(i);
    }
    sql_ = "SELECT " + outer + " FROM (SELECT " + inner + ")";
    if (repeat_ != 1) sql_ += ", range(" + std::to_string(repeat_) + ")";
  }

  const std::string& sql() const { return sql_; }
  std::size_t rows() const { return rows_ * repeat_; }

 private:
  struct Type {
    std::string name;
    int kind = 0;
    std::string detail = {};
    std::vector<Type> children = {};
  };
  enum Kind : int {
    kBoolean,
    kInteger,  // of any width
    kFraction,
    kDecimal,
    kText,
    kJson,
    kBlob,
    kBit,
    kUuid,
    kBignum,
    kEnum,
    kDate,
    kTime,
    kTimeTz,
    kTimestamp,
    kInterval,
    kGeometry,
    kVariant,
    kList,
    kArray,
    kStruct,
    kMap,
    kUnion,
    kKinds
  };

  unsigned byte() {
    if (bytes_.empty()) return 0;
    const auto first = static_cast<unsigned char>(bytes_.front());
    bytes_.remove_prefix(1);
    return first;
  }
  std::uint64_t word() {
    std::uint64_t out = 0;
    // Few bytes make small numbers, and the edges are frequent.
    const unsigned how = byte();
    if (how % 16 == 0) return ~std::uint64_t{0} >> (how / 16);
    for (unsigned i = 0; i < 1 + how % 8; ++i) out = out << 8 | byte();
    return out;
  }
  std::string number() {
    const auto value = static_cast<std::int64_t>(word());
    return std::to_string(value);
  }

  Type make_type(int depth) {
    const int most = depth >= 2 ? kList : kKinds;
    Type type{"", static_cast<int>(byte()) % most};
    static constexpr const char* kIntegers[] = {"TINYINT",  "SMALLINT",  "INTEGER",  "BIGINT",
                                                "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT",
                                                "HUGEINT",  "UHUGEINT"};
    static constexpr const char* kTimestamps[] = {"TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS",
                                                  "TIMESTAMP_NS", "TIMESTAMPTZ"};
    static constexpr const char* kNames[] = {"BOOLEAN",
                                             "",
                                             "",
                                             "",
                                             "VARCHAR",
                                             "JSON",
                                             "BLOB",
                                             "BIT",
                                             "UUID",
                                             "BIGNUM",
                                             "ENUM('', 'a,b', 'c\"', 'd\te')",
                                             "DATE",
                                             "",
                                             "TIMETZ",
                                             "",
                                             "INTERVAL",
                                             "GEOMETRY",
                                             "VARIANT"};
    switch (type.kind) {
      case kInteger:
        type.name = kIntegers[byte() % 10];
        break;
      case kFraction:
        type.name = byte() % 2 == 0 ? "DOUBLE" : "FLOAT";
        break;
      case kDecimal: {
        const unsigned width = 1 + byte() % 38;
        type.name =
            "DECIMAL(" + std::to_string(width) + "," + std::to_string(byte() % (width + 1)) + ")";
        break;
      }
      case kTime:
        type.name = byte() % 2 == 0 ? "TIME" : "TIME_NS";
        break;
      case kTimestamp:
        type.name = kTimestamps[byte() % 5];
        break;
      case kList:
        type.children.push_back(make_type(depth + 1));
        type.name = type.children[0].name + "[]";
        break;
      case kArray:
        type.children.push_back(make_type(depth + 1));
        type.detail = std::to_string(1 + byte() % 3);
        type.name = type.children[0].name + "[" + type.detail + "]";
        break;
      case kStruct:
      case kUnion:
        for (unsigned i = 0; i < 1 + byte() % 3; ++i) type.children.push_back(make_type(depth + 1));
        name_members(type);
        break;
      case kMap: {
        const bool text = byte() % 2 == 0;
        type.children.push_back({text ? "VARCHAR" : "BIGINT", text ? kText : kInteger});
        type.children.push_back(make_type(depth + 1));
        type.name = "MAP(" + type.children[0].name + ", " + type.children[1].name + ")";
        break;
      }
      default:
        type.name = kNames[type.kind];
    }
    return type;
  }

  static std::string member_name(const Type& type, std::size_t i) {
    if (type.kind == kUnion) return "\"u~" + std::to_string(i) + "\"";
    static constexpr const char* kNames[] = {"\"a\"", "\"b \"\"q\"\"\"", "\"é,\t\""};
    return kNames[i];
  }
  static void name_members(Type& type) {
    type.name = type.kind == kUnion ? "UNION(" : "STRUCT(";
    for (std::size_t i = 0; i < type.children.size(); ++i) {
      type.name += (i == 0 ? "" : ", ") + member_name(type, i) + " " + type.children[i].name;
    }
    type.name += ")";
  }

  static std::string quoted(std::string_view text) {
    std::string out = "'";
    for (const char c : text) {
      if (c == '\'') out += '\'';
      out += c;
    }
    return out + "'";
  }

  std::string text() {
    static constexpr const char* kPieces[] = {
        "a",      "b",      "Z",    "0",
        " ",      "\t",     "\n",   "\r",
        "\"",     "\"\"",   ",",    "'",
        "\\",     "/",      "<",    ">",
        "&",      "\x01",   "\x1f", "\x7f",
        "é",      "ż",      "中",   "🦆",
        "\u2028", "\ufeff", "null", "{",
        "}",      "[",      "]",    "a somewhat longer piece that is not inlined"};
    std::string out;
    for (unsigned n = byte() % 12; n > 0; --n) out += kPieces[byte() % 32];
    return out;
  }

  std::string json_text(int depth) {
    switch (byte() % (depth > 3 ? 5 : 7)) {
      case 0:
        return "null";
      case 1:
        return number();
      case 2:
        return "-0.5e+3";
      case 3:
        return "\"x\\n\\\"y\\\\ \\u00e9 é\"";
      case 4:
        return byte() % 2 == 0 ? "true" : "false";
      case 5:
        return "[ " + json_text(depth + 1) + " ,\n" + json_text(depth + 1) + "]";
      default:
        return "{\"k\" : " + json_text(depth + 1) + ", \"l\\t\": " + json_text(depth + 1) + "}";
    }
  }

  std::string digits(unsigned most) {
    std::string out = byte() % 2 == 0 ? "" : "-";
    for (unsigned n = 1 + byte() % most; n > 0; --n) out += static_cast<char>('0' + byte() % 10);
    return out;
  }

  std::string fraction(const std::string& type) {
    char buffer[64];
    std::snprintf(buffer, sizeof buffer, "%.17g", std::bit_cast<double>(word()));
    static constexpr const char* kSpecial[] = {"nan", "inf", "-inf", "-0.0", "1e15", "0.1"};
    const unsigned how = byte();
    return "TRY_CAST(" +
           quoted(how % 4 == 0   ? kSpecial[how / 4 % 6]
                  : how % 4 == 1 ? digits(17).c_str()
                                 : buffer) +
           " AS " + type + ")";
  }

  std::string blob() {
    static constexpr char kHex[] = "0123456789ABCDEF";
    std::string out = "'";
    for (unsigned n = byte() % 20; n > 0; --n) {
      const unsigned b = byte();
      out += std::string("\\x") + kHex[b >> 4] + kHex[b & 15];
    }
    return out + "'::BLOB";
  }

  std::string bits() {
    std::string out = "'";
    for (unsigned n = 1 + byte() % 20; n > 0; --n) out += byte() % 2 == 0 ? '0' : '1';
    return out + "'::BIT";
  }

  std::string uuid() {
    char buffer[64];
    std::snprintf(buffer, sizeof buffer, "%016llx%016llx", static_cast<unsigned long long>(word()),
                  static_cast<unsigned long long>(word()));
    return quoted(buffer) + "::UUID";
  }

  std::string geometry() {
    const std::string a = std::to_string(static_cast<int>(byte()) - 100);
    const std::string b = std::to_string(byte()) + ".5";
    switch (byte() % 4) {
      case 0:
        return "'POINT(" + a + " " + b + ")'::GEOMETRY";
      case 1:
        return "'LINESTRING(" + a + " " + b + ", 0 0)'::GEOMETRY";
      case 2:
        return "'POLYGON((0 0, " + a + " 0, 1 " + b + ", 0 0))'::GEOMETRY";
      default:
        return "'POINT EMPTY'::GEOMETRY";
    }
  }

  std::string value(const Type& type) {
    if (byte() % 8 == 0) return "NULL";
    switch (type.kind) {
      case kBoolean:
        return byte() % 2 == 0 ? "true" : "false";
      case kInteger:
        return "TRY_CAST('" + (byte() % 4 == 0 ? digits(40) : number()) + "' AS " + type.name + ")";
      case kFraction:
        return fraction(type.name);
      case kDecimal:
        return "TRY_CAST('" + digits(30) + "." + std::to_string(byte()) + "' AS " + type.name + ")";
      case kText:
        return quoted(text());
      case kJson:
        return quoted(json_text(0)) + "::JSON";
      case kBlob:
        return blob();
      case kBit:
        return bits();
      case kUuid:
        return uuid();
      case kBignum:
        return "TRY_CAST('" + digits(200) + "' AS BIGNUM)";
      case kEnum: {
        static constexpr const char* kLabels[] = {"''", "'a,b'", "'c\"'", "'d\te'"};
        return kLabels[byte() % 4];
      }
      case kDate:
        return byte() % 16 == 0
                   ? "'infinity'"
                   : "TRY(DATE '1970-01-01' + (" + number() + " % 2000000000)::INTEGER)";
      case kTime:
        return "TRY((TIME '00:00:00' + to_microseconds(" + number() + "))::" + type.name + ")";
      case kTimeTz: {
        char buffer[40];
        std::snprintf(buffer, sizeof buffer, "%02u:%02u:%02u.%03u+%02u:%02u", byte() % 24,
                      byte() % 60, byte() % 60, byte(), byte() % 15, byte() % 60);
        return quoted(buffer);
      }
      case kTimestamp:
        if (byte() % 16 == 0) return "'-infinity'";
        return "TRY(make_timestamp(" + number() + ")::" + type.name + ")";
      case kInterval:
        return "TRY(to_months((" + number() + " % 2000000000)::INTEGER) + to_days((" + number() +
               " % 2000000000)::INTEGER) + to_microseconds(" + number() + "))";
      case kGeometry:
        return geometry();
      case kVariant: {
        const Type inner = make_type(2);
        return "(" + value(inner) + ")::" + inner.name;
      }
      default:
        return nested(type);
    }
  }

  std::string nested(const Type& type) {
    std::string out;
    switch (type.kind) {
      case kList:
        for (unsigned n = byte() % 4; n > 0; --n)
          out += (out.empty() ? "" : ", ") + value(type.children[0]);
        return "[" + out + "]";
      case kArray:
        for (int n = std::stoi(type.detail); n > 0; --n)
          out += (out.empty() ? "" : ", ") + value(type.children[0]);
        return "[" + out + "]::" + type.children[0].name + "[]";
      case kStruct:
        for (std::size_t i = 0; i < type.children.size(); ++i) {
          const Type& child = type.children[i];
          out += (i == 0 ? "" : ", ") + member_name(type, i) + ": (" + value(child) +
                 ")::" + child.name;
        }
        return "{" + out + "}";
      case kMap:
        for (unsigned n = byte() % 4; n > 0; --n) {
          const std::string key = type.children[0].kind == kText
                                      ? quoted(std::to_string(n) + text())
                                      : std::to_string(n);
          out += (out.empty() ? "" : ", ") + key + ": (" + value(type.children[1]) +
                 ")::" + type.children[1].name;
        }
        return "MAP {" + out + "}";
      default: {
        const std::size_t tag = byte() % type.children.size();
        const Type& child = type.children[tag];
        return "union_value(" + member_name(type, tag) + " := (" + value(child) +
               ")::" + child.name + ")";
      }
    }
  }

  std::string_view bytes_;
  std::size_t rows_ = 0;
  std::size_t repeat_ = 1;
  std::string sql_;
};

}  // namespace sd::fuzz
