// What frozen shares hold on disk: for each of them <folder>/<share id>.<part>, where a part is a format ("parquet",
// "csv" …), CSV for spreadsheets, or what its page shows. The Parquet file is there always: the other parts were made
// from it.
//
// A share's row in the catalog is written once all its files are on stable storage, so that files without a row are of a
// server that was killed meanwhile; nothing refers to them. Everything here blocks.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "catalog/catalog.h"

namespace sd::api {

inline constexpr std::string_view kParquetPart = "parquet";
inline constexpr std::string_view kPagePart = "page";
// Whether it has a second part, for spreadsheets.
inline bool has_spreadsheet_form(std::string_view format) {
  return format == "csv" || format == "tsv";
}
// "csv", or "spreadsheet.csv".
std::string frozen_part(std::string_view format, bool spreadsheet);
std::string frozen_path(const std::string& folder, const Id128& share, std::string_view part);

// Whose files are there.
std::vector<Id128> frozen_shares(const std::string& folder);
// Removes all parts of a share. What cannot be removed is logged, and tried again by the next sweep.
void remove_frozen(const std::string& folder, const Id128& share);

// Removes the files of shares that have ended for good; at a start also those of which the catalog knows nothing (later
// they may be of a share that is being made).
void sweep_frozen(const std::string& folder, catalog::Catalog& catalog, bool at_start);

}  // namespace sd::api
