#include "query/parameters.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "base/ascii.h"
#include "base/ids.h"
#include "base/json_text.h"
#include "destinations/duckdb/handles.h"
#include "query/parameter_type.h"

namespace sd::query {
namespace {

using destinations::duckdb::Handle;
using destinations::duckdb::LogicalType;
using DuckdbValue = Handle<duckdb_value, duckdb_destroy_value>;

Error parameter_error(std::string message) {
  return invalid(std::move(message)).with_slug("invalid-parameter");
}
Error parameter_error(const std::string& name, const std::string& problem) {
  return parameter_error("the parameter " + json_string(name) + " " + problem)
      .with_member("parameter", json_string(name));
}

// ---- values ----

Result<LogicalType> logical_type(const ParameterType& type);

Result<LogicalType> struct_type(const ParameterType& type) {
  std::vector<LogicalType> fields;
  std::vector<duckdb_logical_type> types;
  std::vector<const char*> names;
  for (std::size_t i = 0; i < type.names.size(); ++i) {
    TRY_ASSIGN(LogicalType field, logical_type(type.children[i]));
    types.push_back(field.get());
    fields.push_back(std::move(field));
    names.push_back(type.names[i].c_str());
  }
  LogicalType made(duckdb_create_struct_type(types.data(), names.data(), names.size()));
  if (!made) return fail(parameter_error("holds an object that DuckDB cannot take"));
  return made;
}

Result<LogicalType> logical_type(const ParameterType& type) {
  using Kind = ParameterType::Kind;
  switch (type.kind) {
    case Kind::kNull:
      return LogicalType(duckdb_create_logical_type(DUCKDB_TYPE_SQLNULL));
    case Kind::kBoolean:
      return LogicalType(duckdb_create_logical_type(DUCKDB_TYPE_BOOLEAN));
    case Kind::kBigint:
      return LogicalType(duckdb_create_logical_type(DUCKDB_TYPE_BIGINT));
    case Kind::kHugeint:
      return LogicalType(duckdb_create_logical_type(DUCKDB_TYPE_HUGEINT));
    case Kind::kUhugeint:
      return LogicalType(duckdb_create_logical_type(DUCKDB_TYPE_UHUGEINT));
    case Kind::kDecimal:
      return LogicalType(duckdb_create_decimal_type(static_cast<std::uint8_t>(type.width()),
                                                    static_cast<std::uint8_t>(type.scale)));
    case Kind::kDouble:
      return LogicalType(duckdb_create_logical_type(DUCKDB_TYPE_DOUBLE));
    case Kind::kVarchar:
      return LogicalType(duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR));
    case Kind::kDate:
      return LogicalType(duckdb_create_logical_type(DUCKDB_TYPE_DATE));
    case Kind::kTimestampTz:
      return LogicalType(duckdb_create_logical_type(DUCKDB_TYPE_TIMESTAMP_TZ));
    case Kind::kUuid:
      return LogicalType(duckdb_create_logical_type(DUCKDB_TYPE_UUID));
    case Kind::kList: {
      TRY_ASSIGN(const LogicalType child, logical_type(type.children[0]));
      return LogicalType(duckdb_create_list_type(child.get()));
    }
    case Kind::kStruct:
      break;
  }
  return struct_type(type);
}

DuckdbValue number_value(const std::string& token, const ParameterType& type) {
  using Kind = ParameterType::Kind;
  if (type.kind == Kind::kDouble)
    return DuckdbValue(duckdb_create_double(std::strtod(token.c_str(), nullptr)));
  if (type.kind == Kind::kDate || type.kind == Kind::kTimestampTz) {
    const std::int64_t since = std::strtoll(token.c_str(), nullptr, 10);
    return DuckdbValue(type.kind == Kind::kDate
                           ? duckdb_create_date({static_cast<std::int32_t>(since)})
                           : duckdb_create_timestamp_tz({since}));
  }
  const ScaledInteger number = scaled_integer(token, type.kind == Kind::kDecimal ? type.scale : 0);
  const auto lower = static_cast<std::uint64_t>(number.magnitude);
  const auto upper = static_cast<std::uint64_t>(number.magnitude >> 64);
  if (type.kind == Kind::kUhugeint)
    return DuckdbValue(duckdb_create_uhugeint(duckdb_uhugeint{.lower = lower, .upper = upper}));
  const Uint128 bits = number.negative ? -number.magnitude : number.magnitude;
  const duckdb_hugeint huge{.lower = static_cast<std::uint64_t>(bits),
                            .upper = static_cast<std::int64_t>(bits >> 64)};
  if (type.kind == Kind::kHugeint) return DuckdbValue(duckdb_create_hugeint(huge));
  if (type.kind == Kind::kDecimal) {
    return DuckdbValue(duckdb_create_decimal({.width = static_cast<std::uint8_t>(type.width()),
                                              .scale = static_cast<std::uint8_t>(type.scale),
                                              .value = huge}));
  }
  return DuckdbValue(duckdb_create_int64(static_cast<std::int64_t>(huge.lower)));
}

Result<DuckdbValue> text_value(const std::string& text, const ParameterType& type) {
  if (type.kind != ParameterType::Kind::kUuid)
    return DuckdbValue(duckdb_create_varchar_length(text.data(), text.size()));
  const auto id = Id128::parse(text);
  if (!id) return fail(invalid("is not a UUID"));
  duckdb_uhugeint number{};
  for (std::size_t i = 0; i < 8; ++i) {
    number.upper = number.upper << 8 | id->bytes[i];
    number.lower = number.lower << 8 | id->bytes[i + 8];
  }
  return DuckdbValue(duckdb_create_uuid(number));
}

// A value of that type, which holds it.
Result<DuckdbValue> make_value(const json::Value& value, const ParameterType& type);

Result<DuckdbValue> list_value(const json::Value& value, const ParameterType& type) {
  std::vector<DuckdbValue> owned;
  std::vector<duckdb_value> elements;
  for (const json::Value& element : value.elements()) {
    TRY_ASSIGN(DuckdbValue made, make_value(element, type.children[0]));
    elements.push_back(made.get());
    owned.push_back(std::move(made));
  }
  TRY_ASSIGN(const LogicalType child, logical_type(type.children[0]));
  const std::size_t count = elements.size();
  elements.resize(count + 1);  // DuckDB takes no null pointer for none
  DuckdbValue list(duckdb_create_list_value(child.get(), elements.data(), count));
  if (!list) return fail(parameter_error("holds an array that DuckDB cannot take"));
  return list;
}

Result<DuckdbValue> struct_value(const json::Value& value, const ParameterType& type) {
  std::vector<DuckdbValue> owned;
  std::vector<duckdb_value> fields;
  for (std::size_t i = 0; i < type.names.size(); ++i) {
    const json::Value* member = value.find(type.names[i]);
    DuckdbValue made(duckdb_create_null_value());
    if (member != nullptr) {
      TRY_ASSIGN(made, make_value(*member, type.children[i]));
    }
    fields.push_back(made.get());
    owned.push_back(std::move(made));
  }
  TRY_ASSIGN(const LogicalType logical, logical_type(type));
  DuckdbValue made(duckdb_create_struct_value(logical.get(), fields.data()));
  if (!made) return fail(parameter_error("holds an object that DuckDB cannot take"));
  return made;
}

Result<DuckdbValue> make_value(const json::Value& value, const ParameterType& type) {
  switch (value.kind()) {
    case json::ValueKind::kNull:
      return DuckdbValue(duckdb_create_null_value());
    case json::ValueKind::kBool:
      return DuckdbValue(duckdb_create_bool(value.as_bool().value_or(false)));
    case json::ValueKind::kNumber:
      return number_value(value.text(), type);
    case json::ValueKind::kString:
      return text_value(value.text(), type);
    case json::ValueKind::kArray:
      return list_value(value, type);
    case json::ValueKind::kObject:
      break;
  }
  return struct_value(value, type);
}

// NULL of that type.
Result<DuckdbValue> typed_null(const ParameterType& type) {
  TRY_ASSIGN(const LogicalType logical, logical_type(type));
  const DuckdbValue null(duckdb_create_null_value());
  duckdb_value element = null.get();
  // A list's elements become what it is a list of.
  const DuckdbValue list(duckdb_create_list_value(logical.get(), &element, 1));
  if (!list) return fail(parameter_error("cannot be bound"));
  return DuckdbValue(duckdb_get_list_child(list.get(), 0));
}

// ---- where they go ----

struct Slot {
  std::string name;  // "1" or "day"
  idx_t index = 0;
};

// The statement's own, in DuckDB's order.
Result<std::vector<Slot>> slots_of(duckdb_prepared_statement prepared) {
  std::vector<Slot> slots;
  for (idx_t i = 1; i <= duckdb_nparams(prepared); ++i) {
    const char* name = duckdb_parameter_name(prepared, i);
    if (name == nullptr) {
      return fail(
          parameter_error("the statement's parameters must be numbered without a gap: $1, $2 …"));
    }
    slots.push_back({name, i});
    duckdb_free(const_cast<char*>(name));
  }
  return slots;
}

bool is_number(const std::string& name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) { return c >= '0' && c <= '9'; });
}

