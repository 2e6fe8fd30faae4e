// Inside of the catalog room: destinations as rows, and the rules that every way of making one
// obeys. What takes a session throws what SOCI throws.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "catalog/impl.h"

namespace sd::catalog {

// A row of this shape, with a new id and no times; kInvalidArgument if it breaks a rule.
Result<Destination> new_row(const NewDestination& spec);
Result<> check_destination_name(std::string_view name);
// The settings with their secrets marked.
Result<Settings> checked_settings(Settings settings, const Destination& owner);
Error name_taken();

// Nobody else may have the name or the file. The indexes see to it too; this gives the better
// message.
Result<> check_unique(soci::session& sql, const std::string& data_dir, const Destination& wanted);

void insert_destination(soci::session& sql, const Sealer& sealer, const std::string& data_dir,
                        const Destination& row);
// Writes every column back and raises the generation.
void update_destination(soci::session& sql, const Sealer& sealer, const std::string& data_dir,
                        Destination& row, Micros now);

// What a secret setting is bound to where it is sealed.
std::string setting_place(const std::string& destination_id, const std::string& name);

// Fills in the settings of a row that was read without them.
void read_settings(soci::session& sql, const Sealer& sealer, Destination& destination);
// At most so many, without their settings, behind the one of this time and id.
std::vector<Destination> read_destinations_after(soci::session& sql, Micros created_at,
                                                 const std::string& id, int most);

}  // namespace sd::catalog
