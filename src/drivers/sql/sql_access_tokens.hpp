#pragma once

#include "drivers/sql/sql_engine.hpp"
#include "ports/access_token_catalog.hpp"

namespace entrepot {

// Personal access tokens, on any SqlEngine, which outlives it.
class SqlAccessTokens final : public AccessTokenCatalog {
public:
    explicit SqlAccessTokens(SqlEngine& engine) : engine_{engine} {}

    Task<AccessToken> add(AccessToken token, std::int64_t most) override;
    Task<AccessToken> find(std::string hash) override;
    Task<AccessToken> find_by_id(std::int64_t id) override;
    Task<std::vector<AccessToken>> of_user(std::int64_t user_id) override;
    Task<> remove(std::int64_t user_id, std::int64_t id, Actor actor) override;
    Task<> remove_expired(Micros before) override;
    Task<> record_use(std::vector<CredentialUse> uses) override;

private:
    SqlEngine& engine_;
};

}  // namespace entrepot
