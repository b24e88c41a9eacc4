#pragma once

#include "drivers/sql/sql_engine.hpp"
#include "ports/replication_catalog.hpp"

namespace entrepot {

// Replication policies and what they have still to do on any SqlEngine, which outlives it.
class SqlReplications final : public ReplicationCatalog {
public:
    explicit SqlReplications(SqlEngine& engine) : engine_{engine} {}

    Task<ListPage<ReplicationPolicy>> list(ListQuery query) override;
    Task<ReplicationPolicy> find(std::int64_t id) override;
    Task<std::vector<ReplicationPolicy>> event_based() override;
    Task<ReplicationPolicy> create(ReplicationPolicy policy, Actor actor) override;
    Task<ReplicationPolicy> change(ReplicationPolicy policy, Actor actor) override;
    Task<> remove(std::int64_t id, Actor actor) override;

    Task<> note_pending(std::vector<PendingCopy> pending) override;
    Task<> settle(std::vector<Settled> settled) override;
    Task<> note_failure(Settled what, std::string error) override;
    Task<PendingPage> pending(
        std::int64_t policy_id, std::string after_repository, std::string after_reference, std::int64_t limit
    ) override;
    Task<std::vector<ReplicationLag>> lag(std::optional<std::int64_t> policy_id) override;

private:
    SqlEngine& engine_;
};

}  // namespace entrepot
