#include "app/synchronous_parts.hpp"

#include "app/outbound_parts.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace entrepot {

using namespace std::chrono_literals;

Task<std::shared_ptr<CopySite>> SynchronousParts::FromElsewhere::open_as_home(std::int64_t endpoint_id, HomeClaim claim)
{
    co_return co_await sites_.open_as_home(endpoint_id, std::move(claim));
}

Task<> SynchronousParts::FromElsewhere::announce(std::int64_t endpoint_id, std::string project, HomeClaim claim)
{
    auto there = sites_.announce(endpoint_id, std::move(project), std::move(claim));
    co_return co_await asio::co_spawn(loop_, std::move(there), asio::use_awaitable);
}

Task<> SynchronousParts::FromElsewhere::dismiss(std::int64_t endpoint_id, std::string project, HomeClaim claim)
{
    auto there = sites_.dismiss(endpoint_id, std::move(project), std::move(claim));
    co_return co_await asio::co_spawn(loop_, std::move(there), asio::use_awaitable);
}

SynchronousParts::SynchronousParts(const Needs& needs)
    : local_{needs.local},
      secrets_{needs.master_key, needs.random},
      sites_{needs.store.endpoints(), secrets_, outbound_rules_of(needs.config), needs.clock},
      told_{loop_, sites_},
      synchronisations_{
          {.catalog = needs.store.synchronous(),
           .endpoints = needs.store.endpoints(),
           .sites = told_,
           .policy = needs.policy,
           .catch_up = needs.catch_up,
           .home = needs.config.auth.external_url,
           .clock = needs.clock}
      },
      pushes_{
          {.policy = needs.policy,
           .copier =
               {.loop = loop_,
                .catalog = needs.store.synchronous(),
                .sites = sites_,
                .make_local = [this](std::int64_t user_id) -> std::shared_ptr<CopySite> {
                    return std::make_shared<LocalSite>(local_, LocalSiteUser{.user_id = user_id});
                },
                .catch_up = needs.catch_up,
                .views = needs.views,
                .reading = needs.local.reading,
                .clock = needs.clock,
                .random = needs.random}}
      }
{
}

std::vector<Background::Chore> SynchronousParts::chores()
{
    return {{.name = "synchronous projects", .every = 1s, .run = [this] { return pushes_.catch_up(); }}};
}

}  // namespace entrepot
