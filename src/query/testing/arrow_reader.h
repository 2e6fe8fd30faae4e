// Reads an Arrow stream of ours back, strictly, and spells each row as the NDJSON encoder would: for
// tests and the fuzzer. Apache's own reader has its turn in tests/e2e/readers.test.mjs.
//
// Everything that it finds wrong ends in an exception: metadata that FlatBuffers' verifier refuses,
// buffers out of place or not aligned, offsets that run backwards, bytes under a NULL, a wrong count.
#pragma once

#include <cmath>
#include <stdexcept>
#include <string>
#include <vector>

#include "arrow_ipc_generated.h"
#include "base/json_text.h"
#include "query/embedded_json.h"
#include "query/plain_value.h"
#include "query/result_shape.h"
#include "query/value_text.h"

namespace sd::query::testing {

inline void demand(bool holds, const char* what) {
  if (!holds) throw std::runtime_error(what);
}

class ArrowReader {
 public:
  struct Batch {
    std::int64_t rows = 0;
    std::size_t bytes = 0;
  };

  ArrowReader(std::string_view stream, const ResultShape& shape) : stream_(stream), shape_(shape) {
    read_schema(next_message());
    while (const ipc::Message* message = next_message()) read_batch(*message);
    demand(stream_.size() == at_, "bytes behind the end of the stream");
  }

  const std::vector<std::string>& lines() const { return lines_; }
  const std::vector<Batch>& batches() const { return batches_; }
  // Names and metadata of the schema: "name" or "name extension".
  const std::vector<std::string>& fields() const { return fields_; }

 private:
  struct Array {
    const ValueType* type = nullptr;
    std::int64_t length = 0;
    std::string_view validity;
    std::string_view offsets;
    std::string_view values;
    std::vector<Array> children;

    bool valid(std::int64_t row) const {
      if (validity.empty()) return true;
      return (validity[static_cast<std::size_t>(row) / 8] >> (row % 8) & 1) != 0;
    }
    template <typename T>
    T at(std::int64_t row) const {
      T value{};
      const std::size_t place = static_cast<std::size_t>(row) * sizeof(T);
      demand(place + sizeof(T) <= values.size(), "a value beyond its buffer");
      std::memcpy(&value, values.data() + place, sizeof(T));
      return value;
    }
    std::int32_t offset(std::int64_t row) const {
      std::int32_t value = 0;
      const std::size_t place = static_cast<std::size_t>(row) * sizeof value;
      demand(place + sizeof value <= offsets.size(), "an offset beyond its buffer");
      std::memcpy(&value, offsets.data() + place, sizeof value);
      return value;
    }
    std::string_view text(std::int64_t row) const {
      const auto from = static_cast<std::size_t>(offset(row));
      return values.substr(from, static_cast<std::size_t>(offset(row + 1)) - from);
    }
  };

  const ipc::Message* next_message() {
    demand(at_ % 64 == 0, "a message that is not aligned");
    demand(stream_.size() - at_ >= 8 && read_u32() == 0xFFFFFFFF, "no continuation mark");
    const std::uint32_t size = read_u32();
    if (size == 0) return nullptr;
    demand(size <= stream_.size() - at_, "metadata beyond the end");
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(stream_.data()) + at_;
    flatbuffers::Verifier verifier(bytes, size, 200, 10'000'000);
    demand(ipc::VerifyMessageBuffer(verifier), "metadata that is no message");
    at_ += size;
    const ipc::Message* message = ipc::GetMessage(bytes);
    demand(message->version() == ipc::MetadataVersion::V5, "another version");
    const auto length = static_cast<std::size_t>(message->body_length());
    demand(length <= stream_.size() - at_ && at_ % 64 == 0 && length % 64 == 0, "a bad body");
    body_ = stream_.substr(at_, length);
    at_ += length;
    return message;
  }
  std::uint32_t read_u32() {
    std::uint32_t value = 0;
    std::memcpy(&value, stream_.data() + at_, sizeof value);
    at_ += sizeof value;
    return value;
  }

  void read_schema(const ipc::Message* message) {
    demand(message != nullptr && message->header_type() == ipc::MessageHeader::Schema, "no schema");
    const auto* fields = message->header_as_Schema()->fields();
    demand(fields->size() == shape_.columns().size(), "another number of columns");
    for (const ipc::Field* field : *fields) {
      std::string text = field->name()->str();
      if (field->custom_metadata() != nullptr) {
        text += " " + field->custom_metadata()->Get(0)->value()->str();
      }
      fields_.push_back(text);
    }
  }

