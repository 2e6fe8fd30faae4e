#include "destinations/duckdb/conversions.h"

#include <algorithm>

#include "base/json_text.h"
#include "base/log.h"
#include "destinations/duckdb/rows.h"

namespace sd::destinations::duckdb {
namespace {

using json::BaseType;

// The canonical spelling of a column's values, as json::append_text makes it.
std::string text_of(const std::string& c, const json::ColumnType& type) {
  switch (type.base) {
    case BaseType::kDouble:
      return "CASE WHEN abs(" + c + ") < 1e16 AND " + c + " = trunc(" + c + ") AND NOT (" + c +
             " = 0 AND signbit(" + c + ")) THEN CAST(CAST(" + c +
             " AS BIGINT) AS VARCHAR) ELSE CAST(" + c + " AS VARCHAR) END";
    case BaseType::kDecimal:
      if (type.scale == 0) return "CAST(" + c + " AS VARCHAR)";
      // DuckDB leaves out the zero before the point where the type has no digit there; of 0 all would be gone.
      if (type.scale == 38) {
        return "CASE WHEN " + c + " = 0 THEN '0' ELSE rtrim(regexp_replace(CAST(" + c +
               " AS VARCHAR), '^(-?)[.]', '\\10.'), '0') END";
      }
      return "rtrim(rtrim(CAST(" + c + " AS VARCHAR), '0'), '.')";
    case BaseType::kTimestampTz: {
      // As format_rfc3339 spells it; the session's time zone is UTC.
      const std::string fraction = "CASE WHEN epoch_us(" + c +
                                   ") % 1000000 = 0 THEN 'Z' ELSE strftime(" + c + ", '.%fZ') END";
      return "strftime(" + c + ", '%Y-%m-%dT%H:%M:%S') || " + fraction;
    }
    default:
      return "CAST(" + c + " AS VARCHAR)";
  }
}

using json::ColumnType;

// Names of lambda parameters, so that an inner one does not hide an outer one.
std::string variable(int depth) {
  return "v" + std::to_string(depth);
}

// A dot would name a table in an ALTER.
std::string field(const std::string& c, const std::string& name) {
  return "struct_extract(" + c + ", " + quote_literal(name) + ")";
}

const ColumnType* find_field(const ColumnType& type, const std::string& name) {
  const auto found =
      std::ranges::find(*type.children, name, &std::pair<std::string, ColumnType>::first);
  return found == type.children->end() ? nullptr : &found->second;
}

// An expression that has the value several times, which has a short name there: spelled out, a chain of objects would be
// a text, and a time to bind it, that grows with a power of its depth.
template <typename Expression>
std::string with_name(const std::string& value, int depth, const Expression& expression) {
  const std::string v = variable(depth);
  return "list_extract(list_transform([" + value + "], lambda " + v + ": " + expression(v) +
         "), 1)";
}

// A value as JSON text; NULL stays NULL. In a STRUCT what is NULL is left out, as it mostly was.
std::string json_of(const std::string& c, const ColumnType& type, const Strings& strings,
                    int depth) {
  const std::string v = variable(depth);
  const auto list = [&](const std::string& values, const std::string& element) {
    // array_to_string() is a macro that has its arguments several times: nested, they would multiply.
    return "coalesce(list_aggregate(list_transform(" + values + ", lambda " + v + ": " + element +
           "), 'string_agg', ','), '')";
  };
  switch (type.base) {
    case BaseType::kVarchar:
      return strings.here ? "CAST(to_json(" + c + ") AS VARCHAR)" : c;
    case BaseType::kTimestampTz:
      return "CAST(to_json(" + text_of(c, type) + ") AS VARCHAR)";
    case BaseType::kList:
      return "CASE WHEN " + c + " IS NULL THEN NULL ELSE '[' || " +
             list(c, "coalesce(" +
                         json_of(v, type.children->front().second, strings.element(), depth + 1) +
                         ", 'null')") +
             " || ']' END";
    case BaseType::kMap: {
      const std::string value =
          "coalesce(" +
          json_of(field(v, "value"), type.children->back().second, strings.values(), depth + 1) +
          ", 'null')";
      return "CASE WHEN " + c + " IS NULL THEN NULL ELSE '{' || " +
             list("map_entries(" + c + ")",
                  "CAST(to_json(" + field(v, "key") + ") AS VARCHAR) || ':' || " + value) +
             " || '}' END";
    }
    case BaseType::kStruct: {
      std::string members;
      for (const auto& [name, child] : *type.children) {
        const auto as_json = [&](const std::string& value) {
          return json_of(value, child, strings.field(name), depth + 1);
        };
        members += ", " + quote_literal(json_string(name) + ":") + " || " +
                   (child.base == BaseType::kStruct ? with_name(field(c, name), depth, as_json)
                                                    : as_json(field(c, name)));
      }
      return "CASE WHEN " + c + " IS NULL THEN NULL ELSE '{' || concat_ws(','" + members +
             ") || '}' END";
    }
    default:
      return text_of(c, type);
  }
}

std::string convert(const std::string& c, const ColumnType& from, const ColumnType& to,
                    const Strings& strings, int depth);

std::string convert_struct(const std::string& c, const ColumnType& from, const ColumnType& to,
                           const Strings& strings, int depth);

std::string null_of(const ColumnType& type) {
  return "CAST(NULL AS " + json::to_string(type) + ")";
}

// Whether a plain CAST keeps every value as it is spelled: STRUCTs are cast by the names of their fields.
bool is_castable(const ColumnType& from, const ColumnType& to) {
  if (from == to) return true;
  if (from.is_nested() != to.is_nested()) return false;
  if (from.is_nested()) {
    if (from.base != to.base) return false;
    if (from.base != BaseType::kStruct) {
      return is_castable(from.children->back().second, to.children->back().second);
    }
    return std::ranges::all_of(*from.children, [&](const auto& field) {
      const ColumnType* after = find_field(to, field.first);
      return after != nullptr && is_castable(field.second, *after);
    });
  }
  const bool counts = from.base == BaseType::kBigint || from.base == BaseType::kHugeint ||
                      (from.base == BaseType::kDecimal && from.scale == 0);
  switch (to.base) {
    case BaseType::kVarchar:
      return counts || from.base == BaseType::kBoolean;
    case BaseType::kHugeint:
    case BaseType::kDecimal:
      return counts || from.base == BaseType::kDecimal;
    case BaseType::kDouble:
      return from.base == BaseType::kBigint;
    default:
      return false;
  }
}

// The STRUCT `from` with the fields of `to`, as far as a CAST gets it: what it cannot do keeps its type.
ColumnType cast_first(const ColumnType& from, const ColumnType& to) {
  std::vector<std::pair<std::string, ColumnType>> fields;
  for (const auto& [name, after] : *to.children) {
    const ColumnType* before = find_field(from, name);
    fields.emplace_back(name, before == nullptr || is_castable(*before, after) ? after : *before);
  }
  return json::nested_type(BaseType::kStruct, std::move(fields));
}

// To a native nested type. From another base only where there was no value that could be carried over: text
// that was only null, or JSON that was only {}.
std::string convert_nested(const std::string& c, const ColumnType& from, const ColumnType& to,
                           const Strings& strings, int depth) {
  const std::string v = variable(depth);
  if (to.base == BaseType::kList) {
    if (from.base != BaseType::kList) return null_of(to);
    return "list_transform(" + c + ", lambda " + v + ": " +
           convert(v, from.children->front().second, to.children->front().second, strings.element(),
                   depth + 1) +
           ")";
  }
  if (to.base == BaseType::kMap) {
    const ColumnType& value = to.children->back().second;
    std::string entries;
    if (from.base == BaseType::kMap) {
      entries = "list_transform(map_entries(" + c + "), lambda " + v +
                ": struct_pack(k := " + field(v, "key") + ", v := " +
                convert(field(v, "value"), from.children->back().second, value, strings.values(),
                        depth + 1) +
                "))";
    } else if (from.base == BaseType::kStruct) {
      for (const auto& [name, child] : *from.children) {
        entries += (entries.empty() ? "list_filter([struct_pack(k := " : ", struct_pack(k := ") +
                   quote_literal(name) + ", v := " +
                   convert(field(c, name), child, value, strings.field(name), depth + 1) + ")";
      }
      entries += "], lambda " + v + ": " + field(v, "v") + " IS NOT NULL)";
    } else {
      return "CASE WHEN " + c + " IS NULL THEN NULL ELSE CAST(MAP {} AS " + json::to_string(to) +
             ") END";
    }
    return "CASE WHEN " + c + " IS NULL THEN NULL ELSE map_from_entries(" + entries + ") END";
  }
  if (from.base == BaseType::kStruct) return convert_struct(c, from, to, strings, depth);
  std::string fields;
  for (const auto& [name, child] : *to.children) {
    fields += (fields.empty() ? "" : ", ") + quote_identifier(name) + " := ";
    const std::string value = "map_extract_value(" + c + ", " + quote_literal(name) + ")";
    fields += from.base == BaseType::kMap ? convert(value, from.children->back().second, child,
                                                    strings.field(name), depth + 1)
                                          : null_of(child);
  }
  return "CASE WHEN " + c + " IS NULL THEN NULL ELSE struct_pack(" + fields + ") END";
}

// Every field that is taken out of a STRUCT by name makes DuckDB allocate the whole of it once more, so only those are that
// a CAST would spell otherwise.
std::string convert_struct(const std::string& c, const ColumnType& from, const ColumnType& to,
                           const Strings& strings, int depth) {
  const ColumnType first = cast_first(from, to);
  std::string fields;
  for (const auto& [name, child] : *to.children) {
    const ColumnType* before = find_field(from, name);
    if (before == nullptr || is_castable(*before, child)) continue;
    const auto converted = [&](const std::string& value) {
      return convert(value, *before, child, strings.field(name), depth + 1);
    };
    fields += ", " + quote_identifier(name) + " := " +
              (before->base == BaseType::kStruct ? with_name(field(c, name), depth, converted)
                                                 : converted(field(c, name)));
  }
  return "CASE WHEN " + c + " IS NULL THEN NULL ELSE struct_update(CAST(" + c + " AS " +
         json::to_string(first) + ")" + fields + ") END";
}

std::string convert(const std::string& c, const ColumnType& from, const ColumnType& to,
                    const Strings& strings, int depth) {
  if (from == to) return c;
  if (is_castable(from, to)) return "CAST(" + c + " AS " + json::to_string(to) + ")";
  if (to.is_nested()) return convert_nested(c, from, to, strings, depth);
  if (from.is_nested()) return "CAST(" + json_of(c, from, strings, depth) + " AS JSON)";
  switch (to.base) {
    case BaseType::kVarchar:
      return text_of(c, from);
    case BaseType::kJson:
      if (from.base == BaseType::kTimestampTz) return "to_json(" + text_of(c, from) + ")";
      return from.base == BaseType::kVarchar && strings.here
                 ? "to_json(" + c + ")"
                 : "CAST(" + text_of(c, from) + " AS JSON)";
    case BaseType::kDecimal:
      // Through text: the shortest spelling of a double is the number that was sent.
      if (from.base == BaseType::kDouble) {
        return "CAST(CAST(" + c + " AS VARCHAR) AS " + json::to_string(to) + ")";
      }
      return "CAST(" + c + " AS " + json::to_string(to) + ")";
    default:
      return "CAST(" + c + " AS " + json::to_string(to) + ")";
  }
}

}  // namespace

double places(const ColumnType& type) {
  double count = 1;
  if (type.is_nested()) {
    for (const auto& [name, child] : *type.children) count += places(child);
  }
  return count;
}

// Places that are taken apart by name.
double taken_apart(const ColumnType& from, const ColumnType& to) {
  if (is_castable(from, to)) return 0;
  if (!from.is_nested() || from.base != to.base) return places(from);
  double count = 0;
  for (const auto& [name, before] : *from.children) {
    const ColumnType* after = find_field(to, name);
    if (after != nullptr) count += 1 + taken_apart(before, *after);
  }
  return count;
}

int nesting(const ColumnType& type) {
  if (!type.is_nested()) return 0;
  int deepest = 0;
  for (const auto& [name, child] : *type.children) deepest = std::max(deepest, nesting(child));
  return deepest + 1;
}

double conversion_cost(const ColumnType& from, const ColumnType& to) {
  return from.is_nested() ? taken_apart(from, to) * places(from) : 0;
}

Strings Strings::field(const std::string& name) const {
  const json::Shape* below = shape == nullptr ? nullptr : shape->field(name);
  return {below == nullptr || below->has_strings(), below};
}

Strings Strings::element() const {
  const json::Shape* below = shape == nullptr ? nullptr : shape->element();
  return {below == nullptr || below->has_strings(), below};
}

Strings Strings::values() const {
  return {shape == nullptr || shape->has_strings_in_fields(), nullptr};
}

// What a value must be like for its conversion to lose nothing, where that is not so in any case: who opens the file
// with another program can put values there that the log of schemas does not know. Empty: nothing to look at.
std::string safe_values(const std::string& c, const ColumnType& from, const ColumnType& to) {
  if (from.is_nested() || from == to) return "";
  switch (from.base) {
    case BaseType::kVarchar:  // it has held nothing but null, or it becomes JSON
      return to.base == BaseType::kJson ? "" : c + " IS NULL";
    case BaseType::kJson:  // nothing but {}
      return c + " IS NULL OR CAST(" + c + " AS VARCHAR) = '{}'";
    case BaseType::kBigint:
      if (to.base != BaseType::kDouble) return "";
      return c + " IS NULL OR CAST(CAST(" + c + " AS DOUBLE) AS HUGEINT) = " + c;
    case BaseType::kDouble:
      if (to.base != BaseType::kDecimal) return "";
      return c + " IS NULL OR CAST(CAST(CAST(CAST(" + c + " AS VARCHAR) AS " + json::to_string(to) +
             ") AS VARCHAR) AS DOUBLE) = " + c;
    default:
      return "";
  }
}

std::string conversion(std::string_view column, const ColumnType& from, const ColumnType& to,
                       const Strings& strings) {
  const std::string c(column);
  std::string value = convert(c, from, to, strings, 0);
  const std::string safe = safe_values(c, from, to);
  if (safe.empty()) return value;
  return "CASE WHEN " + safe + " THEN " + value + " ELSE error(" +
         quote_literal("the column holds values that would be changed if it became " +
                       json::to_string(to)) +
         ") END";
}

Error explain_motherduck_error(const Error& error, const std::vector<std::string>& hidden) {
  std::string words = error.message.substr(0, error.message.find('\n'));
  for (const std::string& text : hidden) {
    constexpr std::string_view kHidden = "…";
    if (text.empty()) continue;
    for (std::size_t at = 0; (at = words.find(text, at)) != std::string::npos; at += kHidden.size())
      words.replace(at, text.size(), kHidden);
  }
  Error out{.code = ErrorCode::kUnavailable, .message = ""};
  if (words.find("not authenticated") != std::string::npos)
    out.message = "MotherDuck does not accept the token: it is mistyped, or has ended";
  else
    out.message = "MotherDuck cannot be reached: " + words;
  return out;
}

Error explain_attach_error(const Error& error) {
  const std::string& m = error.message;
  Error out{.code = ErrorCode::kUnavailable, .message = ""};
  static constexpr std::string_view kHeldIn = "Conflicting lock is held in ";
  const auto held = m.find(kHeldIn);
  if (held != std::string::npos) {
    // "… held in /usr/bin/duckdb (PID 1234) by user root. …": the program's name and number suffice;
    // "… held in PID 1234. …" where DuckDB may not look at other processes.
    const std::string rest = m.substr(held + kHeldIn.size());
    const auto number = std::min(rest.find("PID "), rest.size());
    const std::string pid = rest.substr(number, rest.find_first_of(").", number) - number);
    std::string program = rest.substr(0, std::min(rest.find(" ("), number));
    program = program.substr(program.find_last_of('/') + 1);
    out.message = "the database file is held by another process" +
                  (program.empty() ? "" : ": " + program) + " (" + pid + ")";
    out.slug = "database-held";
    return out;
  }
  if (m.find("newer version") != std::string::npos ||
      m.find("version number") != std::string::npos) {
    out.code = ErrorCode::kInvalidArgument;
    out.message = "the database file was written by a version of DuckDB that this one cannot read";
    return out;
  }
  if (m.find("not a valid DuckDB database") != std::string::npos) {
    out.code = ErrorCode::kInvalidArgument;
    out.message = "the file is not a DuckDB database";
    return out;
  }
  out.code = error.code == ErrorCode::kInvalidArgument ? ErrorCode::kUnavailable : error.code;
  // DuckDB's own words name paths: they are for the log, not for clients.
  // It is tried again every second: said once.
  thread_local std::string last;
  if (m != last) log::warn("the database cannot be opened", {{"error", m}});
  last = m;
  out.message = out.code == ErrorCode::kResourceExhausted
                    ? "the database cannot be opened: no room on its disk"
                    : "the database cannot be opened; the server's log says why";
  return out;
}

}  // namespace sd::destinations::duckdb