// What plainly is no value for the type that the statement takes there.
std::optional<std::string> mismatch(duckdb_prepared_statement prepared, idx_t index,
                                    const json::Value& value) {
  const duckdb_type takes = duckdb_param_type(prepared, index);
  const auto kind = value.kind();
  using enum json::ValueKind;
  switch (takes) {
    case DUCKDB_TYPE_TINYINT:
    case DUCKDB_TYPE_SMALLINT:
    case DUCKDB_TYPE_INTEGER:
    case DUCKDB_TYPE_BIGINT:
    case DUCKDB_TYPE_HUGEINT:
    case DUCKDB_TYPE_UTINYINT:
    case DUCKDB_TYPE_USMALLINT:
    case DUCKDB_TYPE_UINTEGER:
    case DUCKDB_TYPE_UBIGINT:
    case DUCKDB_TYPE_UHUGEINT:
    case DUCKDB_TYPE_DECIMAL:
    case DUCKDB_TYPE_FLOAT:
    case DUCKDB_TYPE_DOUBLE: {
      if (kind == kArray || kind == kObject) return "must be a number";
      if (kind != kString) return std::nullopt;
      char* end = nullptr;
      (void)std::strtod(value.text().c_str(), &end);
      if (end == value.text().c_str()) return "must be a number";
      return std::nullopt;
    }
    case DUCKDB_TYPE_DATE:
    case DUCKDB_TYPE_TIME:
    case DUCKDB_TYPE_TIME_TZ:
    case DUCKDB_TYPE_TIMESTAMP:
    case DUCKDB_TYPE_TIMESTAMP_S:
    case DUCKDB_TYPE_TIMESTAMP_MS:
    case DUCKDB_TYPE_TIMESTAMP_NS:
    case DUCKDB_TYPE_TIMESTAMP_TZ:
    case DUCKDB_TYPE_INTERVAL:
    case DUCKDB_TYPE_UUID:
      if (kind != kString && kind != kNull)
        return "must be a string: a date, time, interval or UUID";
      return std::nullopt;
    case DUCKDB_TYPE_LIST:
    case DUCKDB_TYPE_ARRAY:
      if (kind == kBool || kind == kNumber || kind == kObject) return "must be an array";
      return std::nullopt;
    case DUCKDB_TYPE_STRUCT:
      if (kind == kBool || kind == kNumber || kind == kArray) return "must be an object";
      return std::nullopt;
    default:
      return std::nullopt;
  }
}

