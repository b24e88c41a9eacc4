#pragma once

#include "drivers/sql/sql_engine.hpp"
#include "ports/people_catalog.hpp"

namespace entrepot {

// People as they are managed, on any SqlEngine, which outlives it.
class SqlPeople final : public PeopleCatalog {
public:
    explicit SqlPeople(SqlEngine& engine) : engine_{engine} {}

    Task<ListPage<Account>> list(ListQuery query) override;
    Task<ListPage<Account>>
    search(std::string part, std::int64_t seen_by, std::int64_t offset, std::int64_t limit) override;
    Task<bool> has_name(std::string name) override;
    Task<bool> has_email(std::string email) override;
    Task<> set_profile(std::int64_t id, UserProfile profile, std::optional<bool> disabled, Actor actor) override;
    Task<> set_disabled(std::int64_t id, bool disabled, Actor actor) override;
    Task<> set_admin(std::int64_t id, bool admin, Actor actor) override;
    Task<> remove(std::int64_t id, Actor actor) override;

private:
    SqlEngine& engine_;
};

}  // namespace entrepot
