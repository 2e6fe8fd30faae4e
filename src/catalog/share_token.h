// How the capability of a share stands in the catalog.
#pragma once

#include <string>

#include "base/ids.h"
#include "catalog/seal.h"

namespace sd::catalog {

struct HiddenToken {
  std::string hash;    // SHA-256 of its bytes, in hex: found by it
  std::string sealed;  // shown to its owner
};

// What a share's token is bound to where it is sealed.
std::string token_place(const std::string& share_id);
// Of 122 random bits: the hash needs no salt.
std::string token_hash(const Id128& token);
// `id`: the share's own, which the sealed text is bound to.
HiddenToken hide_token(const Id128& token, const std::string& id, const Sealer& sealer);
Result<Id128> show_token(const std::string& sealed, const std::string& id, const Sealer& sealer);

}  // namespace sd::catalog
