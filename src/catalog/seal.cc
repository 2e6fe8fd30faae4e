#include "catalog/seal.h"

#include <fcntl.h>
#include <sodium.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/base64.h"
#include "base/checksum.h"
#include "base/file.h"
#include "base/ids.h"

namespace sd::catalog {
namespace {

constexpr std::size_t kKeyBytes = crypto_aead_xchacha20poly1305_ietf_KEYBYTES;
constexpr std::size_t kNonceBytes = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t kTagBytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;
static_assert(kKeyBytes == 32);

// "v1", the key's id, and nonce and ciphertext in base64, with points between.
constexpr std::string_view kVersion = "v1.";
constexpr std::size_t kKeyIdChars = 8;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

Result<std::string> from_base64(std::string_view text) {
  std::string bytes(text.size(), '\0');
  std::size_t size = 0;
  if (sodium_base642bin(reinterpret_cast<unsigned char*>(bytes.data()), bytes.size(), text.data(),
                        text.size(), nullptr, &size, nullptr,
                        sodium_base64_VARIANT_ORIGINAL) != 0) {
    return fail(ErrorCode::kCorruption, "a sealed text is damaged");
  }
  bytes.resize(size);
  return bytes;
}

Result<> ready() {
  if (sodium_init() < 0) return fail(ErrorCode::kInternal, "libsodium could not start");
  return {};
}

std::string trimmed(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) {
    text.pop_back();
  }
  return text;
}

// A file with a random key, on the disk but for its name.
Result<> write_key(const std::string& path, int flags) {
  std::array<std::uint8_t, kKeyBytes> key;
  random_bytes(key);
  const std::string text = to_hex(key) + "\n";
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0600);
  if (fd < 0) return fail(errno_error("open", path, errno));
  const bool written = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                       ::fsync(fd) == 0;
  const int error = errno;
  ::close(fd);
  if (written) return {};
  ::unlink(path.c_str());
  return fail(errno_error("write", path, error));
}

// Made whole under another name and then linked: whoever comes second finds the first one's.
Result<> make_key_file(const std::string& path) {
  const std::string draft = path + "." + random_base62(8);
  TRY(write_key(draft, O_EXCL));
  Result<> made;
  if (::link(draft.c_str(), path.c_str()) != 0 && errno != EEXIST)
    made = fail(errno_error("link", path, errno));
  ::unlink(draft.c_str());
  if (made) made = posix_file_system().sync_directory(dir_name(path));
  return made;
}

}  // namespace

Sealer::~Sealer() {
  sodium_memzero(key_.data(), key_.size());
}

Result<Sealer> Sealer::from_hex(std::string_view hex) {
  TRY(ready());
  Sealer sealer;
  std::size_t size = 0;
  const char* end = nullptr;
  const bool whole = sodium_hex2bin(sealer.key_.data(), sealer.key_.size(), hex.data(), hex.size(),
                                    nullptr, &size, &end) == 0 &&
                     size == kKeyBytes && end == hex.data() + hex.size();
  if (!whole)
    return fail(invalid("a secret key is 64 hexadecimal digits, as of openssl rand -hex 32"));
  return sealer;
}

Result<Sealer> Sealer::from_file(const std::string& path) {
  TRY(ready());
  TRY_ASSIGN(const bool exists, posix_file_system().exists(path));
  if (!exists) TRY(make_key_file(path));
  TRY_ASSIGN(const std::string text, read_file(posix_file_system(), path));
  auto sealer = from_hex(trimmed(text));
  if (!sealer) return fail(invalid(path + ": " + sealer.error().message));
  return sealer;
}

Result<Sealer> Sealer::make_file(const std::string& path) {
  TRY(ready());
  TRY(write_key(path, O_TRUNC));
  TRY(posix_file_system().sync_directory(dir_name(path)));
  return from_file(path);
}

std::string Sealer::key_id() const {
  const std::string_view key(reinterpret_cast<const char*>(key_.data()), key_.size());
  return to_hex(sha256("scratchdata key id" + std::string(key))).substr(0, kKeyIdChars);
}

std::string Sealer::seal(std::string_view plain, std::string_view what) const {
  std::string bytes(kNonceBytes + plain.size() + kTagBytes, '\0');
  auto* at = reinterpret_cast<unsigned char*>(bytes.data());
  randombytes_buf(at, kNonceBytes);
  unsigned long long size = 0;
  crypto_aead_xchacha20poly1305_ietf_encrypt(at + kNonceBytes, &size, bytes_of(plain), plain.size(),
                                             bytes_of(what), what.size(), nullptr, at, key_.data());
  return std::string(kVersion) + key_id() + "." + base64(bytes);
}

Result<std::string> Sealer::unseal(std::string_view sealed, std::string_view what) const {
  const auto damaged = [] { return fail(ErrorCode::kCorruption, "a sealed text is damaged"); };
  if (!sealed.starts_with(kVersion)) return damaged();
  sealed.remove_prefix(kVersion.size());
  if (sealed.size() <= kKeyIdChars || sealed[kKeyIdChars] != '.') return damaged();
  if (sealed.substr(0, kKeyIdChars) != key_id())
    return fail(ErrorCode::kPermissionDenied, "this was sealed with another secret key");
  TRY_ASSIGN(const std::string bytes, from_base64(sealed.substr(kKeyIdChars + 1)));
  if (bytes.size() < kNonceBytes + kTagBytes) return damaged();
  std::string plain(bytes.size() - kNonceBytes - kTagBytes, '\0');
  unsigned long long size = 0;
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(reinterpret_cast<unsigned char*>(plain.data()),
                                                 &size, nullptr, bytes_of(bytes) + kNonceBytes,
                                                 bytes.size() - kNonceBytes, bytes_of(what),
                                                 what.size(), bytes_of(bytes), key_.data()) != 0) {
    return damaged();
  }
  return plain;
}

Result<std::string> hash_password(std::string_view password) {
  TRY(ready());
  std::array<char, crypto_pwhash_STRBYTES> text{};
  if (crypto_pwhash_str(text.data(), password.data(), password.size(),
                        crypto_pwhash_OPSLIMIT_INTERACTIVE,
                        crypto_pwhash_MEMLIMIT_INTERACTIVE) != 0) {
    return fail(ErrorCode::kResourceExhausted, "not enough memory to hash a password");
  }
  return std::string(text.data());
}

Result<bool> password_matches(const std::string& hash, std::string_view password) {
  TRY(ready());
  errno = 0;
  if (crypto_pwhash_str_verify(hash.c_str(), password.data(), password.size()) == 0) return true;
  if (errno == ENOMEM)
    return fail(ErrorCode::kResourceExhausted, "not enough memory to check a password");
  return false;
}

}  // namespace sd::catalog
