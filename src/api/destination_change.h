// Changing and deleting a destination that is in use: its rows are brought home, its engine and its
// journal are closed, the catalog is changed, and what goes on is opened again. In this order, so that
// whatever fails leaves the destination as it was, with every accepted row.
#pragma once

#include "api/access.h"
#include "api/destination_types.h"

namespace sd::api {

Task<Result<catalog::Destination>> change_destination(App& app, http::Exchange& exchange, Id128 id,
                                                      catalog::DestinationChange change);

enum class Pending { kRefuse, kDrain, kDiscard };
Task<Result<>> delete_destination(App& app, http::Exchange& exchange, Id128 id, Pending pending);

}  // namespace sd::api