  void read_batch(const ipc::Message& message) {
    const ipc::RecordBatch* batch = message.header_as_RecordBatch();
    demand(batch != nullptr, "no record batch");
    nodes_ = batch->nodes();
    buffers_ = batch->buffers();
    node_ = buffer_ = 0;
    end_ = 0;
    std::vector<Array> arrays;
    for (const ResultColumn& column : shape_.columns()) {
      arrays.push_back(read_array(column.type));
      demand(arrays.back().length == batch->length(), "a column of another length");
    }
    demand(node_ == nodes_->size() && buffer_ == buffers_->size(), "more nodes or buffers");
    demand(end_ == body_.size(), "a body that is larger than its buffers");
    for (std::int64_t row = 0; row < batch->length(); ++row) lines_.push_back(line(arrays, row));
    batches_.push_back({batch->length(), body_.size()});
  }

  std::string_view next_buffer() {
    demand(buffer_ < buffers_->size(), "too few buffers");
    const ipc::Buffer& buffer = *buffers_->Get(buffer_++);
    const auto offset = static_cast<std::size_t>(buffer.offset());
    const auto length = static_cast<std::size_t>(buffer.length());
    demand(offset == end_ && offset + length <= body_.size(), "a buffer out of place");
    end_ = (offset + length + 63) / 64 * 64;
    return body_.substr(offset, length);
  }
  const ipc::FieldNode& next_node() {
    demand(node_ < nodes_->size(), "too few nodes");
    return *nodes_->Get(node_++);
  }

  Array read_array(const ValueType& type) {
    Array array;
    array.type = &type;
    const ipc::FieldNode& node = next_node();
    array.length = node.length();
    if (type.kind == ValueKind::kNull) {
      demand(node.null_count() == node.length(), "a NULL that is not");
      return array;
    }
    if (type.kind != ValueKind::kUnion) array.validity = next_buffer();
    const bool lists = type.kind == ValueKind::kList || type.kind == ValueKind::kMap;
    const std::size_t width = width_of(type);
    if (lists || width == 0) array.offsets = next_buffer();
    if (width != kNoValues) array.values = next_buffer();
    if (type.kind == ValueKind::kMap) {
      demand(next_node().null_count() == 0 && next_buffer().empty(), "a bad struct in a map");
    }
    for (const ValueType& child : type.children) array.children.push_back(read_array(child));
    check(array, node.null_count(), width);
    return array;
  }

  static void check(const Array& array, std::int64_t null_count, std::size_t width) {
    std::int64_t nulls = 0;
    for (std::int64_t row = 0; row < array.length; ++row) {
      if (!array.offsets.empty()) {
        demand(array.offset(row) <= array.offset(row + 1), "offsets that run backwards");
        demand(array.valid(row) || array.offset(row) == array.offset(row + 1), "bytes of a NULL");
      }
      if (array.valid(row)) continue;
      ++nulls;
      if (width == 0 || width == kNoValues || width == kBits) continue;
      const auto bytes = array.values.substr(static_cast<std::size_t>(row) * width, width);
      demand(bytes.find_first_not_of('\0') == std::string_view::npos, "something under a NULL");
    }
    demand(nulls == null_count, "a wrong count of NULLs");
    if (!array.offsets.empty() && width == 0) {
      demand(array.offset(array.length) == static_cast<std::int32_t>(array.values.size()),
             "offsets that do not end with the bytes");
    }
    const auto rows = static_cast<std::size_t>(array.length);
    if (width != 0 && width != kNoValues) {
      demand(array.values.size() == (width == kBits ? (rows + 7) / 8 : rows * width),
             "values of another length");
    }
    demand(array.validity.empty() || array.validity.size() == (rows + 7) / 8, "a bad bitmap");
  }

  static constexpr std::size_t kNoValues = 1000;
  static constexpr std::size_t kBits = 1001;

