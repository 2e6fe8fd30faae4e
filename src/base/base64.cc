#include "base/base64.h"

#include <openssl/evp.h>

namespace sd {

std::string base64(std::string_view bytes) {
  // In pieces of whole groups: EVP_EncodeBlock() counts in int, and writes a NUL behind its text.
  constexpr std::size_t kPiece = 3U << 20;
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += kPiece) {
    const std::string_view piece = bytes.substr(i, kPiece);
    text.resize((piece.size() + 2) / 3 * 4 + 1);
    const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                       reinterpret_cast<const unsigned char*>(piece.data()),
                                       static_cast<int>(piece.size()));
    out.append(text, 0, static_cast<std::size_t>(length));
  }
  return out;
}

}  // namespace sd
