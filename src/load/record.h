// What stands in a journal record: written by the front, read by the loader.
//
// Insert record (journal::RecordKind::kInsert): a head, then the body as it was sent (decoded of its
// Content-Encoding); where the body is a blob, the payload is the head only. Little-endian:
//
//   offset  size
//   0       1     version of this layout: 1; 2 where the body is of a kind that 1 did not know; 3 where
//                 there are flags. (A program that does not know the kind refuses the record.)
//   1       1     flatten mode (json::Flatten); 255: as the table's contract says, else horizontal
//   2       1     what the body is (BodyKind)
//   3       1     depth of flattening (json::FlattenOptions::max_depth); 0: as the contract says, else all
//   4       2     length of the table's name, 1–255
//   6       n     the table's name, UTF-8
//   6+n     1     version 3 only: flags: 1 strict, 2 limited
//           2     where limited: how many tables; then of each 2 bytes of length and its name, UTF-8
//                 then the body
//
// Control record (kControl): version 1 as one byte, then a JSON object:
//   {"kind":"drop","table":"…"}   {"kind":"rename","table":"…","new_name":"…"}
//   {"kind":"contract","table":"…","contract":{…}}
//   {"kind":"retry","table":"…","receipt":"…"}   {"kind":"forget","table":"…","receipt":"…"}
//       failed rows, those of a table or a request where one is named: loaded again, or deleted
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "destinations/batch.h"
#include "journal/log.h"
#include "json/document_flattener.h"

namespace sd::load {

enum class BodyKind : std::uint8_t {
  kJson = 0,
  kCsv = 1,     // JSON that was made of CSV: some of its refused rows say why (json::refused_line)
  kNdjson = 2,  // said to be: json::Framing::kLines
};

struct InsertHead {
  std::optional<json::Flatten> flatten;
  std::uint8_t flatten_depth = 0;
  BodyKind body = BodyKind::kJson;
  bool strict = false;  // one row that loading refuses refuses all of the record's
  // The only tables that rows may go to, in mode multitable too: those of the API key. ASCII case aside.
  std::optional<std::vector<std::string>> tables = {};
  std::string table;
};

// The rows of an insert: where they stand.
struct Body {
  std::string_view bytes;                  // all of them,
  std::optional<journal::BlobRef> blob{};  // or a file of the journal
};

struct InsertRecord {
  InsertHead head;
  std::string_view body;  // into the payload; empty where it is a blob
};

inline json::Framing framing_of(BodyKind kind) {
  return kind == BodyKind::kNdjson ? json::Framing::kLines : json::Framing::kDetected;
}

std::string encode_insert_head(const InsertHead& head);
Result<InsertRecord> decode_insert(std::string_view payload);

std::string encode_control(const destinations::TableChange& change);
Result<destinations::TableChange> decode_control(std::string_view payload);

}  // namespace sd::load
