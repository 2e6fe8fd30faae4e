#include "api/insert_body.h"

#include <algorithm>
#include <array>
#include <span>

#include "api/insert_options.h"
#include "base/ascii.h"
#include "base/json_text.h"
#include "json/document.h"

namespace sd::api {
namespace {

// JSON that is made of CSV at a time, whatever the length of its header.
constexpr std::size_t kConvertedPiece = 1U << 20;

std::size_t first_byte(std::string_view body) {
  std::size_t at = body.starts_with("\xEF\xBB\xBF") ? 3 : 0;
  while (at < body.size() && json::is_space(body[at])) ++at;
  return at;
}

bool begins_json(std::string_view body) {
  const std::size_t start = first_byte(body);
  return start < body.size() && (body[start] == '{' || body[start] == '[');
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

bool is_media_type(std::string_view content_type, std::string_view type) {
  return same_ascii_folded(trimmed(content_type.substr(0, content_type.find(';'))), type);
}

bool is_csv(std::string_view content_type) {
  return is_media_type(content_type, "text/csv");
}

bool is_ndjson(std::string_view content_type) {
  constexpr std::array<std::string_view, 6> kNames = {
      "application/x-ndjson", "application/ndjson",      "application/jsonl",
      "application/x-jsonl",  "application/x-jsonlines", "application/jsonlines"};
  return std::ranges::any_of(kNames, [&](auto name) { return is_media_type(content_type, name); });
}

// The fields other than `ours` as one row. No byte of them is replaced: what is not UTF-8 is refused.
Result<std::string> row_of_fields(const Query& fields, std::span<const std::string_view> ours) {
  json::Writer w;
  w.begin_object();
  for (const http::Parameter& p : fields.parameters) {
    if (std::ranges::find(ours, p.name) != ours.end()) continue;
    if (!is_valid_utf8(p.name) || !is_valid_utf8(p.value)) {
      return fail(invalid("the field " + json_string(p.name) + " is not valid UTF-8")
                      .with_slug("invalid-utf8"));
    }
    w.member(p.name, p.value);
  }
  return w.end_object().take();
}

Error too_large(std::string message) {
  return invalid(std::move(message)).with_status(413).with_slug("body-too-large");
}

}  // namespace

load::BodyKind kind_of(BodyFormat format) {
  switch (format) {
    case BodyFormat::kCsv:
      return load::BodyKind::kCsv;
    case BodyFormat::kNdjson:
      return load::BodyKind::kNdjson;
    default:
      return load::BodyKind::kJson;
  }
}

bool is_form(std::string_view content_type) {
  return is_media_type(content_type, "application/x-www-form-urlencoded");
}

BodyFormat format_of(std::string_view beginning, std::string_view content_type) {
  if (begins_json(beginning) || first_byte(beginning) == beginning.size()) return BodyFormat::kJson;
  if (is_ndjson(content_type)) return BodyFormat::kNdjson;
  if (is_csv(content_type)) return BodyFormat::kCsv;
  if (!is_form(content_type)) return BodyFormat::kJson;
  // Plain `curl --data 42` labels a scalar as a form: one without a field is none. (A percent-encoded JSON body is.)
  const bool has_field = beginning.find_first_of("=&") != std::string_view::npos;
  const bool encoded = beginning.starts_with("%7B") || beginning.starts_with("%7b") ||
                       beginning.starts_with("%5B") || beginning.starts_with("%5b");
  return has_field || encoded ? BodyFormat::kForm : BodyFormat::kJson;
}

Result<> check_content_type(std::string_view content_type) {
  if (!is_csv(content_type) || fold_ascii(content_type).find("header=absent") == std::string::npos)
    return {};
  return fail(invalid("CSV must have a first line that names the columns")
                  .with_status(415)
                  .with_slug("unsupported-media-type"));
}

Result<std::string> rows_of_form(const Query& form) {
  if (form.json) return *form.json;
  const std::string* payload = form.find("payload");
  const bool only_payload =
      payload != nullptr &&
      std::all_of(form.parameters.begin(), form.parameters.end(),
                  [](const auto& p) { return p.name == "payload" || p.name == kKeyField; });
  if (only_payload && begins_json(*payload)) return *payload;
  return row_of_fields(form, std::span(&kKeyField, 1));
}

Result<std::string> rows_of_query(const Query& query) {
  if (query.json) return *query.json;
  TRY_ASSIGN(std::string row, row_of_fields(query, kOwnParameters));
  if (row != "{}") return row;
  return fail(
      invalid("no row: add parameters, or a JSON object as the last part of the query string")
          .with_slug("empty-body"));
}

Id128 first_bits(const Sha256Digest& digest) {
  Id128 bits;
  std::copy_n(digest.begin(), bits.bytes.size(), bits.bytes.begin());
  return bits;
}

Result<Rows> rows_in_place(std::string_view json, bool hashed, load::BodyKind kind) {
  Rows rows;
  rows.kind = kind;
  TRY_ASSIGN(rows.summary, json::scan_body(json, 64ULL << 20, load::framing_of(kind)));
  if (hashed) rows.hash = first_bits(sha256(json));
  rows.borrowed = json;
  return rows;
}

RowIntake::RowIntake(BodyFormat format, journal::Log* log, Limits limits, bool hashed)
    : log_(log),
      limits_(limits),
      kind_(kind_of(format)),
      scanner_(64ULL << 20, load::framing_of(kind_)) {
  if (format == BodyFormat::kCsv) csv_ = std::make_unique<json::CsvConverter>();
  if (hashed) hash_ = std::make_unique<Sha256>();
}

Result<> RowIntake::feed(std::string_view piece) {
  if (!csv_) return take(piece);
  while (!piece.empty()) {
    TRY(csv_->feed(piece, converted_, kConvertedPiece));
    TRY(take_converted());
  }
  return {};
}

Result<> RowIntake::take_converted() {
  auto taken = take(converted_);
  converted_.clear();
  if (!taken) return fail(in_terms_of_csv(std::move(taken).error()));
  return {};
}

Result<> RowIntake::take(std::string_view rows) {
  total_ += rows.size();
  if (total_ > limits_.total) {
    return fail(too_large("the rows of this body have more than " + std::to_string(limits_.total) +
                          " bytes of JSON"));
  }
  TRY(scanner_.feed(rows));
  if (hash_) hash_->update(rows);
  if (blob_) return blob_->write(rows);
  memory_ += rows;
  if (memory_.size() <= limits_.in_memory) return {};
  if (log_ == nullptr) {
    return fail(too_large("a dry run takes at most " + std::to_string(limits_.in_memory >> 20) +
                          " MiB of rows, as JSON; send some of them"));
  }
  TRY_ASSIGN(blob_, log_->create_blob());
  TRY(blob_->write(memory_));
  memory_ = std::string();
  return {};
}

Result<Rows> RowIntake::finish() {
  if (csv_) {
    TRY(csv_->finish(converted_));
    TRY(take_converted());
  }
  Rows rows;
  auto summary = scanner_.finish();
  if (!summary) {
    return fail(csv_ ? in_terms_of_csv(std::move(summary).error()) : std::move(summary).error());
  }
  rows.summary = std::move(*summary);
  rows.kind = kind_;
  if (csv_) correct_errors(rows.summary);
  if (hash_) rows.hash = first_bits(hash_->finish());
  rows.owned = std::move(memory_);
  rows.blob = std::move(blob_);
  return rows;
}

Error RowIntake::in_terms_of_csv(Error error) const {
  if (error.effective_status() != 400) return error;
  // No row is good, so the first one is the one that is named.
  if (!csv_->refused().empty() && csv_->refused().front().row == 0) {
    const json::RowError& first = csv_->refused().front().error;
    return invalid(first.detail + " at offset " + std::to_string(first.offset))
        .with_slug(first.code)
        .with_member("offset", std::to_string(first.offset));
  }
  std::erase_if(error.members, [](const auto& member) { return member.first == "offset"; });
  error.message.resize(std::min(error.message.size(), error.message.find(" at offset ")));
  return error;
}

void RowIntake::correct_errors(json::BodySummary& summary) const {
  for (json::RefusedRow& row : summary.errors) {
    const auto known = std::ranges::find(csv_->refused(), row.row, &json::RefusedRow::row);
    if (known != csv_->refused().end())
      row.error = known->error;
    else
      row.error.offset = json::RowError::kNoOffset;
  }
}

}  // namespace sd::api
