#include "query/arrow_encoder.h"

#include "arrow_ipc_generated.h"
#include "query/arrow_array.h"
#include "query/arrow_type.h"
#include "query/encoder_impl.h"
#include "query/text_sink.h"

namespace sd::query {
namespace {

constexpr std::uint32_t kContinuation = 0xFFFFFFFF;

std::size_t padded(std::size_t size) {
  return (size + kArrowAlignment - 1) / kArrowAlignment * kArrowAlignment;
}

void put_u32(TextSink& sink, std::uint32_t value) {
  sink.put(std::string_view(reinterpret_cast<const char*>(&value), sizeof value));
}

void put_padded(TextSink& sink, std::string_view bytes, std::size_t size) {
  char* p = sink.room(size);
  if (!bytes.empty()) std::memcpy(p, bytes.data(), bytes.size());
  std::memset(p + bytes.size(), 0, size - bytes.size());
  sink.set_cursor(p + size);
}

void put_metadata(TextSink& sink, std::string_view metadata) {
  constexpr std::size_t kPrefix = 8;
  const std::size_t size = padded(kPrefix + metadata.size()) - kPrefix;
  put_u32(sink, kContinuation);
  put_u32(sink, static_cast<std::uint32_t>(size));
  put_padded(sink, metadata, size);
}

class ArrowEncoder final : public Encoder {
 public:
  explicit ArrowEncoder(const ResultShape& shape) : shape_(shape) {
    for (const ResultColumn& column : shape.columns()) {
      trees_.emplace_back(column.type);
      arrays_.emplace_back(column.type);
    }
  }

  void begin(std::string& out) override {
    TextSink sink(out);
    put_metadata(sink, arrow_schema_message(shape_));
  }

  Result<idx_t> rows(duckdb_data_chunk chunk, idx_t first, std::size_t soft_limit,
                     std::string& out) override {
    for (idx_t i = 0; i < trees_.size(); ++i) {
      trees_[i].bind(duckdb_data_chunk_get_vector(chunk, i));
    }
    const idx_t count = duckdb_data_chunk_get_size(chunk);
    forget_batch();
    idx_t row = first;
    while (row < count) {
      const idx_t n = std::min(count - row, next_rows());
      for (std::size_t i = 0; i < arrays_.size(); ++i) {
        TRY(arrays_[i].append(trees_[i], row, n));
      }
      row += n;
      rows_ += n;
      step_ = n;
      const bool full = rows_ >= kArrowBatchRows || batch_bytes() >= kArrowBatchBytes;
      const bool first_chunk = !sent_ && row == count;
      if (full || first_chunk) {
        flush(out);
        break;
      }
      if (batch_bytes() >= soft_limit) break;
    }
    return row;
  }

  void end(std::string& out) override {
    forget_batch();
    if (rows_ != 0) flush(out);
    constexpr std::string_view kEnd("\xFF\xFF\xFF\xFF\0\0\0\0", 8);
    behind_.push_back(kEnd);
  }

 private:
  std::size_t batch_bytes() const {
    std::size_t sum = 0;
    for (const ArrowArray& array : arrays_) sum += array.bytes();
    return sum;
  }

  // So many rows at once that a batch of huge values ends near its size: what the rows before took
  // says how many are left in it, and the steps grow from one row.
  idx_t next_rows() const {
    const idx_t most = std::min<idx_t>(std::max<idx_t>(1, step_ * 8), kArrowBatchRows - rows_);
    const std::size_t bytes = batch_bytes();
    const std::size_t row_bytes = rows_ == 0 ? row_bytes_before_ : bytes / rows_ + 1;
    const std::size_t left = kArrowBatchBytes > bytes ? kArrowBatchBytes - bytes : 0;
    constexpr std::size_t kLeast = 64U << 10;
    return std::clamp<idx_t>(std::max(left, kLeast) / row_bytes, 1, most);
  }

  // The batch is behind() until the next call: its buffers stay the arrays'.
  void flush(std::string& out) {
    nodes_.clear();
    buffers_.clear();
    for (const ArrowArray& array : arrays_) array.collect(nodes_, buffers_);
    put_batch(out);
    row_bytes_before_ = batch_bytes() / rows_ + 1;
    sent_ = true;
  }
  void forget_batch() {
    if (behind_.empty()) return;
    behind_.clear();
    for (ArrowArray& array : arrays_) array.clear();
    rows_ = 0;
  }

  void put_batch(std::string& out) {
    std::vector<ipc::FieldNode> nodes;
    for (const ArrowArray::Node& node : nodes_) nodes.emplace_back(node.length, node.null_count);
    std::vector<ipc::Buffer> places;
    std::size_t size = 0;
    for (const std::string_view buffer : buffers_) {
      places.emplace_back(static_cast<std::int64_t>(size),
                          static_cast<std::int64_t>(buffer.size()));
      size += padded(buffer.size());
    }
    builder_.Clear();
    const auto node_vector = builder_.CreateVectorOfStructs(nodes);
    const auto place_vector = builder_.CreateVectorOfStructs(places);
    const auto batch = ipc::CreateRecordBatch(builder_, static_cast<std::int64_t>(rows_),
                                              node_vector, place_vector);
    builder_.Finish(ipc::CreateMessage(builder_, ipc::MetadataVersion::V5,
                                       ipc::MessageHeader::RecordBatch, batch.Union(),
                                       static_cast<std::int64_t>(size)));
    TextSink sink(out);
    put_metadata(sink,
                 {reinterpret_cast<const char*>(builder_.GetBufferPointer()), builder_.GetSize()});
    static constexpr char kPadding[kArrowAlignment] = {};
    for (const std::string_view buffer : buffers_) {
      if (buffer.empty()) continue;
      behind_.push_back(buffer);
      const std::size_t padding = padded(buffer.size()) - buffer.size();
      if (padding != 0) behind_.emplace_back(kPadding, padding);
    }
    if (behind_.empty()) behind_.emplace_back();  // rows of NULL: there is a batch all the same
  }

  const ResultShape& shape_;
  std::vector<VectorTree> trees_;
  std::vector<ArrowArray> arrays_;
  std::uint64_t rows_ = 0;  // gathered, not written yet
  idx_t step_ = 0;
  std::size_t row_bytes_before_ = 1;  // on average in the batch before
  bool sent_ = false;
  flatbuffers::FlatBufferBuilder builder_;
  std::vector<ArrowArray::Node> nodes_;
  std::vector<std::string_view> buffers_;
};

}  // namespace

std::unique_ptr<Encoder> make_arrow_encoder(const ResultShape& shape) {
  return std::make_unique<ArrowEncoder>(shape);
}

}  // namespace sd::query
