// The chunked transfer coding (RFC 9112 section 7.1), read strictly: sizes are plain hexadecimal
// digits, every line ends with CR LF, extensions and trailers are bounded and thrown away.
//
// Pure, one thread. The data that next() gives are views into its input.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sd::http {

class ChunkDecoder {
 public:
  struct Step {
    std::size_t consumed = 0;  // of the input; all of it unless the body ended, or data is given
    std::string_view data;     // a piece of the body, possibly empty
  };

  // Takes a prefix of the input. Call again with the rest while neither done() nor failed() and
  // input remains.
  Step next(std::string_view input);
  bool done() const { return state_ == State::kDone; }
  bool failed() const { return state_ == State::kFailed; }

 private:
  enum class State : std::uint8_t {
    kSizeFirst,
    kSize,
    kExtension,
    kSizeLf,
    kData,
    kDataCr,
    kDataLf,
    kTrailerFirst,
    kTrailer,
    kTrailerLf,
    kEndLf,
    kDone,
    kFailed,
  };
  State step(char c);
  State after_digit(char c);

  State state_ = State::kSizeFirst;
  std::uint64_t size_ = 0;    // of the chunk, then what remains of it
  std::size_t overhead_ = 0;  // bytes of the current extension, or of all trailers
};

}  // namespace sd::http