  // Bytes of a value; 0: offsets and bytes.
  static std::size_t width_of(const ValueType& type) {
    switch (type.kind) {
      case ValueKind::kBoolean:
        return kBits;
      case ValueKind::kTinyint:
      case ValueKind::kUtinyint:
      case ValueKind::kUnion:
        return 1;
      case ValueKind::kSmallint:
      case ValueKind::kUsmallint:
        return 2;
      case ValueKind::kInteger:
      case ValueKind::kUinteger:
      case ValueKind::kFloat:
      case ValueKind::kDate:
        return 4;
      case ValueKind::kBigint:
      case ValueKind::kUbigint:
      case ValueKind::kDouble:
      case ValueKind::kTime:
      case ValueKind::kTimeNs:
      case ValueKind::kTimestamp:
      case ValueKind::kTimestampS:
      case ValueKind::kTimestampMs:
      case ValueKind::kTimestampNs:
      case ValueKind::kTimestampTz:
        return 8;
      case ValueKind::kHugeint:
      case ValueKind::kDecimal16:
      case ValueKind::kDecimal32:
      case ValueKind::kDecimal64:
      case ValueKind::kDecimal128:
      case ValueKind::kInterval:
        return 16;
      case ValueKind::kUhugeint:
        return 32;
      case ValueKind::kList:
      case ValueKind::kArray:
      case ValueKind::kMap:
      case ValueKind::kStruct:
        return kNoValues;
      default:
        return 0;
    }
  }

  std::string line(const std::vector<Array>& arrays, std::int64_t row) const {
    std::string out;
    {
      TextSink sink(out);
      const char* before = "{";
      for (std::size_t i = 0; i < arrays.size(); ++i) {
        sink.put(before + json_string(shape_.columns()[i].name) + ":");
        before = ",";
        put(sink, arrays[i], row);
      }
      sink.put('}');
    }
    return out;
  }

  template <typename Put>
  static void quoted(TextSink& sink, Put put) {
    sink.put('"');
    put();
    sink.put('"');
  }

  static void put(TextSink& sink, const Array& a, std::int64_t row) {
    demand(row >= 0 && row < a.length, "a row beyond its array");
    if (a.type->kind == ValueKind::kNull || !a.valid(row)) return sink.put("null");
    switch (a.type->kind) {
      case ValueKind::kBoolean:
        return sink.put(
            (a.values[static_cast<std::size_t>(row) / 8] >> (row % 8) & 1) != 0 ? "true" : "false");
      case ValueKind::kTinyint:
        return put_signed(sink, a.at<std::int8_t>(row));
      case ValueKind::kSmallint:
        return put_signed(sink, a.at<std::int16_t>(row));
      case ValueKind::kInteger:
        return put_signed(sink, a.at<std::int32_t>(row));
      case ValueKind::kBigint:
        return put_signed(sink, a.at<std::int64_t>(row));
      case ValueKind::kUtinyint:
        return put_unsigned(sink, a.at<std::uint8_t>(row));
      case ValueKind::kUsmallint:
        return put_unsigned(sink, a.at<std::uint16_t>(row));
      case ValueKind::kUinteger:
        return put_unsigned(sink, a.at<std::uint32_t>(row));
      case ValueKind::kUbigint:
        return put_unsigned(sink, a.at<std::uint64_t>(row));
      case ValueKind::kHugeint:
        return put_int128(sink, a.at<Int128>(row));
      case ValueKind::kUhugeint:
        demand(a.at<Uint128>(row * 2 + 1) == 0, "the upper half of a number");
        return put_uint128(sink, a.at<Uint128>(row * 2));
      case ValueKind::kFloat:
        if (!std::isfinite(a.at<float>(row))) return sink.put("null");
        return put_fraction(sink, a.at<float>(row));
      case ValueKind::kDouble:
        if (!std::isfinite(a.at<double>(row))) return sink.put("null");
        return put_fraction(sink, a.at<double>(row));
      case ValueKind::kDecimal16:
      case ValueKind::kDecimal32:
      case ValueKind::kDecimal64:
      case ValueKind::kDecimal128:
        return put_decimal(sink, a.at<Int128>(row), a.type->scale);
      case ValueKind::kVarchar:
      case ValueKind::kEnum8:
      case ValueKind::kEnum16:
      case ValueKind::kEnum32:
        return put_json_string(sink, a.text(row));
      case ValueKind::kJson:
        if (!put_embedded_json(sink, a.text(row))) put_json_string(sink, a.text(row));
        return;
      case ValueKind::kVariant:
      case ValueKind::kBignum:
        return sink.put(a.text(row));
      case ValueKind::kBlob:
        return quoted(sink, [&] { put_base64(sink, a.text(row)); });
      case ValueKind::kGeometry:
        return quoted(sink, [&] { put_geometry(sink, a.text(row)); });
      case ValueKind::kBit:
      case ValueKind::kUuid:
      case ValueKind::kTimeTz:
        return quoted(sink, [&] { sink.put(a.text(row)); });
      case ValueKind::kInterval: {
        duckdb_interval interval{};
        interval.months = a.at<std::int32_t>(row * 4);
        interval.days = a.at<std::int32_t>(row * 4 + 1);
        interval.micros = a.at<std::int64_t>(row * 2 + 1) / 1000;
        return quoted(sink, [&] { put_interval(sink, interval); });
      }
      default:
        return put_time_or_nested(sink, a, row);
    }
  }

