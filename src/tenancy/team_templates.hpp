#pragma once

#include "ports/tenant_catalog.hpp"

#include <vector>

namespace entrepot {

// The teams that a tenant can start with beside "everyone", and what each may do in the tenant:
// SREs own load balancers and pipelines; Developers use application templates and are developers in all of the
// tenant's projects; Resource own partitions and allocate quota; Support use pipelines.
std::vector<NewTeam> team_templates();

}  // namespace entrepot
