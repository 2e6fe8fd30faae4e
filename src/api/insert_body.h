// A request's body on its way to becoming rows: what it is, converted where it is no JSON, checked,
// counted, and kept in memory or, where it is large, in a file of the journal.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/access.h"
#include "base/checksum.h"
#include "journal/log.h"
#include "json/body.h"
#include "json/csv.h"
#include "load/record.h"

namespace sd::api {

enum class BodyFormat : std::uint8_t { kJson, kNdjson, kForm, kCsv };

// By its first bytes: what begins with { or [ is JSON whatever its Content-Type (and may turn out to be NDJSON), and so is
// an empty body and one of a type that nobody knows (the scan says what is wrong with it).
BodyFormat format_of(std::string_view beginning, std::string_view content_type);
bool is_form(std::string_view content_type);
load::BodyKind kind_of(BodyFormat format);
// 415 for text/csv; header=absent: the first line would be lost as names.
Result<> check_content_type(std::string_view content_type);

// Rows of a form's fields: its JSON part, its `payload` field where that is the only one, or else
// its fields as one row of text values. A form is somebody's data: of our parameters it has none, but
// for the key. kInvalidArgument, slug "invalid-utf8", where a field is not UTF-8.
Result<std::string> rows_of_form(const Query& form);
// Rows of a query string: its JSON part, or its parameters, other than our own, as one row of text.
Result<std::string> rows_of_query(const Query& query);

// All rows of a request.
struct Rows {
  load::BodyKind kind = load::BodyKind::kJson;
  json::BodySummary summary;
  std::optional<Id128> hash;                  // of them all, where it was asked for
  std::unique_ptr<journal::BlobWriter> blob;  // where they are many; not finished yet
  std::string owned;                          // else they stand here,
  std::string_view borrowed;                  // or in the request's own bytes
  std::string_view json() const { return owned.empty() ? borrowed : std::string_view(owned); }
};

// JSON or NDJSON that stands in memory: checked where it lies.
Result<Rows> rows_in_place(std::string_view json, bool hashed,
                           load::BodyKind kind = load::BodyKind::kJson);

// The first 128 bits of a SHA-256.
Id128 first_bits(const Sha256Digest& digest);

// Takes a body piece by piece. One thread at a time; blocks on the disk where `log` is given.
class RowIntake {
 public:
  struct Limits {
    std::uint64_t in_memory = 0;  // past it to a blob; without a log 413
    std::uint64_t total = 0;      // of JSON; 413
  };
  RowIntake(BodyFormat format, journal::Log* log, Limits limits, bool hashed);

  Result<> feed(std::string_view piece);
  Result<Rows> finish();

 private:
  Result<> take(std::string_view rows);
  Result<> take_converted();
  // The scan knows the JSON that was made of the CSV; the client knows the CSV.
  Error in_terms_of_csv(Error error) const;
  void correct_errors(json::BodySummary& summary) const;

  journal::Log* const log_;
  const Limits limits_;
  const load::BodyKind kind_;
  std::unique_ptr<json::CsvConverter> csv_;
  std::string converted_;
  json::BodyScanner scanner_;
  std::unique_ptr<Sha256> hash_;
  std::uint64_t total_ = 0;
  std::string memory_;
  std::unique_ptr<journal::BlobWriter> blob_;
};

}  // namespace sd::api