struct Bound {
  DuckdbValue value;
  ParameterType type;
};

// The same value with another type than a statement would name for it, which DuckDB casts back by itself.
Result<DuckdbValue> with_other_type(const Bound& bound, const json::Value& value) {
  using Kind = ParameterType::Kind;
  const ParameterType& type = bound.type;
  if (type.kind == Kind::kVarchar) {
    const char* text = value.text().c_str();
    const LogicalType made(duckdb_create_enum_type(&text, 1));
    if (made && value.text().find('\0') == std::string::npos)
      return DuckdbValue(duckdb_create_enum_value(made.get(), 0));
  }
  if (type.kind == Kind::kUuid)
    return DuckdbValue(duckdb_create_varchar_length(value.text().data(), value.text().size()));
  // Sessions are in UTC.
  if (type.kind == Kind::kDate || type.kind == Kind::kTimestampTz) {
    constexpr std::int64_t kDay = 86'400'000'000;
    const std::int64_t since = value.as_int().value_or(0);
    return DuckdbValue(duckdb_create_timestamp({type.kind == Kind::kDate ? since * kDay : since}));
  }
  const auto integer = type.kind == Kind::kBigint ? value.as_int() : std::nullopt;
  if (integer && *integer == static_cast<std::int32_t>(*integer))
    return DuckdbValue(duckdb_create_int32(static_cast<std::int32_t>(*integer)));
  // A type with a name of its own fits casts and comparisons, but few functions.
  TRY_ASSIGN(const LogicalType named, logical_type(type));
  duckdb_logical_type_set_alias(named.get(), type.name().c_str());
  duckdb_value element = bound.value.get();
  const DuckdbValue list(duckdb_create_list_value(named.get(), &element, 1));
  if (!list) return fail(parameter_error("a parameter cannot be bound"));
  return DuckdbValue(duckdb_get_list_child(list.get(), 0));
}

