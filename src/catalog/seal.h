// Secrets at rest, and passwords. libsodium stays behind this header.
//
// What the server has to be able to show or to use again (the link of a share, the token of a destination)
// is kept encrypted with a key that is not in the catalog: a copy of the catalog alone gives nobody any of
// it. XChaCha20-Poly1305 with a random nonce; the name of what is sealed is bound to it as associated data,
// so that a row's text cannot be put in place of another's.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace sd::catalog {

// Name of the key's file in the data directory: 64 hex digits, for the server's user alone.
inline constexpr std::string_view kSecretKeyFile = "secret.key";
// The next one, while the catalog is being sealed with it; see sealed_rows.h.
inline constexpr std::string_view kNextKeyFile = "secret.key.next";

// Any thread.
class Sealer {
 public:
  // A key of 32 bytes as 64 hex digits; kInvalidArgument for anything else.
  static Result<Sealer> from_hex(std::string_view hex);
  // The key of a file, which is made with a random one where there is none. Several processes may do so at once.
  static Result<Sealer> from_file(const std::string& path);
  // Writes a file with a random key. After a crash it may be there in part.
  static Result<Sealer> make_file(const std::string& path);

  ~Sealer();
  Sealer(const Sealer&) = default;
  Sealer& operator=(const Sealer&) = default;

  // Tells keys apart; says nothing of the key.
  std::string key_id() const;
  // As text. `what` names the place, "share 018f…".
  std::string seal(std::string_view plain, std::string_view what) const;
  // kPermissionDenied where it was sealed with another key, kCorruption where it is not what seal() gave for `what`.
  Result<std::string> unseal(std::string_view sealed, std::string_view what) const;

 private:
  Sealer() = default;

  std::array<std::uint8_t, 32> key_{};
};

// Argon2id (RFC 9106) in libsodium's own text form, with its parameters for interactive use: 64 MiB and about a tenth of
// a second. Never on an I/O thread. kResourceExhausted where the memory cannot be had.
Result<std::string> hash_password(std::string_view password);
Result<bool> password_matches(const std::string& hash, std::string_view password);

}  // namespace sd::catalog
