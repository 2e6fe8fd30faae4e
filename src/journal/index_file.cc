// Index files: building and asking them. The format stands in index.h.
#include <algorithm>
#include <array>
#include <unordered_map>

#include "base/checksum.h"
#include "journal/index.h"

namespace sd::journal {
namespace {

constexpr std::string_view kMagic = "SDJIDX\r\n";
constexpr std::size_t kPageBytes = 4096;
constexpr std::size_t kEntryBytes = 40;
constexpr std::size_t kEntriesAPage = 102;
constexpr std::size_t kPagePayload = kEntriesAPage * kEntryBytes;
constexpr std::uint32_t kIndexVersion = 2;
constexpr std::size_t kMaxLabelBytes = 255;
constexpr std::size_t kLabelUnit = 4;
constexpr std::uint32_t kMostLabels = (1U << 24) - 1;  // numbers that an entry can hold
constexpr std::size_t kCrcAt = kPageBytes - 4;

using Page = std::array<char, kPageBytes>;

constexpr std::uint64_t pages_of(std::uint64_t entries) {
  return (entries + kEntriesAPage - 1) / kEntriesAPage;
}

void store_id(char* to, const Id128& id) {
  std::memcpy(to, id.bytes.data(), 16);
}
Id128 load_id(const char* from) {
  Id128 id;
  std::memcpy(id.bytes.data(), from, 16);
  return id;
}

constexpr std::uint64_t pages_of_bytes(std::uint64_t bytes) {
  return (bytes + kPagePayload - 1) / kPagePayload;
}

std::uint32_t page_seed(const IndexHeader& header, std::uint64_t page) {
  std::array<char, 40> bytes{};
  store_id(bytes.data(), header.log_id);
  store(bytes.data() + 16, header.generation);
  store(bytes.data() + 24, header.base);
  store(bytes.data() + 32, page);
  return crc32c(0, bytes.data(), bytes.size());
}

void encode(const IndexHeader& h, char* p) {
  std::memcpy(p, kMagic.data(), kMagic.size());
  store(p + 8, kIndexVersion);
  store(p + 12, static_cast<std::uint32_t>(kPageBytes));
  store_id(p + 16, h.log_id);
  store(p + 32, h.base);
  store(p + 40, h.end);
  store(p + 48, h.data_end);
  store(p + 56, h.generation);
  store(p + 64, h.first_time_us);
  store(p + 72, h.last_time_us);
  store(p + 80, h.rows_before);
  store(p + 88, h.rows_after);
  store(p + 96, h.records);
  store(p + 104, h.keys);
  store(p + 112, h.blobs);
  store(p + 120, h.label_bytes);
  store(p + kCrcAt, crc32c(0, p, kCrcAt));
}

Error damaged(std::string_view what) {
  return Error{.code = ErrorCode::kCorruption,
               .message = "an index of the journal is damaged: " + std::string(what)};
}

Result<IndexHeader> decode(const Page& page) {
  const char* p = page.data();
  if (std::string_view(p, kMagic.size()) != kMagic ||
      load<std::uint32_t>(p + kCrcAt) != crc32c(0, p, kCrcAt)) {
    return fail(damaged("its header does not verify"));
  }
  const auto version = load<std::uint32_t>(p + 8);
  if (version > kIndexVersion) {
    return fail(invalid("an index of this journal has format version " + std::to_string(version) +
                        "; this program knows versions up to " + std::to_string(kIndexVersion) +
                        ": run the newer program"));
  }
  return IndexHeader{.log_id = load_id(p + 16),
                     .base = load<std::uint64_t>(p + 32),
                     .end = load<std::uint64_t>(p + 40),
                     .data_end = load<std::uint64_t>(p + 48),
                     .generation = load<std::uint64_t>(p + 56),
                     .first_time_us = load<std::int64_t>(p + 64),
                     .last_time_us = load<std::int64_t>(p + 72),
                     .rows_before = load<std::uint64_t>(p + 80),
                     .rows_after = load<std::uint64_t>(p + 88),
                     .records = load<std::uint64_t>(p + 96),
                     .keys = load<std::uint64_t>(p + 104),
                     .blobs = load<std::uint64_t>(p + 112),
                     .label_bytes = load<std::uint64_t>(p + 120)};
}

// What is collected from a segment before it is written.
struct Contents {
  struct Record {
    Id128 receipt;
    Position position;
    Micros time_us;
    std::uint32_t rows;
    std::uint8_t kind;
    std::uint32_t label;  // its number
  };
  struct Key {
    Idempotency idempotency;
    Position position;
  };
  struct Blob {
    BlobRef ref;
    Position position;
  };
  std::vector<Record> records;
  std::vector<Key> keys;
  std::vector<Blob> blobs;
  std::string labels;
  std::unordered_map<std::string, std::uint32_t> numbers;  // of labels

