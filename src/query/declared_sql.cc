#include "query/declared_sql.h"

#include <limits>
#include <vector>

#include "base/ascii.h"
#include "base/clock.h"
#include "base/json_text.h"
#include "destinations/duckdb/handles.h"
#include "query/declared_parameter.h"
#include "query/parameter_type.h"
#include "query/parameters.h"
#include "query/sql_tokens.h"

namespace sd::query {
namespace {

using Kind = DeclaredType::Kind;

// So many places are looked at one by one; with more, all are narrow that can be.
constexpr std::size_t kMostTries = 32;

const json::Value* find_folded(const json::Value& object, std::string_view name) {
  for (const auto& [member, value] : object.members()) {
    if (same_ascii_folded(member, name)) return &value;
  }
  return nullptr;
}

// The type that some functions take alone; null: there is none.
const char* narrower(Kind kind) {
  switch (kind) {
    case Kind::kInteger:
      return "INTEGER";
    case Kind::kNumber:
      return "FLOAT";
    case Kind::kTimestamp:
      return "TIMESTAMP";
    default:
      return nullptr;
  }
}

// Where a parameter stands: its name, what is declared of it and given to it.
struct Place {
  std::size_t begin;
  std::size_t end;
  std::string_view name;
  DeclaredType declared;
  std::string type;  // as SQL writes it
  const json::Value* value;

  std::string narrow_type() const {
    return std::string(narrower(declared.kind)) + (declared.is_list ? "[]" : "");
  }
};

// $user is two tokens, also as $ user and $"user".
std::string_view parameter_name(const SqlTokens& tokens, std::size_t i) {
  const std::string_view text = tokens.text(i);
  if (tokens[i].kind == SqlToken::Kind::kName) return text.substr(1, text.size() - 2);
  return tokens[i].kind == SqlToken::Kind::kWord ? text : std::string_view();
}

// All of them; none where one has no type, or there is none.
std::vector<Place> places_of(std::string_view sql, const json::Value& types,
                             const json::Value& params) {
  std::vector<Place> out;
  const auto tokens = SqlTokens::read(sql, GateOptions().max_depth);
  if (!tokens) return {};
  for (std::size_t i = 0; i < tokens->size(); ++i) {
    if (tokens->is_symbol(i, '?')) return {};
    if (!tokens->is_symbol(i, '$')) continue;
    if (i + 1 == tokens->size()) return {};
    Place place{.begin = (*tokens)[i].begin,
                .end = (*tokens)[i + 1].end,
                .name = parameter_name(*tokens, i + 1)};
    const json::Value* type = find_folded(types, place.name);
    place.value = find_folded(params, place.name);
    if (type == nullptr || place.value == nullptr) return {};
    const auto declared = parse_declared_type(type->as_string().value_or(""));
    if (!declared) return {};
    place.declared = *declared;
    const auto made = parameter_type(*place.value, *declared);
    if (!made) return {};
    place.type = made->name();
    out.push_back(std::move(place));
  }
  return out;
}

std::string cast_all(std::string_view sql, const std::vector<Place>& places, const Places& narrow) {
  std::string out;
  std::size_t copied = 0;
  for (std::size_t i = 0; i < places.size(); ++i) {
    const Place& place = places[i];
    std::string cast(sql.substr(place.begin, place.end - place.begin));
    cast = "CAST(" + cast + " AS " + place.type + ")";
    // To its own type first, so that the parameter has one.
    if (narrow.contains(i) && narrower(place.declared.kind) != nullptr)
      cast = "CAST(" + cast + " AS " + place.narrow_type() + ")";
    out.append(sql.substr(copied, place.begin - copied)).append(cast);
    copied = place.end;
  }
  return out.append(sql.substr(copied));
}

// A whole number at a narrow place must fit there.
Result<> check_narrow(const std::vector<Place>& places, const Places& narrow) {
  const auto fits = [](const json::Value& value) {
    const auto number = value.as_int();
    return !number || (*number >= std::numeric_limits<std::int32_t>::min() &&
                       *number <= std::numeric_limits<std::int32_t>::max());
  };
  for (const std::size_t i : narrow) {
    const Place& place = places[i];
    if (place.declared.kind != Kind::kInteger) continue;
    bool all = fits(*place.value);
    for (const json::Value& element : place.value->elements()) all = all && fits(element);
    if (all) continue;
    const std::string name = json_string(place.name);
    return fail(
        invalid("the parameter " + name +
                " must be a whole number of 32 bits: SQL takes no larger one where it stands")
            .with_slug("invalid-parameter")
            .with_status(422)
            .with_member("parameter", name));
  }
  return {};
}

// The forms of one statement, on a connection.
class Forms {
 public:
  using Form = KnownForms::Form;
  // How sure it is that DuckDB takes one: it prepares it; or it also plans it with these values, which tells where
  // preparing has left a parameter's type open.
  enum class Sure : std::uint8_t { kPrepared, kPlanned };

  Forms(duckdb_connection connection, std::string_view sql, const json::Value& types,
        const json::Value& params, const GateOptions& options)
      : connection_(connection),
        sql_(sql),
        types_(types),
        params_(params),
        options_(options),
        places_(places_of(sql, types, params)) {}

  const std::vector<Place>& places() const { return places_; }

