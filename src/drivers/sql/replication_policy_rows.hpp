#pragma once

#include "drivers/sql/sql_session.hpp"
#include "ports/actor.hpp"
#include "ports/list_query.hpp"
#include "ports/replication_policy.hpp"

#include <cstdint>
#include <vector>

namespace entrepot {

// Rows of replication policies, in the session's own transaction. What may go wrong is as in ReplicationCatalog.

std::unexpected<Error> no_such_replication_policy();
Result<ListPage<ReplicationPolicy>> list_replication_policies(SqlSession& session, const ListQuery& query);
Result<ReplicationPolicy> load_replication_policy(SqlSession& session, std::int64_t id);
Result<std::vector<ReplicationPolicy>> event_based_policies(SqlSession& session);
Result<ReplicationPolicy>
create_replication_policy(SqlSession& session, const ReplicationPolicy& policy, const Actor& actor);
Result<ReplicationPolicy>
change_replication_policy(SqlSession& session, const ReplicationPolicy& policy, const Actor& actor);
Result<> remove_replication_policy(SqlSession& session, std::int64_t id, const Actor& actor);

}  // namespace entrepot
