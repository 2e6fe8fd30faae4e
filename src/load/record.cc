#include "load/record.h"

#include "json/document.h"
#include "json/schema.h"

namespace sd::load {
namespace {

constexpr char kVersion = 1;

std::unexpected<Error> damaged(const char* what) {
  return fail(ErrorCode::kCorruption, std::string("a journal record cannot be read: ") + what);
}

}  // namespace

std::string encode_insert_head(const InsertHead& head) {
  SD_ASSERT(json::is_valid_name(head.table));
  std::string out;
  out.reserve(6 + head.table.size());
  out += kVersion;
  out += static_cast<char>(head.flatten);
  out += static_cast<char>(head.body);
  out += '\0';
  out += static_cast<char>(head.table.size() & 0xFF);
  out += static_cast<char>(head.table.size() >> 8);
  out += head.table;
  return out;
}

Result<InsertRecord> decode_insert(std::string_view payload) {
  if (payload.size() < 6) return damaged("it is too short");
  if (payload[0] != kVersion) {
    return fail(ErrorCode::kInvalidArgument,
                "a journal record was written by a newer version of the program");
  }
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(payload[i]); };
  const std::size_t length = byte(4) | static_cast<std::size_t>(byte(5)) << 8;
  if (payload.size() < 6 + length) return damaged("it is too short");
  InsertRecord record;
  if (byte(1) != 0 || byte(2) != 0) return damaged("unknown mode");
  record.head.table = payload.substr(6, length);
  if (!json::is_valid_name(record.head.table)) return damaged("the table's name");
  record.body = payload.substr(6 + length);
  return record;
}

std::string encode_control(const destinations::TableChange& change) {
  json::Writer w;
  w.begin_object();
  const bool drops = change.kind == destinations::TableChange::Kind::kDrop;
  w.member("kind", drops ? "drop" : "rename").member("table", change.table);
  if (!drops) w.member("new_name", change.new_name);
  w.end_object();
  return kVersion + w.take();
}

Result<destinations::TableChange> decode_control(std::string_view payload) {
  if (payload.empty()) return damaged("it is empty");
  if (payload[0] != kVersion) {
    return fail(ErrorCode::kInvalidArgument,
                "a journal record was written by a newer version of the program");
  }
  const auto document = json::parse_document(payload.substr(1));
  if (!document) return damaged("it is no JSON");
  destinations::TableChange change;
  const std::string_view kind = document->string_or("kind", "");
  if (kind == "rename")
    change.kind = destinations::TableChange::Kind::kRename;
  else if (kind != "drop")
    return damaged("unknown kind of change");
  change.table = document->string_or("table", "");
  change.new_name = document->string_or("new_name", "");
  return change;
}

}  // namespace sd::load
