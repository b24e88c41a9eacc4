#pragma once

#include "cli/apply/apply_server.hpp"

namespace entrepot {

// Each of them stands once, without state.
const ApplyKind& role_kind();
const ApplyKind& user_kind();
const ApplyKind& tenant_kind();
const ApplyKind& team_kind();
const ApplyKind& registry_kind();
const ApplyKind& project_kind();
const ApplyKind& quota_kind();
const ApplyKind& label_kind();
const ApplyKind& member_kind();
const ApplyKind& robot_kind();
const ApplyKind& grant_kind();
const ApplyKind& replication_kind();

// A grant that Harbor calls a membership: a user or a group has one of the five roles on a whole project, for good.
// It is told as Member; all others as Grant.
bool is_membership(const boost::json::object& grant);

}  // namespace entrepot
