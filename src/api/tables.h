// Tables of a destination, and the changes to them.
//
//   GET    /api/tables                    scope query; a key limited to tables sees those only
//   GET    /api/tables/{table}            one: name, rows, columns, first and last row
//   GET    /api/tables/{table}/columns
//   DELETE /api/tables/{table}            scope admin; 204
//   PATCH  /api/tables/{table}            scope admin; {"name":"new"} → 200 with the table
//
// Names are matched as the destination does, without regard to ASCII case. A listing shows every row
// that was acknowledged before it. Deleting and renaming are control records of the journal: they act on
// exactly the rows that were accepted before them, and rows that come after a deletion make the table
// anew. Once such a record is durable it will be carried out; the answer waits for that, at most 30 s.
#pragma once

#include "api/access.h"

namespace sd::api {

Task<void> handle_list_tables(App& app, http::Exchange& exchange);
Task<void> handle_get_table(App& app, http::Exchange& exchange);
Task<void> handle_get_columns(App& app, http::Exchange& exchange);
Task<void> handle_delete_table(App& app, http::Exchange& exchange);
Task<void> handle_rename_table(App& app, http::Exchange& exchange);

}  // namespace sd::api
