// Content codings (RFC 9110 section 8.4.1) decoded as streams: gzip with any number of members,
// deflate (with zlib's header, as the standard says, or bare, as some clients send), zstd with any
// number of frames and windows up to 8 MiB (RFC 9659), br (RFC 7932).
//
// One thread. The output's size is the caller's, so a decompression bomb grows only as far as it is
// asked to.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "base/result.h"

namespace sd::http {

class ContentDecoder {
 public:
  virtual ~ContentDecoder() = default;
  // Decodes a prefix of `input`, which it removes, into a prefix of `output`, whose length it
  // returns. 0 means that all input was used up. kInvalidArgument "invalid-encoding" for corrupt
  // bytes.
  virtual Result<std::size_t> decode(std::string_view& input, std::span<char> output) = 0;
  // Called at the end of the input: an error where the stream is cut short. Nothing at all is a
  // whole, empty stream.
  virtual Result<> finish() = 0;
};

// Null for a coding that is not known. `coding` as in Content-Encoding, in any case.
std::unique_ptr<ContentDecoder> make_content_decoder(std::string_view coding);

// No coding at all: absent, empty or "identity".
bool is_identity(std::string_view coding);

}  // namespace sd::http
