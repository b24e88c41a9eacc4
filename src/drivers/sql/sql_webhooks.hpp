#pragma once

#include "drivers/sql/sql_engine.hpp"
#include "ports/webhook_catalog.hpp"

namespace entrepot {

// Webhooks on any SqlEngine, which outlives it.
class SqlWebhooks final : public WebhookCatalog {
public:
    explicit SqlWebhooks(SqlEngine& engine) : engine_{engine} {}

    Task<ListPage<WebhookPolicy>> list(std::int64_t project_id, ListQuery query) override;
    Task<WebhookPolicy> find(std::int64_t id) override;
    Task<std::vector<WebhookPolicy>> enabled() override;
    Task<WebhookPolicy> create(WebhookPolicy policy, Actor actor) override;
    Task<WebhookPolicy> change(WebhookPolicy policy, Actor actor) override;
    Task<> remove(std::int64_t id, Actor actor) override;
    Task<> triggered(std::vector<WebhookTrigger> triggers) override;
    Task<std::vector<WebhookTrigger>> last_triggers(std::int64_t project_id) override;
    Task<bool> claim_probe(std::int64_t policy_id, std::size_t target, Micros seen, Micros until) override;
    Task<> succeeded(std::int64_t policy_id, std::size_t target) override;
    Task<> failed(std::int64_t policy_id, std::size_t target, Failure failure) override;
    Task<std::int64_t> open_circuits(Micros now) override;

private:
    SqlEngine& engine_;
};

}  // namespace entrepot
