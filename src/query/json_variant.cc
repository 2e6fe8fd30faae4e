// VARIANT, read from the struct that DuckDB 1.5 keeps it in:
//
//   0 keys      LIST(VARCHAR)                                    names of members, each once
//   1 children  LIST(STRUCT(keys_index UINT, values_index UINT)) members of objects and arrays
//   2 values    LIST(STRUCT(type_id UTINYINT, byte_offset UINT)) every value; 0 the root
//   3 data      BLOB                                             the bytes of the values
//
// At data[byte_offset] stands a number in little-endian bytes, or what Tag says. "varint" is
// LEB128. All of it is checked against the ends of the lists and of the blob; what does not fit is
// null.
#include <array>
#include <cmath>
#include <cstring>

#include "query/json_value.h"
#include "query/plain_value.h"
#include "query/value_text.h"

namespace sd::query {
namespace {

// Deeper ones become null; DuckDB itself cannot make them from JSON that we store (64 levels).
constexpr int kMaxDepth = 1000;

enum class Tag : std::uint8_t {
  kNull = 0,
  kTrue = 1,
  kFalse = 2,
  kInt8 = 3,
  kInt16 = 4,
  kInt32 = 5,
  kInt64 = 6,
  kInt128 = 7,
  kUint8 = 8,
  kUint16 = 9,
  kUint32 = 10,
  kUint64 = 11,
  kUint128 = 12,
  kFloat = 13,
  kDouble = 14,
  kDecimal = 15,  // varint width, varint scale, integer as wide as DECIMAL(width) needs
  kVarchar = 16,  // varint length, bytes; so are kBlob, kBignum and kBit
  kBlob = 17,
  kUuid = 18,
  kDate = 19,
  kTime = 20,
  kTimeNs = 21,
  kTimestampS = 22,
  kTimestampMs = 23,
  kTimestamp = 24,
  kTimestampNs = 25,
  kTimeTz = 26,
  kTimestampTz = 27,
  kInterval = 28,
  kObject = 29,  // varint count, then, unless it is 0, varint index of the first child
  kArray = 30,
  kBignum = 31,
  kBit = 32,
};

class Bytes {
 public:
  explicit Bytes(std::string_view rest) : rest_(rest) {}
  template <typename T>
  T read() {
    T value{};
    if (rest_.size() < sizeof value) return fail<T>();
    std::memcpy(&value, rest_.data(), sizeof value);
    rest_.remove_prefix(sizeof value);
    return value;
  }
  std::uint32_t varint() {
    std::uint32_t value = 0;
    for (unsigned shift = 0; shift < 35 && !rest_.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      value |= static_cast<std::uint32_t>(byte & 127) << shift;
      if (byte < 128) return value;
    }
    return fail<std::uint32_t>();
  }
  std::string_view text() {
    const std::uint32_t length = varint();
    if (length > rest_.size()) return fail<std::string_view>();
    return rest_.substr(0, length);
  }
  bool ok() const { return ok_; }

 private:
  template <typename T>
  T fail() {
    ok_ = false;
    return {};
  }
  std::string_view rest_;
  bool ok_ = true;
};

class Writer {
 public:
  Writer(TextSink& sink, const VectorTree& tree, idx_t row, JsonOptions options)
      : sink_(sink), options_(options), keys_(tree.children[0].children[0]) {
    keys_list_ = tree.children[0].at<duckdb_list_entry>(row);
    children_list_ = tree.children[1].at<duckdb_list_entry>(row);
    values_list_ = tree.children[2].at<duckdb_list_entry>(row);
    keys_index_ = &tree.children[1].children[0].children[0];
    values_index_ = &tree.children[1].children[0].children[1];
    type_ids_ = &tree.children[2].children[0].children[0];
    byte_offsets_ = &tree.children[2].children[0].children[1];
    data_ = tree.children[3].string_at(row);
  }

  void value(std::uint32_t index, int depth) {
    const std::size_t start = sink_.size();
    if (depth <= kMaxDepth && index < values_list_.length) {
      const idx_t at = values_list_.offset + index;
      const std::uint32_t offset = byte_offsets_->at<std::uint32_t>(at);
      Bytes bytes(offset <= data_.size() ? data_.substr(offset) : std::string_view());
      if (spell(static_cast<Tag>(type_ids_->at<std::uint8_t>(at)), bytes, depth) && bytes.ok()) {
        return;
      }
      sink_.rewind(start);
    }
    sink_.put("null");
  }

 private:
  template <typename Put>
  bool quoted(Put put) {
    sink_.put('"');
    put();
    sink_.put('"');
    return true;
  }
  template <typename Put>
  bool wide(Put put) {
    if (options_.quote_int64) return quoted(put);
    put();
    return true;
  }
  template <typename T>
  bool small(Bytes& bytes) {
    put_signed(sink_, static_cast<std::int64_t>(bytes.read<T>()));
    return true;
  }
  template <typename T>
  bool fraction(T number) {
    if (!std::isfinite(number)) {
      return options_.quote_nan && quoted([&] { put_not_finite(sink_, number); });
    }
    put_fraction(sink_, number);
    return true;
  }
  template <std::int64_t kPerSecond>
  bool timestamp(Bytes& bytes, bool utc = false) {
    return quoted([&] { put_timestamp<kPerSecond>(sink_, bytes.read<std::int64_t>(), utc); });
  }

