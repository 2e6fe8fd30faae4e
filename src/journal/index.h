// Finding records by receipt or by idempotency key.
//
// While a segment is written to, its records are found through two small hash tables in memory (8
// bytes for each record and key; the rest is read from the segment). When it was sealed, an index
// file
// `<base>.idx` takes over, which outlives the segment. After a restart the tables are built again
// from the segments that have no index file yet.
//
// Index file, version 2. Little-endian; pages of 4096 bytes; every byte is covered by a CRC-32C.
//
//   page 0: header
//     0     8  magic "SDJIDX\r\n"
//     8     4  version: 2. Version 1 had no labels; what is said of them here was zero, and reads as none
//    12     4  header bytes, 4096
//    16    16  log id
//    32     8  base of the segment
//    40     8  end: base of its successor
//    48     8  data end: end of the last insert or control record
//    56     8  generation of the segment
//    64     8  log time of the first record
//    72     8  log time of the last record
//    80     8  rows of all records before the segment
//    88     8  rows of all records up to the segment's end
//    96     8  number of entries in the first section: insert and control records
//   104     8  … in the second section: idempotency keys
//   112     8  … in the third section: blobs
//   120     8  bytes of the fourth section: labels
//   128  3964  zero
//  4092     4  CRC-32C of bytes 0–4091
//
//   Then the four sections, each beginning on a page of its own. A page:
//     0     4  CRC-32C of bytes 4–4095, continued from the CRC-32C of
//              (log id, generation, base, page number: 8 bytes)
//     4  4080  up to 102 entries of 40 bytes, or a piece of the labels; what is not used is zero
//  4084    12  zero
//
//   section 1, sorted by receipt, then position
//     0    16  receipt
//    16     8  position
//    24     8  log time
//    32     4  rows
//    36     1  kind
//    37     3  label: a quarter of its offset in section 4, and 1; 0: none
//   section 2, sorted by key, then position
//     0    16  hash of the idempotency key
//    16    16  hash of the body
//    32     4  number of the record's entry in section 1
//    36     4  zero
//   section 3, in order of position
//     0    16  blob id
//    16     8  length
//    24     8  position of the record
//    32     4  CRC-32C of the blob
//    36     4  zero
//   section 4, each label once, in the order of their first records: its length (1 byte, not 0), its
//   bytes, and zeros up to a multiple of 4
//
// Receipts and hashes are spread evenly, so a look-up guesses the page and is right within one or
// two.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "journal/format.h"
#include "journal/segment.h"

namespace sd::journal {

struct IndexEntry {
  Position position = 0;
  Micros time_us = 0;
  std::uint32_t rows = 0;
  RecordKind kind = RecordKind::kInsert;
  Id128 receipt;
  std::optional<Idempotency> idempotency;  // set by find_idempotency only
  // Set by find_receipt only, where the record is found in an index file that has it.
  std::string label;
};

struct IndexHeader {
  Id128 log_id;
  Position base = 0;
  Position end = 0;
  Position data_end = 0;
  std::uint64_t generation = 0;
  Micros first_time_us = 0;
  Micros last_time_us = 0;
  std::uint64_t rows_before = 0;
  std::uint64_t rows_after = 0;
  std::uint64_t records = 0;
  std::uint64_t keys = 0;
  std::uint64_t blobs = 0;
  std::uint64_t label_bytes = 0;

  std::uint64_t file_bytes() const;
};

// Reads a sealed segment through (verifying it), writes its index file, syncs it and its name.
// `label_of` may be empty.
Result<IndexHeader> write_index(FileSystem& fs, const std::string& directory, File& segment,
                                const SegmentHeader& header, Position end, const LabelOf& label_of);

// A file of the format above. The file is opened for each question, so that thousands cost no
// descriptors. kCorruption where a page does not verify. Any thread.
class IndexFile {
 public:
  static Result<std::shared_ptr<IndexFile>> open(FileSystem& fs, std::string path, Position base);

  const IndexHeader& header() const { return header_; }
  Result<std::optional<IndexEntry>> find_receipt(const Id128& receipt) const;
  Result<std::optional<IndexEntry>> find_idempotency(const Id128& key) const;
  Result<std::vector<BlobRef>> blobs() const;
  Result<> verify() const;  // every page

 private:
  Result<std::string> label(File& file, std::uint32_t number) const;
  Result<std::string> label_bytes(File& file, std::uint64_t at, std::size_t size) const;

  IndexFile(FileSystem& fs, std::string path, IndexHeader header)
      : fs_(fs), path_(std::move(path)), header_(header) {}

  FileSystem& fs_;
  std::string path_;
  IndexHeader header_;
};

// 32 bits of a hash → positions. Grows by doubling, so adding costs no allocation mostly.
class TagTable {
 public:
  void add(std::uint32_t tag, std::uint32_t value);
  void find(std::uint32_t tag, std::vector<std::uint32_t>& out) const;

 private:
  void grow();
  std::vector<std::uint64_t> slots_;  // tag << 32 | value + 1; 0: free
  std::size_t used_ = 0;
};

// The records of a segment that has no index file (yet).
class LiveIndex {
 public:
  LiveIndex(std::shared_ptr<File> file, const SegmentHeader& header)
      : file_(std::move(file)), header_(header) {}

 private:
  friend class Index;
  std::shared_ptr<File> file_;
  SegmentHeader header_;
  TagTable receipts_;
  TagTable keys_;
};

// The index of one log, over all its segments and index files. Look-ups see what is durable, and
// come from any thread; the log alone changes it.
class Index {
 public:
  // The latest record with it; nullopt for none. Records whose log time is below `since_us` may be
  // left out (whole index files are skipped).
  Result<std::optional<IndexEntry>> find_receipt(const Id128& receipt, Micros since_us = 0) const;
  Result<std::optional<IndexEntry>> find_idempotency(const Id128& key, Micros since_us = 0) const;

  // For the log. Sources are kept in the order of their bases.
  void add_live(std::shared_ptr<LiveIndex> live);
  void add_file(std::shared_ptr<IndexFile> file);  // replaces a live one of the same base
  void remove(Position base);
  // A record that became durable, in the newest live segment.
  class Adding {
   public:
    explicit Adding(Index& index) : index_(index), lock_(index.mutex_) {}
    void add(Position position, const RecordMeta& meta);

   private:
    Index& index_;
    std::lock_guard<std::mutex> lock_;
  };
  void add(Position base, const RecordHeader& record);

 private:
  struct Source {
    std::shared_ptr<LiveIndex> live;
    std::shared_ptr<IndexFile> file;
  };
  enum class By { kReceipt, kKey };
  Result<std::optional<IndexEntry>> find(By by, const Id128& id, Micros since_us) const;
  static void insert(LiveIndex& live, Position position, const Id128& receipt,
                     const std::optional<Idempotency>& idempotency);

  mutable std::mutex mutex_;
  std::map<Position, Source> sources_;
};

}  // namespace sd::journal
