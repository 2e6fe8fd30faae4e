#include "journal/index.h"

#include <algorithm>
#include <array>

#include "base/checksum.h"

namespace sd::journal {
namespace {

std::uint32_t tag_of(const Id128& id) {
  return static_cast<std::uint32_t>(std::hash<Id128>()(id) * 0x9E3779B97F4A7C15ULL >> 32);
}

}  // namespace

// ---- tables in memory

void TagTable::add(std::uint32_t tag, std::uint32_t value) {
  if ((used_ + 1) * 4 > slots_.size() * 3) grow();
  std::size_t at = tag & (slots_.size() - 1);
  while (slots_[at] != 0) at = (at + 1) & (slots_.size() - 1);
  slots_[at] = static_cast<std::uint64_t>(tag) << 32 | (value + 1);
  ++used_;
}

void TagTable::find(std::uint32_t tag, std::vector<std::uint32_t>& out) const {
  if (slots_.empty()) return;
  for (std::size_t at = tag & (slots_.size() - 1); slots_[at] != 0;
       at = (at + 1) & (slots_.size() - 1)) {
    if (slots_[at] >> 32 == tag) out.push_back(static_cast<std::uint32_t>(slots_[at]) - 1);
  }
}

void TagTable::grow() {
  std::vector<std::uint64_t> old(std::max<std::size_t>(64, slots_.size() * 2));
  old.swap(slots_);
  for (const std::uint64_t slot : old) {
    if (slot == 0) continue;
    std::size_t at = (slot >> 32) & (slots_.size() - 1);
    while (slots_[at] != 0) at = (at + 1) & (slots_.size() - 1);
    slots_[at] = slot;
  }
}

// ---- the log's index

void Index::insert(LiveIndex& live, Position position, const Id128& receipt,
                   const std::optional<Idempotency>& idempotency) {
  const auto value = static_cast<std::uint32_t>((position - live.header_.base) / 8);
  if (!receipt.is_zero()) live.receipts_.add(tag_of(receipt), value);
  if (idempotency) live.keys_.add(tag_of(idempotency->key), value);
}

void Index::Adding::add(Position position, const RecordMeta& meta) {
  insert(*index_.sources_.rbegin()->second.live, position, meta.receipt, meta.idempotency);
}

void Index::add(Position base, const RecordHeader& record) {
  const std::lock_guard lock(mutex_);
  insert(*sources_.at(base).live, record.position, record.receipt, record.idempotency);
}

void Index::add_live(std::shared_ptr<LiveIndex> live) {
  const std::lock_guard lock(mutex_);
  const Position base = live->header_.base;
  sources_[base] = {.live = std::move(live), .file = nullptr};
}

void Index::add_file(std::shared_ptr<IndexFile> file) {
  const std::lock_guard lock(mutex_);
  const Position base = file->header().base;
  sources_[base] = {.live = nullptr, .file = std::move(file)};
}

void Index::remove(Position base) {
  const std::lock_guard lock(mutex_);
  sources_.erase(base);
}

Result<std::optional<IndexEntry>> Index::find_receipt(const Id128& receipt, Micros since_us) const {
  return find(By::kReceipt, receipt, since_us);
}

Result<std::optional<IndexEntry>> Index::find_idempotency(const Id128& key, Micros since_us) const {
  return find(By::kKey, key, since_us);
}

Result<std::optional<IndexEntry>> Index::find(By by, const Id128& id, Micros since_us) const {
  if (by == By::kReceipt && id.is_zero()) return std::optional<IndexEntry>();
  struct Candidate {
    std::shared_ptr<File> file;
    SegmentHeader header;
    Position position;
  };
  // While we look, a segment may get its index file and be used again for another one: then its
  // bytes are no record any more, and the second attempt finds the index file.
  for (int attempt = 0; attempt < 8; ++attempt) {
    std::vector<Candidate> candidates;
    std::vector<std::shared_ptr<IndexFile>> files;
    {
      const std::lock_guard lock(mutex_);
      std::vector<std::uint32_t> values;
      for (auto at = sources_.rbegin(); at != sources_.rend(); ++at) {
        if (at->second.file) {
          if (at->second.file->header().last_time_us >= since_us) files.push_back(at->second.file);
          continue;
        }
        const LiveIndex& live = *at->second.live;
        values.clear();
        (by == By::kReceipt ? live.receipts_ : live.keys_).find(tag_of(id), values);
        for (const std::uint32_t value : values) {
          candidates.push_back({live.file_, live.header_, live.header_.base + Position{value} * 8});
        }
      }
    }
    std::optional<IndexEntry> best;
    bool stale = false;
    for (const Candidate& candidate : candidates) {
      std::array<char, kRecordHeaderBytes + kIdempotencyBytes + kBlobRefBytes> bytes{};
      TRY(candidate.file->read_at(candidate.header.file_offset(candidate.position), bytes));
      RecordHeader h;
      if (!parse_header_only(bytes, candidate.position, h)) {
        stale = true;
        break;
      }
      const bool same = by == By::kReceipt ? h.receipt == id
                                           : h.idempotency.has_value() && h.idempotency->key == id;
      if (!same || (best && best->position > h.position)) continue;
      best = IndexEntry{.position = h.position,
                        .time_us = h.time_us,
                        .rows = h.rows,
                        .kind = static_cast<RecordKind>(h.kind),
                        .receipt = h.receipt,
                        .idempotency = h.idempotency,
                        .label = {}};
    }
    if (stale) continue;
    for (const auto& file : files) {
      if (best && file->header().base < best->position) break;
      auto found = by == By::kReceipt ? file->find_receipt(id) : file->find_idempotency(id);
      // Removed meanwhile: too old.
      if (!found && found.error().code == ErrorCode::kNotFound) continue;
      if (!found || *found) return found;
    }
    return best;
  }
  return fail(ErrorCode::kCorruption, "the journal is damaged: a record of the index is not there");
}

}  // namespace sd::journal