  bool decimal(Bytes& bytes) {
    const std::uint32_t width = bytes.varint();
    const std::uint32_t scale = bytes.varint();
    if (width > 38 || scale > width) return false;
    if (width > 18) {
      put_decimal(sink_, to_int128(bytes.read<duckdb_hugeint>()), scale);
    } else if (width > 9) {
      put_decimal(sink_, bytes.read<std::int64_t>(), scale);
    } else if (width > 4) {
      put_decimal(sink_, std::int64_t{bytes.read<std::int32_t>()}, scale);
    } else {
      put_decimal(sink_, std::int64_t{bytes.read<std::int16_t>()}, scale);
    }
    return true;
  }

  bool nested(Bytes& bytes, bool object, int depth) {
    const std::uint64_t count = bytes.varint();
    const std::uint64_t first = count != 0 ? bytes.varint() : 0;
    if (first + count > children_list_.length) return false;
    sink_.put(object ? '{' : '[');
    for (std::uint64_t i = first; i < first + count; ++i) {
      if (i != first) sink_.put(',');
      const idx_t at = children_list_.offset + i;
      if (object) {
        const std::uint32_t key = keys_index_->at<std::uint32_t>(at);
        if (key >= keys_list_.length) return false;
        put_json_string(sink_, keys_.string_at(keys_list_.offset + key));
        sink_.put(':');
      }
      value(values_index_->at<std::uint32_t>(at), depth + 1);
    }
    sink_.put(object ? '}' : ']');
    return true;
  }

  bool spell(Tag tag, Bytes& bytes, int depth) {
    switch (tag) {
      case Tag::kNull:
        return false;
      case Tag::kTrue:
        return sink_.put("true"), true;
      case Tag::kFalse:
        return sink_.put("false"), true;
      case Tag::kInt8:
        return small<std::int8_t>(bytes);
      case Tag::kInt16:
        return small<std::int16_t>(bytes);
      case Tag::kInt32:
        return small<std::int32_t>(bytes);
      case Tag::kUint8:
        return small<std::uint8_t>(bytes);
      case Tag::kUint16:
        return small<std::uint16_t>(bytes);
      case Tag::kUint32:
        return small<std::uint32_t>(bytes);
      case Tag::kInt64:
        return wide([&] { put_signed(sink_, bytes.read<std::int64_t>()); });
      case Tag::kUint64:
        return wide([&] { put_unsigned(sink_, bytes.read<std::uint64_t>()); });
      case Tag::kInt128:
        return wide([&] { put_int128(sink_, to_int128(bytes.read<duckdb_hugeint>())); });
      case Tag::kUint128:
        return wide([&] { put_uint128(sink_, to_uint128(bytes.read<duckdb_uhugeint>())); });
      case Tag::kFloat:
        return fraction(bytes.read<float>());
      case Tag::kDouble:
        return fraction(bytes.read<double>());
      case Tag::kDecimal:
        return decimal(bytes);
      case Tag::kVarchar:
        return put_json_string(sink_, bytes.text()), true;
      case Tag::kBlob:
        return quoted([&] { put_base64(sink_, bytes.text()); });
      case Tag::kUuid:
        return quoted([&] { put_uuid(sink_, bytes.read<duckdb_hugeint>()); });
      case Tag::kDate:
        return quoted([&] { put_date(sink_, bytes.read<std::int32_t>()); });
      case Tag::kTime:
        return quoted([&] { put_time<1'000'000>(sink_, bytes.read<std::int64_t>()); });
      case Tag::kTimeNs:
        return quoted([&] { put_time<1'000'000'000>(sink_, bytes.read<std::int64_t>()); });
      case Tag::kTimestampS:
        return timestamp<1>(bytes);
      case Tag::kTimestampMs:
        return timestamp<1'000>(bytes);
      case Tag::kTimestamp:
        return timestamp<1'000'000>(bytes);
      case Tag::kTimestampNs:
        return timestamp<1'000'000'000>(bytes);
      case Tag::kTimestampTz:
        return timestamp<1'000'000>(bytes, true);
      case Tag::kTimeTz:
        return quoted([&] { put_time_tz(sink_, bytes.read<std::uint64_t>()); });
      case Tag::kInterval:
        return quoted([&] { put_interval(sink_, bytes.read<duckdb_interval>()); });
      case Tag::kObject:
        return nested(bytes, true, depth);
      case Tag::kArray:
        return nested(bytes, false, depth);
      case Tag::kBignum:
        return wide([&] { put_bignum(sink_, bytes.text()); });
      case Tag::kBit:
        return quoted([&] { put_bit(sink_, bytes.text()); });
    }
    return false;
  }

  TextSink& sink_;
  JsonOptions options_;
  const VectorTree& keys_;
  duckdb_list_entry keys_list_{};
  duckdb_list_entry children_list_{};
  duckdb_list_entry values_list_{};
  const VectorTree* keys_index_;
  const VectorTree* values_index_;
  const VectorTree* type_ids_;
  const VectorTree* byte_offsets_;
  std::string_view data_;
};

}  // namespace

void put_json_variant(TextSink& sink, const VectorTree& tree, idx_t row, JsonOptions options) {
  Writer(sink, tree, row, options).value(0, 0);
}

}  // namespace sd::query
