// Checksums and digests.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace sd {

// CRC-32C (Castagnoli, RFC 3720 appendix B.4), continued from `seed` (0 to begin).
// crc32c(crc32c(0, a), b) equals crc32c(0, ab).
std::uint32_t crc32c(std::uint32_t seed, const void* data, std::size_t size);

using Sha256Digest = std::array<std::uint8_t, 32>;
Sha256Digest sha256(std::string_view data);

// SHA-256 over pieces. One thread at a time.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  void update(std::string_view data);
  Sha256Digest finish();

 private:
  void* context_;
};

// Takes the same time whatever the contents are (their lengths may show).
bool equal_constant_time(std::string_view a, std::string_view b);

}  // namespace sd
