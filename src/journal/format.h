// The bytes of a log, version 1. docs/journal_format.md tells the whole story; this is the
// reference. All integers are little-endian. Every byte below is covered by a CRC-32C.
//
// Segment file `<base>.seg` (base: 20 decimal digits)
//
//   header block, 4096 bytes, so that records begin on a block boundary
//     0     8  magic "SDJSEG\r\n"
//     8     4  version, 1
//    12     4  header bytes, 4096
//    16    16  log id: random, made with the log
//    32     8  base: position of the first record
//    40     8  generation: random for each segment, also when a file is used again
//    48     8  segment bytes: size of the file when it was made
//    56     8  log time when it was made, microseconds since 1970, signed
//    64     8  rows before: rows of all records before this segment
//    72     8  previous end: where the last insert or control record before this segment ended;
//              [previous end, base) holds nothing but marks and the seal
//    80  4012  zero
//  4092     4  CRC-32C of bytes 0–4091
//
//   The place of magic, version and CRC stays the same in every later version, so that an older
//   program can tell "newer" from "damaged".
//
//   then records; the one at position p begins at file offset 4096 + (p - base)
//     0     4  CRC-32C of bytes 4 up to the end of the record (padding included), continued from
//     the
//              CRC-32C of (log id, generation, base): a block that belongs to another segment, or
//              to an earlier life of this file, never verifies
//     4     4  payload bytes
//     8     8  position of this record
//    16     1  kind: 1 insert, 2 control, 254 mark, 255 seal
//    17     1  flags: 1 idempotency follows, 2 blob reference follows; others 0
//    18     2  zero
//    20     4  rows
//    24     8  log time, microseconds since 1970, signed; never runs backwards
//    32     8  rows before: rows of all records before this one
//    40     8  synced: the log was durable up to this position when the record was written
//    48    16  receipt
//    64   [32] idempotency: 16 bytes of the key's hash, 16 of the body's
//     .   [32] blob: id 16, length 8, CRC-32C of the blob 4, zero 4
//     .     n  payload
//     .   0–7  zero, up to a multiple of 8
//
//   A *seal* (64 bytes, no payload) ends a segment; its successor `<end of the seal>.seg` existed
//   on stable storage before the seal was written, and no record is written there before the seal
//   is durable. A *mark* (64 bytes) is written at a clean close, so that damage to the last batch
//   shows.
//
// Threading: pure functions.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/ids.h"
#include "base/result.h"
#include "journal/log.h"

namespace sd::journal {

static_assert(std::endian::native == std::endian::little, "the formats are little-endian");

inline constexpr std::uint32_t kFormatVersion = 1;
inline constexpr std::size_t kSegmentHeaderBytes = 4096;
inline constexpr std::size_t kRecordHeaderBytes = 64;
inline constexpr std::size_t kIdempotencyBytes = 32;
inline constexpr std::size_t kBlobRefBytes = 32;
// A segment keeps room for a mark and its seal.
inline constexpr std::size_t kSegmentTailBytes = 2 * kRecordHeaderBytes;

inline constexpr std::uint8_t kKindMark = 254;
inline constexpr std::uint8_t kKindSeal = 255;
inline constexpr std::uint8_t kFlagIdempotency = 1;
inline constexpr std::uint8_t kFlagBlob = 2;

struct SegmentHeader {
  Id128 log_id;
  Position base = 0;
  std::uint64_t generation = 0;
  std::uint64_t segment_bytes = 0;
  Micros time_us = 0;
  std::uint64_t rows_before = 0;
  Position previous_end = 0;

  // What the CRC of each record continues from.
  std::uint32_t record_seed() const;
  std::uint64_t file_offset(Position position) const {
    return kSegmentHeaderBytes + (position - base);
  }
};

void encode(const SegmentHeader& header, std::span<char, kSegmentHeaderBytes> out);

// kCorruption where it does not verify, kInvalidArgument where a newer version wrote it.
Result<SegmentHeader> decode_segment_header(std::span<const char> block);

// What a record says but for its payload.
struct RecordHeader {
  std::uint32_t payload_bytes = 0;
  Position position = 0;
  std::uint8_t kind = 0;
  std::uint8_t flags = 0;
  std::uint32_t rows = 0;
  Micros time_us = 0;
  std::uint64_t rows_before = 0;
  Position synced = 0;
  Id128 receipt;
  std::optional<Idempotency> idempotency;
  std::optional<BlobRef> blob;

  bool is_data() const { return kind != kKindMark && kind != kKindSeal; }
  std::size_t payload_offset() const;
  std::size_t bytes() const;  // of the whole record, padding included
};

// Bytes of a record with this metadata and payload, padding included.
std::size_t record_bytes(const RecordMeta& meta, std::size_t payload_bytes);

// Writes everything but CRC and payload: payload_offset() bytes.
void encode_record_header(const RecordHeader& header, char* out);
void store_crc(char* record, std::uint32_t crc);

// A mark or a seal, complete.
void encode_bare_record(const RecordHeader& header, std::uint32_t seed,
                        std::span<char, kRecordHeaderBytes> out);

enum class ParseState {
  kValid,
  kTooShort,  // may be valid; `need` bytes are wanted
  kInvalid,
};

struct ParsedRecord {
  ParseState state = ParseState::kInvalid;
  std::size_t need = 0;
  RecordHeader header;
  std::string_view payload;  // into the bytes that were given
};

// Reads the record at `position` from `bytes`, which begin there. `limit` is how many bytes a
// record may have at most here (what is left of the segment).
ParsedRecord parse_record(std::span<const char> bytes, Position position, std::uint32_t seed,
                          std::uint64_t limit);

// The same without checksum, for a first look: could a record begin here?
bool looks_like_record(std::span<const char> bytes, Position position, std::uint64_t limit);

// Like parse_record, but checks only the header fields and fills `header`: for look-ups in bytes
// that have been verified before.
bool parse_header_only(std::span<const char> bytes, Position position, RecordHeader& header);

// Names. A name that does not fit exactly gives nullopt.
std::string segment_name(Position base);
std::string index_name(Position base);
std::string blob_name(const Id128& id);
std::optional<Position> parse_segment_name(std::string_view name);
std::optional<Position> parse_index_name(std::string_view name);
std::optional<Id128> parse_blob_name(std::string_view name);
inline constexpr std::string_view kLockName = "LOCK";
inline constexpr std::string_view kBlobDirectory = "blobs";
inline constexpr std::string_view kTemporarySuffix = ".tmp";

// Little-endian loads and stores at any address.
template <typename T>
T load(const char* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}
template <typename T>
void store(char* to, T value) {
  std::memcpy(to, &value, sizeof value);
}

}  // namespace sd::journal
