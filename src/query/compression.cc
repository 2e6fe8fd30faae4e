#include "query/compression.h"

#include <zlib.h>
#include <zstd.h>

#include <algorithm>

#include "base/ascii.h"
#include "query/accept_header.h"

namespace sd::query {
namespace {

constexpr std::size_t kPiece = 64U << 10;

// Makes room behind what `out` holds, has `fill` use it, and cuts off what it did not use.
template <typename Fill>
void append_with(std::string& out, Fill fill) {
  const std::size_t have = out.size();
  out.resize(have + kPiece);
  out.resize(have + fill(out.data() + have, kPiece));
}

class Gzip final : public Compressor {
 public:
  Gzip() = default;
  ~Gzip() override {
    if (open_) deflateEnd(&stream_);
  }
  Gzip(const Gzip&) = delete;
  Gzip& operator=(const Gzip&) = delete;

  bool open() {
    // 16: with gzip's header (RFC 1952).
    open_ = deflateInit2(&stream_, 1, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK;
    return open_;
  }
  void add(std::string_view bytes, bool flush, std::string& out) override {
    run(bytes, flush ? Z_SYNC_FLUSH : Z_NO_FLUSH, out);
  }
  void finish(std::string& out) override { run({}, Z_FINISH, out); }

 private:
  void run(std::string_view bytes, int mode, std::string& out) {
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream_.avail_in = static_cast<uInt>(bytes.size());
    int code = Z_OK;
    do {
      append_with(out, [&](char* room, std::size_t size) {
        stream_.next_out = reinterpret_cast<Bytef*>(room);
        stream_.avail_out = static_cast<uInt>(size);
        code = deflate(&stream_, mode);
        SD_ASSERT(code != Z_STREAM_ERROR);
        return size - stream_.avail_out;
      });
      // All is out when there was room left over.
    } while (stream_.avail_out == 0);
  }

  z_stream stream_{};
  bool open_ = false;
};

class Zstd final : public Compressor {
 public:
  Zstd() : context_(ZSTD_createCCtx()) {}
  ~Zstd() override { ZSTD_freeCCtx(context_); }
  Zstd(const Zstd&) = delete;
  Zstd& operator=(const Zstd&) = delete;

  bool open() {
    return context_ != nullptr &&
           ZSTD_isError(ZSTD_CCtx_setParameter(context_, ZSTD_c_compressionLevel, 1)) == 0;
  }
  void add(std::string_view bytes, bool flush, std::string& out) override {
    run(bytes, flush ? ZSTD_e_flush : ZSTD_e_continue, out);
  }
  void finish(std::string& out) override { run({}, ZSTD_e_end, out); }

 private:
  void run(std::string_view bytes, ZSTD_EndDirective mode, std::string& out) {
    ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
    std::size_t left = 0;
    do {
      append_with(out, [&](char* room, std::size_t size) {
        ZSTD_outBuffer to{room, size, 0};
        left = ZSTD_compressStream2(context_, &to, &in, mode);
        SD_ASSERT(ZSTD_isError(left) == 0);
        return to.pos;
      });
    } while (mode == ZSTD_e_continue ? in.pos < in.size : left != 0);
  }

  ZSTD_CCtx* context_;
};

template <typename C>
Result<std::unique_ptr<Compressor>> opened() {
  auto compressor = std::make_unique<C>();
  if (!compressor->open()) {
    return fail(ErrorCode::kResourceExhausted, "there is no memory to compress the result");
  }
  return std::unique_ptr<Compressor>(std::move(compressor));
}

}  // namespace

std::string_view coding_name(Coding coding) {
  switch (coding) {
    case Coding::kGzip:
      return "gzip";
    case Coding::kZstd:
      return "zstd";
    case Coding::kIdentity:
      break;
  }
  return "identity";
}

Coding parse_coding(std::string_view name) {
  if (name == "gzip") return Coding::kGzip;
  if (name == "zstd") return Coding::kZstd;
  return Coding::kIdentity;
}

namespace {

// Each coding that the field names, and its weight in thousandths.
template <typename Take>
void for_each_coding(std::string_view accept_encoding, Take take) {
  while (!accept_encoding.empty()) {
    std::string_view item = next_part(accept_encoding, ',');
    const std::string name = fold_ascii(next_part(item, ';'));
    std::optional<int> q = 1000;
    while (!item.empty()) {
      const std::string_view parameter = next_part(item, ';');
      if (same_ascii_folded(parameter.substr(0, 2), "q=")) q = parse_weight(parameter.substr(2));
    }
    if (q) take(name, *q);
  }
}

}  // namespace

bool accepts_coding(std::string_view accept_encoding, std::string_view coding) {
  bool accepts = false;
  for_each_coding(accept_encoding, [&](std::string_view name, int q) {
    if (name == coding) accepts = q > 0;
  });
  return accepts;
}

Coding negotiate_coding(std::string_view accept_encoding, bool has_zstd) {
  int gzip = -1, zstd = -1, identity = -1, any = -1;  // -1: not named
  for_each_coding(accept_encoding, [&](std::string_view name, int q) {
    if (name == "gzip" || name == "x-gzip") gzip = q;
    if (has_zstd && name == "zstd") zstd = q;
    if (name == "identity") identity = q;
    if (name == "*") any = q;
  });
  if (gzip < 0) gzip = any;
  // A star does not name zstd: many clients that send it cannot decode what is younger than they are.
  const int best = std::max(gzip, zstd);
  if (best <= 0 || best < identity) return Coding::kIdentity;
  return zstd >= gzip ? Coding::kZstd : Coding::kGzip;
}

Result<std::unique_ptr<Compressor>> Compressor::make(Coding coding) {
  switch (coding) {
    case Coding::kGzip:
      return opened<Gzip>();
    case Coding::kZstd:
      return opened<Zstd>();
    case Coding::kIdentity:
      break;
  }
  return std::unique_ptr<Compressor>();
}

}  // namespace sd::query
