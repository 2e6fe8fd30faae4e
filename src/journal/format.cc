#include "journal/format.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "base/checksum.h"

namespace sd::journal {
namespace {

constexpr std::string_view kSegmentMagic = "SDJSEG\r\n";
constexpr std::size_t kHeaderCrcAt = kSegmentHeaderBytes - 4;

constexpr std::uint64_t round_up_8(std::uint64_t n) {
  return (n + 7) & ~std::uint64_t{7};
}

std::size_t extra_bytes(std::uint8_t flags) {
  return ((flags & kFlagIdempotency) != 0 ? kIdempotencyBytes : 0) +
         ((flags & kFlagBlob) != 0 ? kBlobRefBytes : 0);
}

bool known_kind(std::uint8_t kind) {
  return kind == static_cast<std::uint8_t>(RecordKind::kInsert) ||
         kind == static_cast<std::uint8_t>(RecordKind::kControl) || kind == kKindMark ||
         kind == kKindSeal;
}

void store_id(char* to, const Id128& id) {
  std::memcpy(to, id.bytes.data(), 16);
}
Id128 load_id(const char* from) {
  Id128 id;
  std::memcpy(id.bytes.data(), from, 16);
  return id;
}

// The fixed part; false where no record can begin here.
bool decode_fixed(const char* p, Position position, RecordHeader& h) {
  if (load<std::uint64_t>(p + 8) != position) return false;
  h.kind = load<std::uint8_t>(p + 16);
  h.flags = load<std::uint8_t>(p + 17);
  if (!known_kind(h.kind) || (h.flags & ~(kFlagIdempotency | kFlagBlob)) != 0) return false;
  if (load<std::uint16_t>(p + 18) != 0) return false;
  h.payload_bytes = load<std::uint32_t>(p + 4);
  h.position = position;
  h.rows = load<std::uint32_t>(p + 20);
  h.time_us = load<std::int64_t>(p + 24);
  h.rows_before = load<std::uint64_t>(p + 32);
  h.synced = load<std::uint64_t>(p + 40);
  h.receipt = load_id(p + 48);
  return true;
}

void decode_extras(const char* p, RecordHeader& h) {
  const char* at = p + kRecordHeaderBytes;
  if ((h.flags & kFlagIdempotency) != 0) {
    h.idempotency = Idempotency{load_id(at), load_id(at + 16)};
    at += kIdempotencyBytes;
  }
  if ((h.flags & kFlagBlob) != 0) {
    h.blob = BlobRef{load_id(at), load<std::uint64_t>(at + 16), load<std::uint32_t>(at + 24)};
  }
}

std::string numbered(Position base, std::string_view suffix) {
  std::array<char, 24> digits{};
  const int n =
      std::snprintf(digits.data(), digits.size(), "%020llu", static_cast<unsigned long long>(base));
  return std::string(digits.data(), static_cast<std::size_t>(n)).append(suffix);
}

std::optional<Position> parse_numbered(std::string_view name, std::string_view suffix) {
  if (name.size() != 20 + suffix.size() || !name.ends_with(suffix)) return std::nullopt;
  Position value = 0;
  for (const char c : name.substr(0, 20)) {
    if (c < '0' || c > '9') return std::nullopt;
    if (__builtin_mul_overflow(value, Position{10}, &value) ||
        __builtin_add_overflow(value, static_cast<Position>(c - '0'), &value)) {
      return std::nullopt;
    }
  }
  return value;
}

}  // namespace

std::uint32_t SegmentHeader::record_seed() const {
  std::array<char, 32> bytes{};
  store_id(bytes.data(), log_id);
  store(bytes.data() + 16, generation);
  store(bytes.data() + 24, base);
  return crc32c(0, bytes.data(), bytes.size());
}

void encode(const SegmentHeader& header, std::span<char, kSegmentHeaderBytes> out) {
  std::fill(out.begin(), out.end(), '\0');
  char* p = out.data();
  std::memcpy(p, kSegmentMagic.data(), kSegmentMagic.size());
  store(p + 8, kFormatVersion);
  store(p + 12, static_cast<std::uint32_t>(kSegmentHeaderBytes));
  store_id(p + 16, header.log_id);
  store(p + 32, header.base);
  store(p + 40, header.generation);
  store(p + 48, header.segment_bytes);
  store(p + 56, header.time_us);
  store(p + 64, header.rows_before);
  store(p + 72, header.previous_end);
  store(p + kHeaderCrcAt, crc32c(0, p, kHeaderCrcAt));
}

Result<SegmentHeader> decode_segment_header(std::span<const char> block) {
  const char* p = block.data();
  if (block.size() < kSegmentHeaderBytes ||
      std::string_view(p, kSegmentMagic.size()) != kSegmentMagic ||
      load<std::uint32_t>(p + kHeaderCrcAt) != crc32c(0, p, kHeaderCrcAt)) {
    return fail(ErrorCode::kCorruption, "the header of a journal segment is damaged");
  }
  const auto version = load<std::uint32_t>(p + 8);
  if (version > kFormatVersion) {
    return fail(ErrorCode::kInvalidArgument,
                "this journal has format version " + std::to_string(version) +
                    "; this program knows versions up to " + std::to_string(kFormatVersion) +
                    ": run the newer program");
  }
  if (version == 0 || load<std::uint32_t>(p + 12) != kSegmentHeaderBytes) {
    return fail(ErrorCode::kCorruption, "the header of a journal segment makes no sense");
  }
  SegmentHeader h;
  h.log_id = load_id(p + 16);
  h.base = load<std::uint64_t>(p + 32);
  h.generation = load<std::uint64_t>(p + 40);
  h.segment_bytes = load<std::uint64_t>(p + 48);
  h.time_us = load<std::int64_t>(p + 56);
  h.rows_before = load<std::uint64_t>(p + 64);
  h.previous_end = load<std::uint64_t>(p + 72);
  return h;
}

std::size_t RecordHeader::payload_offset() const {
  return kRecordHeaderBytes + extra_bytes(flags);
}

std::size_t RecordHeader::bytes() const {
  return round_up_8(payload_offset() + payload_bytes);
}

std::size_t record_bytes(const RecordMeta& meta, std::size_t payload_bytes) {
  return round_up_8(kRecordHeaderBytes + (meta.idempotency ? kIdempotencyBytes : 0) +
                    (meta.blob ? kBlobRefBytes : 0) + payload_bytes);
}

void encode_record_header(const RecordHeader& header, char* p) {
  store(p, std::uint32_t{0});
  store(p + 4, header.payload_bytes);
  store(p + 8, header.position);
  store(p + 16, header.kind);
  store(p + 17, header.flags);
  store(p + 18, std::uint16_t{0});
  store(p + 20, header.rows);
  store(p + 24, header.time_us);
  store(p + 32, header.rows_before);
  store(p + 40, header.synced);
  store_id(p + 48, header.receipt);
  char* at = p + kRecordHeaderBytes;
  if ((header.flags & kFlagIdempotency) != 0) {
    store_id(at, header.idempotency->key);
    store_id(at + 16, header.idempotency->body);
    at += kIdempotencyBytes;
  }
  if ((header.flags & kFlagBlob) != 0) {
    store_id(at, header.blob->id);
    store(at + 16, header.blob->length);
    store(at + 24, header.blob->crc32c);
    store(at + 28, std::uint32_t{0});
  }
}

void store_crc(char* record, std::uint32_t crc) {
  store(record, crc);
}

void encode_bare_record(const RecordHeader& header, std::uint32_t seed,
                        std::span<char, kRecordHeaderBytes> out) {
  SD_ASSERT(header.flags == 0 && header.payload_bytes == 0);
  encode_record_header(header, out.data());
  store_crc(out.data(), crc32c(seed, out.data() + 4, kRecordHeaderBytes - 4));
}

bool looks_like_record(std::span<const char> bytes, Position position, std::uint64_t limit) {
  if (bytes.size() < kRecordHeaderBytes) return false;
  RecordHeader h;
  return decode_fixed(bytes.data(), position, h) && h.bytes() <= limit;
}

bool parse_header_only(std::span<const char> bytes, Position position, RecordHeader& header) {
  if (bytes.size() < kRecordHeaderBytes || !decode_fixed(bytes.data(), position, header)) {
    return false;
  }
  if (bytes.size() < header.payload_offset()) return false;
  decode_extras(bytes.data(), header);
  return true;
}

ParsedRecord parse_record(std::span<const char> bytes, Position position, std::uint32_t seed,
                          std::uint64_t limit) {
  ParsedRecord out;
  if (limit < kRecordHeaderBytes) return out;
  if (bytes.size() < kRecordHeaderBytes) {
    out.state = ParseState::kTooShort;
    out.need = kRecordHeaderBytes;
    return out;
  }
  if (!decode_fixed(bytes.data(), position, out.header)) return out;
  const std::size_t size = out.header.bytes();
  if (size > limit) return out;
  if (bytes.size() < size) {
    out.state = ParseState::kTooShort;
    out.need = size;
    return out;
  }
  if (crc32c(seed, bytes.data() + 4, size - 4) != load<std::uint32_t>(bytes.data())) return out;
  decode_extras(bytes.data(), out.header);
  out.payload = {bytes.data() + out.header.payload_offset(), out.header.payload_bytes};
  out.state = ParseState::kValid;
  return out;
}

std::string segment_name(Position base) {
  return numbered(base, ".seg");
}
std::string index_name(Position base) {
  return numbered(base, ".idx");
}
std::string blob_name(const Id128& id) {
  return id.to_string() + ".blob";
}

std::optional<Position> parse_segment_name(std::string_view name) {
  return parse_numbered(name, ".seg");
}
std::optional<Position> parse_index_name(std::string_view name) {
  return parse_numbered(name, ".idx");
}
std::optional<Id128> parse_blob_name(std::string_view name) {
  if (!name.ends_with(".blob")) return std::nullopt;
  return Id128::parse(name.substr(0, name.size() - 5));
}

}  // namespace sd::journal
