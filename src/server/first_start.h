// What a person sees when the server has started: where it listens, and the first time the keys.
#pragma once

#include <string>
#include <vector>

#include "catalog/catalog.h"
#include "catalog/key_cache.h"

namespace sd::server {

// Prints to stdout. At the first start with a data directory it makes one admin key and one key for the
// first destination, with every scope, and prints both, once, with two lines to copy that work.
Result<> greet(catalog::Catalog& catalog, catalog::KeyCache& keys,
               const std::vector<std::string>& addresses);

}  // namespace sd::server
