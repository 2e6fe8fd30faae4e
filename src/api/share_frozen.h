// Downloads of frozen shares: files, without an engine.
#pragma once

#include "api/share_access.h"
#include "api/share_page.h"

namespace sd::api {

// The file of a format that the share offers, whole or in part. A client that goes on with a download that was counted
// is not counted again (share_guard.h). Returns what is to be logged; none where nothing of it went out.
Task<std::optional<catalog::Download>> send_frozen(App& app, http::Exchange& exchange,
                                                   const FoundShare& found, std::string format,
                                                   bool spreadsheet, http::Headers headers);

// For its page; nullopt where the files are gone.
Task<std::optional<Preview>> frozen_preview(App& app, http::Exchange& exchange,
                                            const FoundShare& found);

}  // namespace sd::api
