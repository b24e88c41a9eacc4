#pragma once

#include "drivers/sql/sql_engine.hpp"
#include "ports/synchronous_catalog.hpp"

namespace entrepot {

// Synchronous projects on any SqlEngine, which outlives it.
class SqlSynchronous final : public SynchronousCatalog {
public:
    explicit SqlSynchronous(SqlEngine& engine) : engine_{engine} {}

    Task<Synchronisation> find(std::int64_t project_id) override;
    Task<Synchronisation> members(std::int64_t project_id) override;
    Task<std::vector<Synchronisation>> all() override;
    Task<Synchronisation> lead(Synchronisation wanted, bool takes_over, Actor actor) override;
    Task<Synchronisation> follow(std::int64_t project_id, std::int64_t epoch, std::string home, Actor actor) override;
    Task<> fence(std::int64_t project_id, std::int64_t epoch, std::string why, Micros now) override;
    Task<> stop(std::int64_t project_id, Actor actor) override;
    Task<> note_followed(std::int64_t project_id, std::int64_t registry_id, std::int64_t epoch) override;
    Task<std::vector<LackingReference>> lacking(
        std::int64_t project_id,
        std::int64_t registry_id,
        std::string after_repository,
        std::string after_reference,
        std::int64_t limit
    ) override;
    Task<> note_lacking(std::int64_t project_id, std::int64_t registry_id, std::vector<LackingReference> more) override;
    Task<> settle(std::int64_t project_id, std::int64_t registry_id, LackingReference held) override;
    Task<> note_failure(std::int64_t project_id, std::int64_t registry_id, LackingReference failed) override;
    Task<> note_degraded(std::int64_t project_id, LackingReference pushed, std::vector<std::string> sites, Actor actor)
        override;

private:
    SqlEngine& engine_;
};

}  // namespace entrepot
