// A system user of their own for engines, and what of the data directory it may reach. Only root
// can do any of this; a server that is not root has its engines run as itself.
//
// After it: folders of the server can be passed through by everybody and listed by nobody; a
// journal is root's and can be read by the user's group, what the server adds to it too; a
// destination's own folder is the user's.
#pragma once

#include <string>

#include "base/result.h"
#include "engine/sandbox.h"

namespace sd::engine {

// kInvalidArgument where there is no such user, or it is root.
Result<UserIds> find_user(const std::string& name);

// A folder that lies on the way.
Result<> let_pass(const std::string& folder);
// A journal, with all that is and will be in it. Its folders must be there already.
Result<> let_read(const std::string& folder, const UserIds& user);
// A destination's folder, with all that is in it.
Result<> give(const std::string& folder, const UserIds& user);

// Whether folders above, which are not the server's, let the user come so far.
bool can_reach(const std::string& folder, const UserIds& user);

}  // namespace sd::engine
