#include "http/content_decoder.h"

#include <brotli/decode.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <climits>

#include "base/ascii.h"
#include "http/head_check.h"

namespace sd::http {
namespace {

Error corrupt(std::string_view coding) {
  return invalid("The body is not valid " + std::string(coding) + ".")
      .with_slug("invalid-encoding");
}
Error truncated(std::string_view coding) {
  return invalid("The body's " + std::string(coding) + " stream is cut short.")
      .with_slug("invalid-encoding");
}

class ZlibDecoder final : public ContentDecoder {
 public:
  enum class Kind { kGzip, kDeflate };

  explicit ZlibDecoder(Kind kind) : kind_(kind) {}
  ~ZlibDecoder() override {
    if (open_) inflateEnd(&stream_);
  }
  ZlibDecoder(const ZlibDecoder&) = delete;
  ZlibDecoder& operator=(const ZlibDecoder&) = delete;

  Result<std::size_t> decode(std::string_view& input, std::span<char> output) override {
    std::size_t made = 0;
    while (!input.empty() || more_output_) {
      if (!open_ && !open(input)) return fail(corrupt(name()));
      if (between_members_) {
        if (input.empty()) break;
        if (kind_ == Kind::kDeflate) return fail(corrupt(name()));
        inflateReset(&stream_);
        between_members_ = false;
      }
      stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(input.data()));
      stream_.avail_in = static_cast<uInt>(std::min<std::size_t>(input.size(), INT_MAX));
      const uInt offered = stream_.avail_in;
      stream_.next_out = reinterpret_cast<Bytef*>(output.data() + made);
      stream_.avail_out = static_cast<uInt>(std::min<std::size_t>(output.size() - made, INT_MAX));
      const uInt room = stream_.avail_out;
      const int status = inflate(&stream_, Z_NO_FLUSH);
      input.remove_prefix(offered - stream_.avail_in);
      made += room - stream_.avail_out;
      more_output_ = stream_.avail_out == 0 && status != Z_STREAM_END;
      if (status == Z_STREAM_END)
        between_members_ = true;
      else if (status == Z_BUF_ERROR)
        break;
      else if (status != Z_OK)
        return fail(corrupt(name()));
      if (made == output.size()) break;
    }
    return made;
  }

  Result<> finish() override {
    if (open_ && !between_members_) return fail(truncated(name()));
    return {};
  }

 private:
  std::string_view name() const { return kind_ == Kind::kGzip ? "gzip" : "deflate"; }

  // A zlib header's first byte names method 8 and a window of at most 32 KiB. Bare deflate that
  // starts with such a byte would be a stored block with a bit set in its padding, which no
  // compressor writes.
  bool open(std::string_view input) {
    int window = MAX_WBITS + 16;
    if (kind_ == Kind::kDeflate) {
      const auto first = static_cast<unsigned char>(input.front());
      window = (first & 0x0FU) == 8 && (first >> 4U) <= 7 ? MAX_WBITS : -MAX_WBITS;
    }
    open_ = inflateInit2(&stream_, window) == Z_OK;
    return open_;
  }

  Kind kind_;
  z_stream stream_{};
  bool open_ = false;
  bool between_members_ = false;
  bool more_output_ = false;  // the output was full: zlib may hold more without more input
};

class ZstdDecoder final : public ContentDecoder {
 public:
  ZstdDecoder() : stream_(ZSTD_createDStream()) {
    if (stream_ == nullptr) throw std::bad_alloc();
    ZSTD_DCtx_setParameter(stream_, ZSTD_d_windowLogMax, kMaxWindowLog);
  }
  ~ZstdDecoder() override { ZSTD_freeDStream(stream_); }
  ZstdDecoder(const ZstdDecoder&) = delete;
  ZstdDecoder& operator=(const ZstdDecoder&) = delete;

  Result<std::size_t> decode(std::string_view& input, std::span<char> output) override {
    ZSTD_outBuffer out{output.data(), output.size(), 0};
    while ((!input.empty() || more_output_) && out.pos < out.size) {
      ZSTD_inBuffer in{input.data(), input.size(), 0};
      const std::size_t before = out.pos;
      const std::size_t hint = ZSTD_decompressStream(stream_, &out, &in);
      if (ZSTD_isError(hint) != 0) return fail(corrupt("zstd"));
      input.remove_prefix(in.pos);
      more_output_ = out.pos == out.size && hint != 0;
      whole_ = hint == 0;
      if (in.pos == 0 && out.pos == before) break;
    }
    return out.pos;
  }

  Result<> finish() override {
    if (!whole_) return fail(truncated("zstd"));
    return {};
  }

 private:
  static constexpr int kMaxWindowLog = 23;

  ZSTD_DStream* stream_;
  bool whole_ = true;  // at the end of a frame
  bool more_output_ = false;
};

// One stream: nothing may stand behind it. Windows up to 16 MiB, as the standard says (RFC 7932).
class BrotliDecoder final : public ContentDecoder {
 public:
  BrotliDecoder() : state_(BrotliDecoderCreateInstance(nullptr, nullptr, nullptr)) {
    if (state_ == nullptr) throw std::bad_alloc();
  }
  ~BrotliDecoder() override { BrotliDecoderDestroyInstance(state_); }
  BrotliDecoder(const BrotliDecoder&) = delete;
  BrotliDecoder& operator=(const BrotliDecoder&) = delete;

  Result<std::size_t> decode(std::string_view& input, std::span<char> output) override {
    std::size_t made = 0;
    while ((!input.empty() || more_output_) && made < output.size()) {
      if (whole_) return fail(corrupt("br"));
      begun_ = true;
      std::size_t left = input.size();
      const auto* in = reinterpret_cast<const std::uint8_t*>(input.data());
      std::size_t room = output.size() - made;
      auto* out = reinterpret_cast<std::uint8_t*>(output.data() + made);
      const BrotliDecoderResult result =
          BrotliDecoderDecompressStream(state_, &left, &in, &room, &out, nullptr);
      if (result == BROTLI_DECODER_RESULT_ERROR) return fail(corrupt("br"));
      input.remove_prefix(input.size() - left);
      made = output.size() - room;
      more_output_ = result == BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT;
      whole_ = result == BROTLI_DECODER_RESULT_SUCCESS;
      // What stands behind the end is found out when these bytes were taken.
      if (whole_ && made > 0) break;
    }
    return made;
  }

  Result<> finish() override {
    if (begun_ && !whole_) return fail(truncated("br"));
    return {};
  }

 private:
  BrotliDecoderState* state_;
  bool begun_ = false;
  bool whole_ = false;
  bool more_output_ = false;
};

}  // namespace

bool is_identity(std::string_view coding) {
  return coding.empty() || same_ascii_folded(coding, "identity");
}

std::unique_ptr<ContentDecoder> make_content_decoder(std::string_view coding) {
  if (same_ascii_folded(coding, "gzip") || same_ascii_folded(coding, "x-gzip"))
    return std::make_unique<ZlibDecoder>(ZlibDecoder::Kind::kGzip);
  if (same_ascii_folded(coding, "deflate"))
    return std::make_unique<ZlibDecoder>(ZlibDecoder::Kind::kDeflate);
  if (same_ascii_folded(coding, "zstd")) return std::make_unique<ZstdDecoder>();
  if (same_ascii_folded(coding, "br")) return std::make_unique<BrotliDecoder>();
  return nullptr;
}

}  // namespace sd::http
