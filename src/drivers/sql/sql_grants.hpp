#pragma once

#include "drivers/sql/sql_engine.hpp"
#include "ports/grant_catalog.hpp"

namespace entrepot {

// Grants on any SqlEngine, which outlives them.
class SqlGrants final : public GrantCatalog {
public:
    explicit SqlGrants(SqlEngine& engine) : engine_{engine} {}

    Task<ListPage<Grant>> list(GrantReach reach, ListQuery query) override;
    Task<Grant> find(std::int64_t id) override;
    Task<std::vector<Grant>> held_by(SubjectType type, std::int64_t subject_id) override;
    Task<ListPage<Grant>> project_members(
        std::int64_t project_id, std::string name, Micros now, std::int64_t offset, std::int64_t limit
    ) override;
    Task<GrantSubject> find_subject(SubjectType type, std::int64_t id) override;
    Task<GrantSubject> find_subject(SubjectType type, std::string name, std::int64_t tenant_id) override;
    Task<Grant> create(NewGrant grant, Actor actor) override;
    Task<Grant> set_role(std::int64_t id, std::int64_t role_id, Actor actor) override;
    Task<> remove(std::int64_t id, Actor actor) override;
    Task<std::int64_t> remove_expired(Micros before) override;

private:
    SqlEngine& engine_;
};

}  // namespace entrepot
