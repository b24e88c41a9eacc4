#pragma once

#include "drivers/sql/sql_engine.hpp"
#include "ports/retention_catalog.hpp"

namespace entrepot {

class SqlRetention final : public RetentionCatalog {
public:
    explicit SqlRetention(SqlEngine& engine) : engine_{engine} {}

    Task<RetentionPolicy> find(std::int64_t id) override;
    Task<std::int64_t> create(RetentionPolicy policy, Actor actor) override;
    Task<> change(RetentionPolicy policy, Actor actor) override;
    Task<> remove(std::int64_t id) override;
    Task<> report(RetentionTask task, bool anew) override;
    Task<ListPage<RetentionTask>> tasks(std::int64_t execution_id, ListQuery query) override;
    Task<std::string> task_report(std::int64_t execution_id, std::int64_t id) override;
    Task<> forget_tasks(std::int64_t policy_id, std::int64_t runs_kept) override;

private:
    SqlEngine& engine_;
};

}  // namespace entrepot