  Result<GatedStatement> gated(const Form& form) const {
    if (form.as_written) return gate(connection_, sql_, options_);
    auto statement = gate(connection_, cast_all(sql_, places_, form.narrow), options_);
    // Preparing one of those runs a query.
    if (statement && statement->collects_pivot_values)
      return fail(invalid("a PIVOT that collects its values is run as it was written"));
    if (statement) statement->has_casts = true;
    return statement;
  }

  // nullopt: DuckDB does not take it.
  std::optional<GatedStatement> bound(const Form& form, Sure sure) const {
    auto statement = gated(form);
    if (!statement || !binds(*statement, sure)) return std::nullopt;
    return std::move(*statement);
  }

  // The first form that it takes for sure; nullopt: none, with these values.
  std::optional<Form> find() const {
    if (bound({}, Sure::kPlanned)) return Form{};
    if (auto narrow = needed()) return Form{.narrow = std::move(*narrow)};
    Form as_written{.as_written = true};
    if (bound(as_written, Sure::kPlanned)) return as_written;
    return std::nullopt;
  }

 private:
  // Those places that cannot do without the narrower type; nullopt: it does not help.
  std::optional<Places> needed() const {
    Form form;
    for (std::size_t i = 0; i < places_.size(); ++i) {
      if (narrower(places_[i].declared.kind) != nullptr) form.narrow.insert(i);
    }
    if (form.narrow.empty() || !bound(form, Sure::kPlanned)) return std::nullopt;
    if (form.narrow.size() > kMostTries) return form.narrow;
    for (const std::size_t i : Places(form.narrow)) {
      form.narrow.erase(i);
      if (!bound(form, Sure::kPlanned)) form.narrow.insert(i);
    }
    return form.narrow;
  }

  bool binds(const GatedStatement& statement, Sure sure) const {
    using destinations::duckdb::execute;
    if (!execute(connection_, "BEGIN TRANSACTION READ ONLY")) return false;
    const bool takes = binds_in_transaction(statement, sure);
    (void)execute(connection_, "ROLLBACK");
    return takes;
  }

  bool binds_in_transaction(const GatedStatement& statement, Sure sure) const {
    const auto prepared = prepare(connection_, statement);
    if (!prepared || sure == Sure::kPrepared) return prepared.has_value();
    if (!bind(prepared->get(), statement, &params_, &types_)) return false;
    destinations::duckdb::Pending pending;
    return duckdb_pending_prepared(prepared->get(), pending.out()) == DuckDBSuccess;
  }

  duckdb_connection connection_;
  std::string_view sql_;
  const json::Value& types_;
  const json::Value& params_;
  const GateOptions& options_;
  std::vector<Place> places_;
};

}  // namespace

std::optional<std::string> with_casts(std::string_view sql, const json::Value& types,
                                      const json::Value& params, const Places& narrow) {
  const std::vector<Place> places = places_of(sql, types, params);
  if (places.empty()) return std::nullopt;
  return cast_all(sql, places, narrow);
}

std::string without_casts(std::string_view name) {
  constexpr std::string_view kCast = "CAST($";
  std::string out;
  while (true) {
    const std::size_t begin = name.find(kCast);
    const std::size_t as = begin == std::string_view::npos ? begin : name.find(" AS ", begin);
    if (as == std::string_view::npos) return out.append(name);
    // The type may have brackets of its own, and blanks in quotes: DECIMAL(3, 2), "TIMESTAMP WITH TIME ZONE".
    std::size_t end = as;
    for (int depth = 1; end < name.size() && depth > 0; ++end) {
      if (name[end] == '(') ++depth;
      if (name[end] == ')') --depth;
    }
    const std::size_t dollar = begin + kCast.size() - 1;
    out.append(name.substr(0, begin)).append(name.substr(dollar, as - dollar));
    name.remove_prefix(end);
  }
}

std::optional<KnownForms::Form> KnownForms::find(const std::string& statement) const {
  const std::lock_guard lock(mutex_);
  const auto found = forms_.find(statement);
  const bool is_known = found != forms_.end() && system_clock().steady_us() < found->second.until;
  return is_known ? std::optional(found->second.form) : std::nullopt;
}

void KnownForms::put(const std::string& statement, Form form) {
  const std::lock_guard lock(mutex_);
  if (forms_.size() >= kMost) forms_.clear();
  forms_.insert_or_assign(statement, Known{std::move(form), system_clock().steady_us() + kTrusted});
}

Result<GatedStatement> gate_declared(duckdb_connection connection, std::string_view sql,
                                     const json::Value& types, const json::Value& params,
                                     const GateOptions& options, KnownForms* known) {
  const Forms forms(connection, sql, types, params, options);
  if (forms.places().empty()) return gate(connection, sql, options);
  const std::string name = std::string(sql) + '\0' + json::to_json(types);
  if (const auto form = known == nullptr ? std::nullopt : known->find(name)) {
    TRY(check_narrow(forms.places(), form->narrow));
    if (auto bound = forms.bound(*form, Forms::Sure::kPrepared)) return std::move(*bound);
  }
  if (auto form = forms.find()) {
    if (known != nullptr) known->put(name, *form);
    TRY(check_narrow(forms.places(), form->narrow));
    return forms.gated(*form);
  }
  // With other values it may: then what is wrong is these.
  if (auto wide = forms.bound({}, Forms::Sure::kPrepared)) return std::move(*wide);
  return gate(connection, sql, options);
}

}  // namespace sd::query
