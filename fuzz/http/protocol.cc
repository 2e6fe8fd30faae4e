// What a client may send, before any handler sees it: heads, chunks, compressed bodies. Whatever the bytes
// are and however they are cut into reads, the outcome is the same, and an accepted head keeps the rules
// that framing hangs on. The first byte chooses the reader, the second the size of the reads.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/chunk_decoder.h"
#include "http/content_decoder.h"
#include "http/head_check.h"

namespace {

using namespace sd::http;

void check_head(std::string_view bytes, std::size_t step) {
  HeadScanner whole;
  const auto state = whole.scan(bytes);
  HeadScanner cut;
  auto cut_state = HeadScanner::State::kMore;
  for (std::size_t at = 0; at < bytes.size() && cut_state == HeadScanner::State::kMore;) {
    at = std::min(bytes.size(), at + step);
    cut_state = cut.scan(bytes.substr(0, at));
  }
  SD_ASSERT(state == cut_state);
  if (state != HeadScanner::State::kComplete) return;
  SD_ASSERT(whole.begin() == cut.begin() && whole.end() == cut.end());
  Head head;
  if (parse_head(bytes.substr(whole.begin(), whole.end() - whole.begin()), head)) return;
  SD_ASSERT(is_token(head.method));
  SD_ASSERT(head.path == "*" || head.path.starts_with('/'));
  SD_ASSERT(head.count("host") <= 1 && (head.minor_version == 0 || head.count("host") == 1));
  SD_ASSERT(head.count("content-length") + head.count("transfer-encoding") <= 1);
  SD_ASSERT((head.framing == Framing::kChunked) == (head.count("transfer-encoding") == 1));
  for (const HeaderField& field : head.fields) {
    SD_ASSERT(is_token(field.name));
    SD_ASSERT(field.value.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos);
  }
}

struct Dechunked {
  std::string body;
  std::size_t consumed = 0;
  bool done = false;
  bool failed = false;
  bool operator==(const Dechunked&) const = default;
};

Dechunked dechunk(std::string_view bytes, std::size_t step) {
  ChunkDecoder decoder;
  Dechunked result;
  while (result.consumed < bytes.size() && !decoder.done() && !decoder.failed()) {
    const auto piece = decoder.next(bytes.substr(result.consumed, step));
    SD_ASSERT(piece.consumed > 0);
    result.consumed += piece.consumed;
    result.body += piece.data;
  }
  result.done = decoder.done();
  result.failed = decoder.failed();
  return result;
}

void check_coding(std::string_view coding, std::string_view bytes, std::size_t step) {
  constexpr std::size_t kEnough = 1U << 20;
  const auto decoder = make_content_decoder(coding);
  char room[333];
  std::size_t total = 0;
  while (!bytes.empty() && total < kEnough) {
    std::string_view piece = bytes.substr(0, step);
    bytes.remove_prefix(piece.size());
    for (;;) {
      const auto made = decoder->decode(piece, room);
      if (!made) return;
      SD_ASSERT(*made <= sizeof room);
      SD_ASSERT(*made > 0 || piece.empty());
      total += *made;
      if (*made == 0 || total >= kEnough) break;
    }
  }
  static_cast<void>(decoder->finish());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::size_t step = data[1] % 64U + 1;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  switch (data[0] % 5) {
    case 0:
      check_head(bytes, step);
      break;
    case 1:
      SD_ASSERT(dechunk(bytes, step) == dechunk(bytes, SIZE_MAX));
      break;
    case 2:
      check_coding("gzip", bytes, step);
      break;
    case 3:
      check_coding("zstd", bytes, step);
      break;
    default:
      check_coding("deflate", bytes, step);
      break;
  }
  return 0;
}
