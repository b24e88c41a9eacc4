#pragma once

#include "ports/replication_policy.hpp"
#include "ports/timetable.hpp"

namespace entrepot {

// bad_request names what can't be in a policy; its endpoints are not looked up.
Result<> check_replication_policy(const ReplicationPolicy& policy, const Timetable& timetable);

}  // namespace entrepot
