// GET /api/live: what happens now, as server-sent events (https://html.spec.whatwg.org/#server-sent-events), one a second.
//
//   event: live
//   data: {"at":"…","destinations":[{"id","name","rows","bytes","loaded","failed","lag_rows","lag_seconds",
//          "queries_running","queries_waiting","tables":[{"name","rows","bytes","failed","lag_rows","lag_seconds"}]}]}
//
// rows and bytes were acknowledged since the destination was opened, of a table too, whose failed rows were refused since
// then. These and loaded only rise, but where a destination is opened anew, so that what is between two events is their
// difference. loaded and failed of a destination are rows since its journal began; failed falls where a retry loads some.
// lag_… is what waits to be loaded now. Tables are the first 1,000 that were sent anything (TableCounts).
//
// Of a key its destination, and of its tables only those that it may use; of an admin key all that there are now, unless it
// names one. The stream ends within a second of the key and of a destination that was named, and with the server.
#pragma once

#include "api/app.h"

namespace sd::api {

Task<void> handle_live(App& app, http::Exchange& exchange);

}  // namespace sd::api