  // Where there are too many the last ones have none: that costs an answer its detail.
  std::uint32_t number_of(const std::string& label) {
    if (label.empty() || label.size() > kMaxLabelBytes) return 0;
    const auto known = numbers.find(label);
    if (known != numbers.end()) return known->second;
    const std::size_t number = labels.size() / kLabelUnit + 1;
    if (number > kMostLabels) return 0;
    labels += static_cast<char>(label.size());
    labels += label;
    labels.resize((labels.size() + kLabelUnit - 1) / kLabelUnit * kLabelUnit);
    return numbers[label] = static_cast<std::uint32_t>(number);
  }

  void add(const RecordHeader& h, std::string_view payload, const LabelOf& label_of) {
    if (!h.is_data()) return;
    const bool labelled = label_of && static_cast<RecordKind>(h.kind) == RecordKind::kInsert;
    records.push_back({h.receipt, h.position, h.time_us, h.rows, h.kind,
                       labelled ? number_of(label_of(payload)) : 0});
    if (h.idempotency) keys.push_back({*h.idempotency, h.position});
    if (h.blob) blobs.push_back({*h.blob, h.position});
  }
};

class Encoder {
 public:
  explicit Encoder(const IndexHeader& header) : header_(header), bytes_(header.file_bytes(), '\0') {
    encode(header, bytes_.data());
  }
  // A section of `count` entries; `fill` writes one.
  template <typename Fill>
  void section(std::size_t count, Fill fill) {
    for (std::size_t i = 0; i < count; ++i) {
      char* page = bytes_.data() + (page_ + i / kEntriesAPage) * kPageBytes;
      fill(i, page + 4 + i % kEntriesAPage * kEntryBytes);
    }
    for (const std::uint64_t end = page_ + pages_of(count); page_ < end; ++page_)
      seal(bytes_.data() + page_ * kPageBytes);
  }
  void text(std::string_view text) {
    for (; !text.empty(); ++page_) {
      const std::string_view piece = text.substr(0, kPagePayload);
      char* page = bytes_.data() + page_ * kPageBytes;
      std::memcpy(page + 4, piece.data(), piece.size());
      seal(page);
      text.remove_prefix(piece.size());
    }
  }
  const std::string& bytes() const { return bytes_; }

 private:
  void seal(char* page) const {
    store(page, crc32c(page_seed(header_, page_), page + 4, kPageBytes - 4));
  }

