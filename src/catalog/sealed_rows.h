// Inside of the catalog room: everything in the file that is sealed (seal.h), and the key that it is sealed with.
//
// Another key, where the key is a file:
//
//   1  begin a writing transaction
//   2  secret.key.next, with the new key, whole and synced
//   3  every sealed text with the new key, and the new key's id in `meta`; commit
//   4  rename secret.key.next to secret.key
//   5  write the file anew, so that nothing sealed with the old key stays in free pages and in the log
//
// Whoever opens the catalog and finds secret.key.next takes the write lock, so that nobody is between 1 and 3, and
// then does 4 where `meta` names that key, and removes it where it does not. So at each moment one key of the two that are
// there opens everything, and it is known which. Where the key comes from the configuration there are no files: 3 alone.
#pragma once

#include <functional>
#include <string_view>

#include "catalog/catalog.h"
#include "catalog/seal.h"
#include "catalog/sql.h"

namespace sd::catalog {

// The key that these options name, after a rotation that broke off was finished or undone.
Result<Sealer> open_sealer(Connection& connection, const CatalogOptions& options);

// Of a file that holds secrets of destinations as they are. It is to be written anew then: free pages of older programs may
// hold some yet.
void seal_plain_settings(soci::session& sql, const Sealer& sealer);

// Texts of the file may be left in free pages and in the log: rewrite_where_asked() will see to it, also at the
// next start. In the transaction that made them free.
void ask_for_rewriting(soci::session& sql);
// Writes the whole file anew, where that was asked for. Another process may stand in the way: then the next start does it.
void rewrite_where_asked(Connection& connection);

}  // namespace sd::catalog