Result<> bind_one(duckdb_prepared_statement prepared, bool repeated, const Slot& slot,
                  const json::Value& value, const std::optional<DeclaredType>& declared = {}) {
  const auto problem = declared ? std::nullopt : mismatch(prepared, slot.index, value);
  if (problem) return fail(parameter_error(slot.name, *problem));
  Result<ParameterType> type = declared ? parameter_type(value, *declared) : parameter_type(value);
  if (!type) return fail(parameter_error(slot.name, type.error().message));
  Result<DuckdbValue> made =
      declared && value.is_null() && !repeated ? typed_null(*type) : make_value(value, *type);
  if (!made) return fail(parameter_error(slot.name, made.error().message));
  Bound bound{std::move(*made), std::move(*type)};
  // A statement that takes a parameter both as a type and as whatever comes (SELECT {a: $1}, $1::BIGINT) is
  // bound anew only for a value of another type than it names; with one of that type DuckDB 1.5.6 fails with
  // an INTERNAL error, and its whole instance is unusable then. Which one stands in several places only DuckDB's own
  // parser knows for sure ($01 is $1, $"x" is $x): where any does, all are bound so.
  const bool same_type = duckdb_get_type_id(duckdb_get_value_type(bound.value.get())) ==
                         duckdb_param_type(prepared, slot.index);
  if (repeated && same_type) {
    TRY_ASSIGN(bound.value, with_other_type(bound, value));
  }
  if (duckdb_bind_value(prepared, slot.index, bound.value.get()) != DuckDBSuccess)
    return fail(parameter_error(slot.name, "cannot be bound"));
  return {};
}

std::string count_of(std::size_t n) {
  return std::to_string(n) + (n == 1 ? " parameter" : " parameters");
}

Result<> bind_array(duckdb_prepared_statement prepared, bool repeated,
                    const std::vector<Slot>& slots, const std::vector<json::Value>& values) {
  for (const Slot& slot : slots) {
    if (!is_number(slot.name)) {
      return fail(parameter_error(slot.name, "is named: send \"params\" as an object"));
    }
  }
  if (values.size() != slots.size()) {
    return fail(parameter_error("the statement has " + count_of(slots.size()) +
                                ", \"params\" has " + std::to_string(values.size())));
  }
  for (const Slot& slot : slots) {
    std::size_t number = 0;
    std::from_chars(slot.name.data(), slot.name.data() + slot.name.size(), number);
    if (number < 1 || number > values.size())
      return fail(parameter_error(slot.name, "has no value: numbers must have no gap"));
    TRY(bind_one(prepared, repeated, slot, values[number - 1]));
  }
  return {};
}

std::optional<DeclaredType> declared_of(const json::Value* types, const std::string& name) {
  const json::Value* type = types == nullptr ? nullptr : types->find(name);
  return type == nullptr ? std::nullopt : parse_declared_type(type->text());
}

Result<> bind_object(duckdb_prepared_statement prepared, bool repeated,
                     const std::vector<Slot>& slots, const json::Value::Members& members,
                     const json::Value* types) {
  std::vector<bool> bound(slots.size(), false);
  for (const auto& [name, value] : members) {
    const auto slot =
        std::ranges::find_if(slots, [&](const Slot& s) { return same_ascii_folded(s.name, name); });
    if (slot == slots.end())
      return fail(parameter_error(name, "is not one of the statement's parameters"));
    const auto i = static_cast<std::size_t>(slot - slots.begin());
    if (bound[i]) return fail(parameter_error(name, "is given twice"));
    bound[i] = true;
    TRY(bind_one(prepared, repeated, *slot, value, declared_of(types, name)));
  }
  for (std::size_t i = 0; i < slots.size(); ++i) {
    if (!bound[i]) return fail(parameter_error(slots[i].name, "has no value"));
  }
  return {};
}

}  // namespace

Result<> bind(duckdb_prepared_statement prepared, const GatedStatement& statement,
              const json::Value* params, const json::Value* types) {
  TRY_ASSIGN(const std::vector<Slot> slots, slots_of(prepared));
  if (params == nullptr || params->is_null()) {
    if (slots.empty()) return {};
    return fail(parameter_error(slots[0].name, "has no value: the statement needs \"params\""));
  }
  const bool repeated = !statement.has_casts && statement.parameter_marks > slots.size();
  if (params->is_array()) return bind_array(prepared, repeated, slots, params->elements());
  if (params->is_object()) return bind_object(prepared, repeated, slots, params->members(), types);
  return fail(parameter_error("\"params\" must be an array or an object"));
}

}  // namespace sd::query