  IndexHeader header_;
  std::string bytes_;
  std::uint64_t page_ = 1;
};

std::string encode_file(const IndexHeader& header, Contents& contents) {
  auto& records = contents.records;
  auto& keys = contents.keys;
  std::sort(records.begin(), records.end(), [](const auto& a, const auto& b) {
    return std::tie(a.receipt, a.position) < std::tie(b.receipt, b.position);
  });
  std::sort(keys.begin(), keys.end(), [](const auto& a, const auto& b) {
    return std::tie(a.idempotency.key, a.position) < std::tie(b.idempotency.key, b.position);
  });
  // Position → number of the entry, for the keys.
  std::vector<std::pair<Position, std::uint32_t>> numbers;
  if (!keys.empty()) {
    numbers.reserve(records.size());
    for (std::uint32_t i = 0; i < records.size(); ++i) numbers.emplace_back(records[i].position, i);
    std::sort(numbers.begin(), numbers.end());
  }
  Encoder encoder(header);
  encoder.section(records.size(), [&](std::size_t i, char* p) {
    store_id(p, records[i].receipt);
    store(p + 16, records[i].position);
    store(p + 24, records[i].time_us);
    store(p + 32, records[i].rows);
    store(p + 36, records[i].kind | records[i].label << 8);
  });
  encoder.section(keys.size(), [&](std::size_t i, char* p) {
    store_id(p, keys[i].idempotency.key);
    store_id(p + 16, keys[i].idempotency.body);
    const auto number = std::lower_bound(numbers.begin(), numbers.end(),
                                         std::pair(keys[i].position, std::uint32_t{0}));
    store(p + 32, number->second);
  });
  encoder.section(contents.blobs.size(), [&](std::size_t i, char* p) {
    const auto& blob = contents.blobs[i];
    store_id(p, blob.ref.id);
    store(p + 16, blob.ref.length);
    store(p + 24, blob.position);
    store(p + 32, blob.ref.crc32c);
  });
  encoder.text(contents.labels);
  return encoder.bytes();
}

Result<> read_page(File& file, const IndexHeader& header, std::uint64_t number, Page& page) {
  TRY_ASSIGN(const std::size_t got, file.read_at(number * kPageBytes, page));
  if (got < kPageBytes || load<std::uint32_t>(page.data()) !=
                              crc32c(page_seed(header, number), page.data() + 4, kPageBytes - 4)) {
    return fail(damaged("page " + std::to_string(number) + " of " + index_name(header.base) +
                        " does not verify"));
  }
  return {};
}

struct Section {
  std::uint64_t first_page;
  std::uint64_t entries;
};
Section records_section(const IndexHeader& h) {
  return {1, h.records};
}
Section keys_section(const IndexHeader& h) {
  return {1 + pages_of(h.records), h.keys};
}
Section blobs_section(const IndexHeader& h) {
  return {1 + pages_of(h.records) + pages_of(h.keys), h.blobs};
}
std::uint64_t first_page_of_labels(const IndexHeader& h) {
  return 1 + pages_of(h.records) + pages_of(h.keys) + pages_of(h.blobs);
}

// Ids are spread evenly: the first eight bytes, read as a number, say where in the section it
// stands.
std::int64_t guess_page(const Id128& id, std::uint64_t pages) {
  char first[8];
  std::memcpy(first, id.bytes.data(), sizeof first);
  const auto number = static_cast<double>(__builtin_bswap64(load<std::uint64_t>(first)));
  return static_cast<std::int64_t>(number * 0x1p-64 * static_cast<double>(pages));
}

// The last entry of the section whose first 16 bytes are `id`; it stays in `page`.
Result<const char*> find_last(File& file, const IndexHeader& header, const Section& section,
                              const Id128& id, Page& page) {
  std::int64_t low = -1;
  auto high = static_cast<std::int64_t>(pages_of(section.entries));
  std::int64_t at = guess_page(id, pages_of(section.entries));
  Page probe;
  for (int probes = 0; high - low > 1; ++probes) {
    at = std::clamp(at, low + 1, high - 1);
    TRY(read_page(file, header, section.first_page + static_cast<std::uint64_t>(at), probe));
    if (load_id(probe.data() + 4) <= id) {
      low = at;
      page = probe;
      at = probes < 3 ? low + 1 : (low + high) / 2;
    } else {
      high = at;
      at = probes < 3 ? high - 1 : (low + high) / 2;
    }
  }
  if (low < 0) return nullptr;
  const std::uint64_t before = static_cast<std::uint64_t>(low) * kEntriesAPage;
  for (std::size_t i = std::min<std::uint64_t>(kEntriesAPage, section.entries - before); i-- > 0;) {
    const char* entry = page.data() + 4 + i * kEntryBytes;
    if (load_id(entry) == id) return entry;
  }
  return nullptr;
}

IndexEntry decode_entry(const char* p) {
  return {.position = load<std::uint64_t>(p + 16),
          .time_us = load<std::int64_t>(p + 24),
          .rows = load<std::uint32_t>(p + 32),
          .kind = static_cast<RecordKind>(load<std::uint8_t>(p + 36)),
          .receipt = load_id(p),
          .idempotency = std::nullopt,
          .label = {}};
}

}  // namespace

std::uint64_t IndexHeader::file_bytes() const {
  return (first_page_of_labels(*this) + pages_of_bytes(label_bytes)) * kPageBytes;
}

Result<IndexHeader> write_index(FileSystem& fs, const std::string& directory, File& segment,
                                const SegmentHeader& header, Position end,
                                const LabelOf& label_of) {
  Contents contents;
  TRY_ASSIGN(
      const SegmentScan scan,
      scan_segment(segment, header, end, [&](const RecordHeader& h, std::string_view payload) {
        contents.add(h, payload, label_of);
      }));
  if (!scan.sealed || scan.end != end) {
    return fail(ErrorCode::kCorruption, "the journal is damaged: no valid record at " +
                                            describe_position(header.base, scan.end));
  }
  const bool none = contents.records.empty();
  const IndexHeader index{.log_id = header.log_id,
                          .base = header.base,
                          .end = end,
                          .data_end = scan.data_end,
                          .generation = header.generation,
                          .first_time_us = none ? scan.time_us : contents.records.front().time_us,
                          .last_time_us = scan.time_us,
                          .rows_before = header.rows_before,
                          .rows_after = scan.rows,
                          .records = contents.records.size(),
                          .keys = contents.keys.size(),
                          .blobs = contents.blobs.size(),
                          .label_bytes = contents.labels.size()};
  const std::string bytes = encode_file(index, contents);
  const std::string path = directory + "/" + index_name(header.base);
  const std::string temporary = path + std::string(kTemporarySuffix);
  const auto write = [&]() -> Result<> {
    TRY_ASSIGN(auto file, fs.open(temporary, OpenMode::kOpenOrCreate));
    TRY(file->truncate(0));
    TRY(file->write_at(0, std::string_view(bytes)));
    return file->sync_data();
  };
  if (auto written = write(); !written) {
    (void)fs.remove(temporary);
    return fail(std::move(written).error());
  }
  TRY(fs.rename(temporary, path));
  TRY(fs.sync_directory(directory));
  return index;
}

Result<std::shared_ptr<IndexFile>> IndexFile::open(FileSystem& fs, std::string path,
                                                   Position base) {
  TRY_ASSIGN(auto file, fs.open(path, OpenMode::kRead));
  Page page{};
  TRY(file->read_at(0, page));
  TRY_ASSIGN(const IndexHeader header, decode(page));
  TRY_ASSIGN(const std::uint64_t size, file->size());
  if (header.base != base || size != header.file_bytes()) {
    return fail(damaged(index_name(base) + " has another base or size than it says"));
  }
  return std::shared_ptr<IndexFile>(new IndexFile(fs, std::move(path), header));
}

Result<std::optional<IndexEntry>> IndexFile::find_receipt(const Id128& receipt) const {
  TRY_ASSIGN(auto file, fs_.open(path_, OpenMode::kRead));
  Page page;
  TRY_ASSIGN(const char* entry, find_last(*file, header_, records_section(header_), receipt, page));
  if (entry == nullptr) return std::optional<IndexEntry>();
  IndexEntry found = decode_entry(entry);
  TRY_ASSIGN(found.label, label(*file, load<std::uint32_t>(entry + 36) >> 8));
  return found;
}

Result<std::string> IndexFile::label(File& file, std::uint32_t number) const {
  if (number == 0) return std::string();
  const std::uint64_t at = std::uint64_t{number - 1} * kLabelUnit;
  TRY_ASSIGN(const std::string length, label_bytes(file, at, 1));
  return label_bytes(file, at + 1, static_cast<unsigned char>(length[0]));
}

Result<std::string> IndexFile::label_bytes(File& file, std::uint64_t at, std::size_t size) const {
  if (at + size > header_.label_bytes) {
    return fail(damaged(index_name(header_.base) + " lacks a label that it names"));
  }
  std::string out;
  Page page;
  while (out.size() < size) {
    TRY(read_page(file, header_, first_page_of_labels(header_) + at / kPagePayload, page));
    const std::size_t begin = at % kPagePayload;
    const std::size_t length = std::min(size - out.size(), kPagePayload - begin);
    out.append(page.data() + 4 + begin, length);
    at += length;
  }
  return out;
}

Result<std::optional<IndexEntry>> IndexFile::find_idempotency(const Id128& key) const {
  if (header_.keys == 0) return std::optional<IndexEntry>();
  TRY_ASSIGN(auto file, fs_.open(path_, OpenMode::kRead));
  Page page;
  TRY_ASSIGN(const char* found, find_last(*file, header_, keys_section(header_), key, page));
  if (found == nullptr) return std::optional<IndexEntry>();
  const Idempotency idempotency{load_id(found), load_id(found + 16)};
  const auto number = load<std::uint32_t>(found + 32);
  TRY(read_page(*file, header_, 1 + number / kEntriesAPage, page));
  IndexEntry entry = decode_entry(page.data() + 4 + number % kEntriesAPage * kEntryBytes);
  entry.idempotency = idempotency;
  return entry;
}

Result<std::vector<BlobRef>> IndexFile::blobs() const {
  std::vector<BlobRef> out;
  if (header_.blobs == 0) return out;
  TRY_ASSIGN(auto file, fs_.open(path_, OpenMode::kRead));
  const Section section = blobs_section(header_);
  Page page;
  for (std::uint64_t i = 0; i < section.entries; ++i) {
    if (i % kEntriesAPage == 0) {
      TRY(read_page(*file, header_, section.first_page + i / kEntriesAPage, page));
    }
    const char* p = page.data() + 4 + i % kEntriesAPage * kEntryBytes;
    out.push_back({load_id(p), load<std::uint64_t>(p + 16), load<std::uint32_t>(p + 32)});
  }
  return out;
}

Result<> IndexFile::verify() const {
  TRY_ASSIGN(auto file, fs_.open(path_, OpenMode::kRead));
  Page page;
  for (std::uint64_t i = 1; i < header_.file_bytes() / kPageBytes; ++i) {
    TRY(read_page(*file, header_, i, page));
  }
  return {};
}

}  // namespace sd::journal
