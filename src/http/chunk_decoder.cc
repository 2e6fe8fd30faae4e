#include "http/chunk_decoder.h"

#include <algorithm>

#include "base/ascii.h"

namespace sd::http {
namespace {

constexpr std::size_t kMaxExtension = 4096;
constexpr std::size_t kMaxTrailers = 16384;
constexpr std::uint64_t kMaxChunk = 1ULL << 59;  // one more digit still fits in 64 bits

bool is_text(char c) {
  return c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7F);
}

}  // namespace

// One byte of anything but data.
ChunkDecoder::State ChunkDecoder::step(char c) {
  switch (state_) {
    case State::kSizeFirst:
      size_ = 0;
      overhead_ = 0;
      return after_digit(c);
    case State::kSize:
      if (c == '\r') return State::kSizeLf;
      if (c == ';' || c == ' ' || c == '\t') return State::kExtension;
      return after_digit(c);
    case State::kExtension:
      if (c == '\r') return State::kSizeLf;
      return is_text(c) && ++overhead_ <= kMaxExtension ? State::kExtension : State::kFailed;
    case State::kSizeLf:
      if (c != '\n') return State::kFailed;
      return size_ == 0 ? State::kTrailerFirst : State::kData;
    case State::kDataCr:
      return c == '\r' ? State::kDataLf : State::kFailed;
    case State::kDataLf:
      return c == '\n' ? State::kSizeFirst : State::kFailed;
    case State::kTrailerFirst:
      if (c == '\r') return State::kEndLf;
      [[fallthrough]];
    case State::kTrailer:
      if (c == '\r') return State::kTrailerLf;
      return is_text(c) && ++overhead_ <= kMaxTrailers ? State::kTrailer : State::kFailed;
    case State::kTrailerLf:
      return c == '\n' ? State::kTrailerFirst : State::kFailed;
    case State::kEndLf:
      return c == '\n' ? State::kDone : State::kFailed;
    default:
      return State::kFailed;
  }
}

ChunkDecoder::State ChunkDecoder::after_digit(char c) {
  const int value = hex_digit(c);
  if (value < 0 || size_ >= kMaxChunk) return State::kFailed;
  size_ = size_ * 16 + static_cast<std::uint64_t>(value);
  return State::kSize;
}

ChunkDecoder::Step ChunkDecoder::next(std::string_view input) {
  std::size_t at = 0;
  while (at < input.size() && !done() && !failed()) {
    if (state_ == State::kData) {
      const auto take = static_cast<std::size_t>(std::min<std::uint64_t>(size_, input.size() - at));
      size_ -= take;
      if (size_ == 0) state_ = State::kDataCr;
      return {at + take, input.substr(at, take)};
    }
    state_ = step(input[at++]);
  }
  return {at, {}};
}

}  // namespace sd::http
