// Keys that are for some saved endpoints only, with values of their parameters fixed.
#pragma once

#include <string>
#include <vector>

#include "catalog/catalog.h"
#include "json/document.h"

namespace sd::api {

// Makes `spec` such a key; `params` is an object, or null. Its scopes must be query, insert or both. kInvalidArgument, 400.
Result<> lock_to_endpoints(catalog::NewKey& spec, std::vector<std::string> endpoints,
                           const json::Value& params);

// What the key fixes must be parameters of each of its endpoints, of their types: a misspelled one would fix nothing. Blocks.
// kInvalidArgument, 400, with the member "parameter" where it is about one; nothing where the key is no such key.
Result<> check_endpoint_key(catalog::Catalog& catalog, const catalog::NewKey& spec);

}  // namespace sd::api
