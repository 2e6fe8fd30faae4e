#include "load/record.h"

#include <algorithm>
#include <array>

#include "json/document.h"
#include "json/schema.h"

namespace sd::load {
namespace {

constexpr char kVersion = 1;
constexpr char kVersionWithKinds = 2;
constexpr char kVersionStrict = 3;
constexpr std::uint8_t kAsContract = 255;

std::unexpected<Error> damaged(const char* what) {
  return fail(ErrorCode::kCorruption, std::string("a journal record cannot be read: ") + what);
}

std::unexpected<Error> newer() {
  return fail(ErrorCode::kInvalidArgument,
              "a journal record was written by a newer version of the program");
}

}  // namespace

std::string encode_insert_head(const InsertHead& head) {
  SD_ASSERT(json::is_valid_name(head.table));
  std::string out;
  out.reserve(6 + head.table.size());
  const char not_strict = head.body == BodyKind::kJson ? kVersion : kVersionWithKinds;
  out += head.strict ? kVersionStrict : not_strict;
  out += static_cast<char>(head.flatten ? static_cast<std::uint8_t>(*head.flatten) : kAsContract);
  out += static_cast<char>(head.body);
  out += static_cast<char>(head.flatten_depth);
  out += static_cast<char>(head.table.size() & 0xFF);
  out += static_cast<char>(head.table.size() >> 8);
  out += head.table;
  return out;
}

Result<InsertRecord> decode_insert(std::string_view payload) {
  if (payload.size() < 6) return damaged("it is too short");
  if (payload[0] < kVersion || payload[0] > kVersionStrict) return newer();
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(payload[i]); };
  const std::size_t length = byte(4) | static_cast<std::size_t>(byte(5)) << 8;
  if (payload.size() < 6 + length) return damaged("it is too short");
  InsertRecord record;
  const std::uint8_t most = payload[0] == kVersion ? 0 : 1;
  if ((byte(1) > 3 && byte(1) != kAsContract) || byte(2) > most) return damaged("unknown mode");
  record.head.strict = payload[0] == kVersionStrict;
  record.head.body = static_cast<BodyKind>(byte(2));
  if (byte(1) != kAsContract) record.head.flatten = static_cast<json::Flatten>(byte(1));
  record.head.flatten_depth = byte(3);
  record.head.table = payload.substr(6, length);
  if (!json::is_valid_name(record.head.table)) return damaged("the table's name");
  record.body = payload.substr(6 + length);
  return record;
}

namespace {
using Kind = destinations::TableChange::Kind;
constexpr std::array<std::pair<Kind, const char*>, 5> kChanges = {{{Kind::kDrop, "drop"},
                                                                   {Kind::kRename, "rename"},
                                                                   {Kind::kContract, "contract"},
                                                                   {Kind::kRetry, "retry"},
                                                                   {Kind::kForget, "forget"}}};
}  // namespace

std::string encode_control(const destinations::TableChange& change) {
  json::Writer w;
  const auto* const kind =
      std::ranges::find(kChanges, change.kind, &std::pair<Kind, const char*>::first);
  w.begin_object().member("kind", kind->second).member("table", change.table);
  if (change.kind == Kind::kRename) w.member("new_name", change.new_name);
  if (change.kind == Kind::kContract) w.raw_member("contract", change.contract.to_json());
  if (!change.of_receipt.is_zero()) w.member("receipt", change.of_receipt.to_string());
  w.end_object();
  return kVersion + w.take();
}

Result<destinations::TableChange> decode_control(std::string_view payload) {
  if (payload.empty()) return damaged("it is empty");
  if (payload[0] != kVersion) return newer();
  const auto document = json::parse_document(payload.substr(1));
  if (!document) return damaged("it is no JSON");
  destinations::TableChange change;
  const std::string_view name = document->string_or("kind", "");
  const auto* const kind =
      std::ranges::find_if(kChanges, [&](const auto& k) { return name == k.second; });
  if (kind == kChanges.end()) return damaged("unknown kind of change");
  change.kind = kind->first;
  change.table = document->string_or("table", "");
  change.new_name = document->string_or("new_name", "");
  if (const auto receipt = Id128::parse(document->string_or("receipt", "")))
    change.of_receipt = *receipt;
  if (const json::Value* contract = document->find("contract")) {
    const auto read = json::Contract::from_json(*contract);
    if (!read) return damaged("a contract");
    change.contract = *read;
  }
  return change;
}

}  // namespace sd::load