  template <std::int64_t kPerSecond>
  static void put_stamp(TextSink& sink, const Array& a, std::int64_t row, bool utc = false) {
    quoted(sink, [&] { put_timestamp<kPerSecond>(sink, a.at<std::int64_t>(row), utc); });
  }

  static void put_time_or_nested(TextSink& sink, const Array& a, std::int64_t row) {
    switch (a.type->kind) {
      case ValueKind::kDate:
        return quoted(sink, [&] { put_date(sink, a.at<std::int32_t>(row)); });
      case ValueKind::kTime:
        return quoted(sink, [&] { put_time<1'000'000>(sink, a.at<std::int64_t>(row)); });
      case ValueKind::kTimeNs:
        return quoted(sink, [&] { put_time<1'000'000'000>(sink, a.at<std::int64_t>(row)); });
      case ValueKind::kTimestamp:
        return put_stamp<1'000'000>(sink, a, row);
      case ValueKind::kTimestampS:
        return put_stamp<1>(sink, a, row);
      case ValueKind::kTimestampMs:
        return put_stamp<1'000>(sink, a, row);
      case ValueKind::kTimestampNs:
        return put_stamp<1'000'000'000>(sink, a, row);
      case ValueKind::kTimestampTz:
        return put_stamp<1'000'000>(sink, a, row, true);
      case ValueKind::kList:
        return put_elements(sink, a.children[0], a.offset(row), a.offset(row + 1));
      case ValueKind::kArray: {
        const auto size = static_cast<std::int64_t>(a.type->array_size);
        return put_elements(sink, a.children[0], row * size, (row + 1) * size);
      }
      case ValueKind::kMap:
        return put_entries(sink, a, row);
      case ValueKind::kStruct:
        return put_members(sink, a, row);
      case ValueKind::kUnion: {
        const auto tag = static_cast<std::size_t>(a.at<std::uint8_t>(row));
        demand(tag < a.children.size(), "a tag that is no member");
        sink.put("{" + json_string(a.type->labels[tag]) + ":");
        put(sink, a.children[tag], row);
        return sink.put('}');
      }
      default:
        demand(false, "a type that the reader does not know");
    }
  }

  static void put_elements(TextSink& sink, const Array& a, std::int64_t from, std::int64_t to) {
    sink.put('[');
    for (std::int64_t i = from; i < to; ++i) {
      if (i != from) sink.put(',');
      put(sink, a, i);
    }
    sink.put(']');
  }

  static void put_members(TextSink& sink, const Array& a, std::int64_t row) {
    const bool named = a.type->labels.empty() || !a.type->labels.front().empty();
    sink.put(named ? '{' : '[');
    for (std::size_t i = 0; i < a.children.size(); ++i) {
      if (i != 0) sink.put(',');
      if (named) sink.put(json_string(a.type->labels[i]) + ":");
      put(sink, a.children[i], row);
    }
    sink.put(named ? '}' : ']');
  }

  static void put_entries(TextSink& sink, const Array& a, std::int64_t row) {
    const ValueKind key = a.children[0].type->kind;
    const bool object = key == ValueKind::kVarchar || key == ValueKind::kEnum8 ||
                        key == ValueKind::kEnum16 || key == ValueKind::kEnum32;
    sink.put(object ? '{' : '[');
    for (std::int64_t i = a.offset(row); i < a.offset(row + 1); ++i) {
      if (i != a.offset(row)) sink.put(',');
      if (!object) sink.put("{\"key\":");
      demand(a.children[0].valid(i), "a key that is NULL");
      put(sink, a.children[0], i);
      sink.put(object ? ":" : ",\"value\":");
      put(sink, a.children[1], i);
      if (!object) sink.put('}');
    }
    sink.put(object ? '}' : ']');
  }

  std::string_view stream_;
  const ResultShape& shape_;
  std::size_t at_ = 0;
  std::string_view body_;
  std::size_t end_ = 0;
  const flatbuffers::Vector<const ipc::FieldNode*>* nodes_ = nullptr;
  const flatbuffers::Vector<const ipc::Buffer*>* buffers_ = nullptr;
  unsigned node_ = 0;
  unsigned buffer_ = 0;
  std::vector<std::string> lines_;
  std::vector<std::string> fields_;
  std::vector<Batch> batches_;
};

}  // namespace sd::query::testing
