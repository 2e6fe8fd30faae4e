#include "client/source.h"

#include <unistd.h>
#include <zstd.h>

#include <algorithm>
#include <cerrno>
#include <new>
#include <utility>

#include "base/file.h"
#include "http/content_decoder.h"

namespace sd::client {
namespace {

constexpr std::size_t kRawBytes = 256U << 10;

class FdSource final : public ByteSource {
 public:
  explicit FdSource(UniqueFd fd) : fd_(std::move(fd)) {}

  Result<std::size_t> read(std::span<char> out) override {
    while (true) {
      const ssize_t got = ::read(fd_.get(), out.data(), out.size());
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return fail(errno_error("read", "", errno));
      position_ += static_cast<std::uint64_t>(got);
      return static_cast<std::size_t>(got);
    }
  }
  std::uint64_t position() const override { return position_; }

 private:
  UniqueFd fd_;
  std::uint64_t position_ = 0;
};

// Files are compressed with larger windows than a request's body may have: 128 MiB is what the zstd
// program itself takes without being told to.
class ZstdFileDecoder final : public http::ContentDecoder {
 public:
  ZstdFileDecoder() : stream_(ZSTD_createDStream()) {
    if (stream_ == nullptr) throw std::bad_alloc();
    ZSTD_DCtx_setParameter(stream_, ZSTD_d_windowLogMax, 27);
  }
  ~ZstdFileDecoder() override { ZSTD_freeDStream(stream_); }
  ZstdFileDecoder(const ZstdFileDecoder&) = delete;
  ZstdFileDecoder& operator=(const ZstdFileDecoder&) = delete;

  Result<std::size_t> decode(std::string_view& input, std::span<char> output) override {
    ZSTD_outBuffer out{output.data(), output.size(), 0};
    while (out.pos < out.size) {
      ZSTD_inBuffer in{input.data(), input.size(), 0};
      const std::size_t before = out.pos;
      const std::size_t hint = ZSTD_decompressStream(stream_, &out, &in);
      if (ZSTD_isError(hint) != 0) {
        return fail(invalid(std::string("no valid zstd: ") + ZSTD_getErrorName(hint)));
      }
      input.remove_prefix(in.pos);
      if (in.pos == 0 && out.pos == before) break;
      whole_ = hint == 0;
    }
    return out.pos;
  }

  Result<> finish() override {
    if (!whole_) return fail(invalid("the zstd stream is cut short"));
    return {};
  }

 private:
  ZSTD_DStream* stream_;
  bool whole_ = true;
};

std::unique_ptr<http::ContentDecoder> decoder_for(std::string_view first) {
  if (first.starts_with("\x1F\x8B")) return http::make_content_decoder("gzip");
  if (first.starts_with("\x28\xB5\x2F\xFD")) return std::make_unique<ZstdFileDecoder>();
  return nullptr;
}

class DecodingSource final : public ByteSource {
 public:
  explicit DecodingSource(std::unique_ptr<ByteSource> raw) : raw_(std::move(raw)) {}

  Result<std::size_t> read(std::span<char> out) override {
    if (!begun_) {
      while (pending().size() < 4 && !ended_) TRY(refill());
      decoder_ = decoder_for(pending());
      begun_ = true;
    }
    if (!decoder_) return read_plain(out);
    while (true) {
      std::string_view input = pending();
      const std::size_t before = input.size();
      TRY_ASSIGN(const std::size_t made, decoder_->decode(input, out));
      used_ += before - input.size();
      if (made > 0) return made;
      if (ended_) {
        TRY(decoder_->finish());
        return 0;
      }
      TRY(refill());
    }
  }
  std::uint64_t position() const override { return raw_->position() - pending().size(); }

 private:
  std::string_view pending() const { return std::string_view(input_).substr(used_); }

  Result<std::size_t> read_plain(std::span<char> out) {
    if (pending().empty()) return raw_->read(out);
    const std::size_t length = std::min(out.size(), pending().size());
    std::copy_n(pending().data(), length, out.data());
    used_ += length;
    return length;
  }

  Result<> refill() {
    input_.erase(0, used_);
    used_ = 0;
    const std::size_t had = input_.size();
    input_.resize(had + kRawBytes);
    auto got = raw_->read(std::span(input_).subspan(had));
    input_.resize(had + got.value_or(0));
    if (!got) return fail(std::move(got).error());
    ended_ = *got == 0;
    return {};
  }

  std::unique_ptr<ByteSource> raw_;
  std::unique_ptr<http::ContentDecoder> decoder_;
  std::string input_;
  std::size_t used_ = 0;
  bool begun_ = false;
  bool ended_ = false;
};

}  // namespace

std::unique_ptr<ByteSource> make_fd_source(UniqueFd fd) {
  return std::make_unique<FdSource>(std::move(fd));
}

std::unique_ptr<ByteSource> make_decoding_source(std::unique_ptr<ByteSource> raw) {
  return std::make_unique<DecodingSource>(std::move(raw));
}

Result<> Window::grow() {
  if (ended_) return {};
  // What has been taken goes when it is worth the move.
  if (begin_ >= buffer_.size() / 2) {
    buffer_.erase(0, begin_);
    begin_ = 0;
  }
  const std::size_t had = buffer_.size();
  buffer_.resize(had + read_bytes_);
  auto got = source_->read(std::span(buffer_).subspan(had));
  buffer_.resize(had + got.value_or(0));
  if (!got) return fail(std::move(got).error());
  total_ += *got;
  ended_ = *got == 0;
  return {};
}

std::uint64_t Window::position() const {
  if (total_ == 0) return 0;
  const double part = static_cast<double>(total_ - view().size()) / static_cast<double>(total_);
  return static_cast<std::uint64_t>(static_cast<double>(source_->position()) * part);
}

}  // namespace sd::client
