#include "client/identity.h"

#include <initializer_list>

#include "base/checksum.h"
#include "base/file.h"
#include "base/ids.h"

namespace sd::client {

std::string file_identity(std::string_view path, std::uint64_t size, std::int64_t mtime_ns,
                          unsigned ordinal) {
  return "file " + std::to_string(size) + " " + std::to_string(mtime_ns) + " " +
         std::to_string(ordinal) + " " + std::string(base_name(path));
}

std::string named_identity(std::string_view resume_key, unsigned input) {
  return "named " + std::to_string(input) + " " + std::string(resume_key);
}

std::string idempotency_key(std::string_view table, std::string_view parameters,
                            std::string_view identity, std::uint64_t number,
                            std::string_view body) {
  Sha256 hash;
  const std::string digits = std::to_string(number);
  for (const std::string_view part : std::initializer_list<std::string_view>{
           "scratchdata insert 1", table, parameters, identity, digits, body}) {
    // The length before each part: no two lists of parts are the same bytes.
    hash.update(std::to_string(part.size()) + ":");
    hash.update(part);
  }
  return to_hex(hash.finish());
}

}  // namespace sd::client
