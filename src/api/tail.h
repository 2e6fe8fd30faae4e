// GET /api/data/tail/{table}: its rows as they are acknowledged, as server-sent events. Scope tail.
//
//   :
//   id: 1f0c9a3e-81920-0                 everything before this has been seen; so at the beginning, and every 15 s
//
//   id: 1f0c9a3e-81920-1                 of the record, and how many of its rows have been seen: opaque to clients
//   event: row
//   data: {"received_at":"…","receipt":"…","index":0,"row":{…}}
//
//   event: gap      {"reason":"released" | "other-journal" | "unknown"}: rows between the id that it came with and
//                   this one's are not known here any more
//   event: dropped  {"reason":"stalled" | "behind","last_event_id"}: it read too slowly; the stream ends
//   event: end      {"reason":"stopping" | "key" | "reopened" | "gone" | "unreadable"}: the stream ends
//
// A row is the document as it was sent, before flattening and before contracts. Parameters that are not ours filter
// (tail_filter.h). `Last-Event-ID`, or ?last_event_id=, resumes.
#pragma once

#include "api/app.h"

namespace sd::api {

Task<void> handle_tail(App& app, http::Exchange& exchange);

}  // namespace sd::api
