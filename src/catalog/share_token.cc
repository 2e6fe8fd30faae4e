#include "catalog/share_token.h"

#include "base/checksum.h"

namespace sd::catalog {

std::string token_hash(const Id128& token) {
  const std::string_view bytes(reinterpret_cast<const char*>(token.bytes.data()),
                               token.bytes.size());
  return to_hex(sha256(bytes));
}

std::string token_place(const std::string& share_id) {
  return "share " + share_id;
}

HiddenToken hide_token(const Id128& token, const std::string& id, const Sealer& sealer) {
  return {.hash = token_hash(token), .sealed = sealer.seal(token.to_string(), token_place(id))};
}

Result<Id128> show_token(const std::string& sealed, const std::string& id, const Sealer& sealer) {
  TRY_ASSIGN(const std::string text, sealer.unseal(sealed, token_place(id)));
  const auto token = Id128::parse(text);
  if (!token) return fail(ErrorCode::kCorruption, "a share's token is none");
  return *token;
}

}  // namespace sd::catalog
