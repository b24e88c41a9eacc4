#pragma once

#include "drivers/sql/repository_rows.hpp"
#include "drivers/sql/sql_engine.hpp"
#include "oci/names.hpp"
#include "ports/push_policy_catalog.hpp"

#include <span>

namespace entrepot {

class SqlPushPolicies final : public PushPolicyCatalog {
public:
    explicit SqlPushPolicies(SqlEngine& engine) : engine_{engine} {}

    Task<ListPage<PushPolicy>> list(std::int64_t project_id, ListQuery query) override;
    Task<PushPolicy> find(std::int64_t project_id, std::int64_t id) override;
    Task<std::int64_t> create(PushPolicy policy, Actor actor) override;
    Task<> change(PushPolicy policy, Actor actor) override;
    Task<> remove(std::int64_t project_id, std::int64_t id) override;

private:
    SqlEngine& engine_;
};

// denied, in the words of the policy that refuses the repository or one of the tags. Reads nothing where the project
// has no policies; the project is locked.
Result<>
check_push(SqlSession& session, const RepositoryRow& place, const RepositoryName& name, std::span<const Tag> tags);

}  // namespace entrepot
