#pragma once

#include "access/permission.hpp"

#include <string>
#include <string_view>

namespace entrepot {

// Permission sets as the metadata store keeps them: "project/repository:pull project/tag:list", in the order of
// all_permissions(). The kind before the slash may be left out where it is `kind`. Words that name no permission of
// this version are passed over.
std::string permission_text(const PermissionSet& permissions);
PermissionSet permissions_in(std::string_view text, ObjectKind kind);

}  // namespace entrepot
