#include "load/record.h"

#include <algorithm>
#include <array>

#include "json/document.h"
#include "json/schema.h"

namespace sd::load {
namespace {

constexpr char kVersion = 1;
constexpr char kVersionWithKinds = 2;
constexpr char kVersionWithFlags = 3;
constexpr unsigned kStrict = 1, kLimited = 2;
constexpr std::uint8_t kAsContract = 255;

std::unexpected<Error> damaged(const char* what) {
  return fail(ErrorCode::kCorruption, std::string("a journal record cannot be read: ") + what);
}

std::unexpected<Error> newer() {
  return fail(ErrorCode::kInvalidArgument,
              "a journal record was written by a newer version of the program");
}

void append_number(std::string& out, std::size_t number) {
  out += static_cast<char>(number & 0xFF);
  out += static_cast<char>(number >> 8);
}

void append_text(std::string& out, std::string_view text) {
  append_number(out, text.size());
  out += text;
}

// Takes from the front; nullopt where there is too little.
std::optional<std::size_t> take_number(std::string_view& rest) {
  if (rest.size() < 2) return std::nullopt;
  const std::size_t number = static_cast<std::uint8_t>(rest[0]) |
                             static_cast<std::size_t>(static_cast<std::uint8_t>(rest[1])) << 8;
  rest.remove_prefix(2);
  return number;
}

std::optional<std::string> take_text(std::string_view& rest) {
  const auto length = take_number(rest);
  if (!length || rest.size() < *length) return std::nullopt;
  std::string text(rest.substr(0, *length));
  rest.remove_prefix(*length);
  return text;
}

Result<> take_flags(std::string_view& rest, InsertHead& head) {
  if (rest.empty()) return damaged("it is too short");
  const auto flags = static_cast<std::uint8_t>(rest[0]);
  rest.remove_prefix(1);
  if ((flags & ~(kStrict | kLimited)) != 0) return newer();
  head.strict = (flags & kStrict) != 0;
  if ((flags & kLimited) == 0) return {};
  const auto count = take_number(rest);
  if (!count) return damaged("it is too short");
  head.tables.emplace();
  for (std::size_t i = 0; i < *count; ++i) {
    auto table = take_text(rest);
    if (!table) return damaged("it is too short");
    head.tables->push_back(std::move(*table));
  }
  return {};
}

}  // namespace

std::string encode_insert_head(const InsertHead& head) {
  SD_ASSERT(json::is_valid_name(head.table));
  std::string out;
  out.reserve(6 + head.table.size());
  const char plain = head.body == BodyKind::kJson ? kVersion : kVersionWithKinds;
  const bool has_flags = head.strict || head.tables;
  out += has_flags ? kVersionWithFlags : plain;
  out += static_cast<char>(head.flatten ? static_cast<std::uint8_t>(*head.flatten) : kAsContract);
  out += static_cast<char>(head.body);
  out += static_cast<char>(head.flatten_depth);
  append_text(out, head.table);
  if (!has_flags) return out;
  out += static_cast<char>((head.strict ? kStrict : 0) | (head.tables ? kLimited : 0));
  if (!head.tables) return out;
  SD_ASSERT(head.tables->size() <= 0xFFFF);
  append_number(out, head.tables->size());
  for (const std::string& table : *head.tables) append_text(out, table);
  return out;
}

Result<InsertRecord> decode_insert(std::string_view payload) {
  if (payload.size() < 6) return damaged("it is too short");
  const char version = payload[0];
  if (version < kVersion || version > kVersionWithFlags) return newer();
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(payload[i]); };
  InsertRecord record;
  const std::uint8_t most = version == kVersion ? 0 : 2;
  if ((byte(1) > 3 && byte(1) != kAsContract) || byte(2) > most) return damaged("unknown mode");
  record.head.body = static_cast<BodyKind>(byte(2));
  if (byte(1) != kAsContract) record.head.flatten = static_cast<json::Flatten>(byte(1));
  record.head.flatten_depth = byte(3);
  record.body = payload.substr(4);
  auto table = take_text(record.body);
  if (!table) return damaged("it is too short");
  record.head.table = std::move(*table);
  if (!json::is_valid_name(record.head.table)) return damaged("the table's name");
  if (version == kVersionWithFlags) TRY(take_flags(record.body, record.head));
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
