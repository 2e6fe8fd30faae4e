// Results on their way out, compressed as the client accepts (RFC 9110 8.4, 12.5.3): gzip or zstd.
//
// Fast rather than small: level 1 of both. What has been added before a flush can be decoded by the client at once,
// so that first rows do not wait in here. One thread; one result each.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace sd::query {

enum class Coding : std::uint8_t { kIdentity, kGzip, kZstd };

// "identity", "gzip", "zstd": what stands in Content-Encoding.
std::string_view coding_name(Coding coding);
Coding parse_coding(std::string_view name);  // kIdentity for anything else

// What an Accept-Encoding header allows that we prefer: the highest q; among equals zstd, then gzip. An empty
// header, "identity" and nonsense are kIdentity; we never answer 406 for it.
// Without `has_zstd` gzip is all there is.
Coding negotiate_coding(std::string_view accept_encoding, bool has_zstd = true);
// Whether it names that coding, in small letters, and not with a weight of 0. A star names none.
bool accepts_coding(std::string_view accept_encoding, std::string_view coding);

class Compressor {
 public:
  // nullptr for kIdentity. kResourceExhausted where there is no memory for it.
  static Result<std::unique_ptr<Compressor>> make(Coding coding);
  virtual ~Compressor() = default;

  // Appends to `out` what is ready; with `flush` all of it.
  virtual void add(std::string_view bytes, bool flush, std::string& out) = 0;
  // The rest, and the end of the stream.
  virtual void finish(std::string& out) = 0;
};

}  // namespace sd::query
