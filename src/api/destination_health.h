// How a destination is, as far as the front knows: no engine is started or asked for it.
//
//   {"status","detail","since","lag_rows","lag_seconds","rows","failed_rows","journal_bytes"}
//
// status: "ready" its engine has it open; "idle" it was closed in good order and is opened when somebody
// asks; "starting"; "failing" it cannot be opened or loaded, `detail` says why, and it is tried again by
// itself; "closed" it takes no requests, `detail` says why. rows, failed_rows: since its journal began,
// null where nobody has counted since the server was updated.
#pragma once

#include <vector>

#include "api/app.h"

namespace sd::api {

// Writes the member "health".
void write_health(json::Writer& writer, App& app, const catalog::Destination& destination,
                  const std::vector<engine::EngineInfo>& engines);

}  // namespace sd::api
