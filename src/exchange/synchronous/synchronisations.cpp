#include "exchange/synchronous/synchronisations.hpp"

#include "access/require.hpp"
#include "core/log.hpp"
#include "oci/names.hpp"

#include <algorithm>
#include <set>

namespace entrepot {
namespace {

constexpr std::size_t most_sites = 16;
constexpr std::int64_t longest_patience = 300;  // seconds
constexpr std::size_t longest_home = 256;
constexpr std::int64_t last_epoch = 1'000'000'000;

std::unexpected<Error> bad(std::string message)
{
    return fail(Errc::bad_request, std::move(message));
}

// An address that can be shown to people and sent as a header's value.
Result<> check_home(const std::string& home)
{
    const bool printable = std::ranges::all_of(home, [](char c) { return c > ' ' && c <= '~'; });
    const bool web = home.starts_with("https://") || home.starts_with("http://");
    if (home.size() <= longest_home && printable && web) return {};
    return bad("home is the address that clients push to, such as https://registry.example.org");
}

Result<> require_on_sites(const AccessPolicy& policy, const Caller& caller, std::string_view action)
{
    return require(policy, caller, need(ObjectKind::platform, "replication-policy", action), the_platform);
}

Result<> require_on_project(const AccessPolicy& policy, const Caller& caller, std::int64_t id, std::string_view action)
{
    const auto permission = need(ObjectKind::project, "configuration", action);
    return require(policy, caller, permission, {.kind = ObjectKind::project, .id = id, .name = {}});
}

}  // namespace

Task<Synchronisation> Synchronisations::find(Caller caller, std::int64_t project_id)
{
    CO_CHECK(require_on_project(parts_.policy, caller, project_id, "read"));
    co_return co_await parts_.catalog.find(project_id);
}

Task<Synchronisation> Synchronisations::checked(Synchronisation wanted)
{
    if (wanted.home.empty()) wanted.home = parts_.home;
    while (wanted.home.ends_with('/')) wanted.home.pop_back();
    CO_CHECK(check_home(wanted.home));
    const auto project = parts_.policy.project(wanted.project_id);
    if (!project) co_return fail(Errc::name_unknown, "the project is not known to the registry");
    if (project->registry_id != 0) co_return bad("a proxy cache can't be synchronous");
    if (wanted.sites.empty() || wanted.sites.size() > most_sites) {
        co_return bad("sites are from 1 to " + std::to_string(most_sites) + " registry endpoints");
    }
    if (wanted.required < 1 || wanted.required > std::ssize(wanted.sites)) {
        co_return bad("required is from 1 to the number of sites");
    }
    if (wanted.patience < 1 || wanted.patience > longest_patience) {
        co_return bad("timeout is from 1 to " + std::to_string(longest_patience) + " seconds");
    }
    std::set<std::int64_t> seen;
    for (auto& site : wanted.sites) {
        if (!seen.insert(site.registry_id).second) co_return bad("a registry endpoint is among the sites twice");
        if (site.project.empty()) site.project = project->name;
        CO_CHECK(ProjectName::parse(site.project));
        CO_TRY(const auto endpoint, co_await parts_.endpoints.find(site.registry_id));
        site.registry = endpoint.name;
    }
    co_return wanted;
}

Task<Synchronisation> Synchronisations::lead(Caller caller, Synchronisation wanted, bool takes_over)
{
    CO_CHECK(require_on_sites(parts_.policy, caller, "update"));
    CO_TRY(wanted, co_await checked(std::move(wanted)));
    const auto before = co_await parts_.catalog.find(wanted.project_id);
    CO_TRY(auto made, co_await parts_.catalog.lead(std::move(wanted), takes_over, actor(caller)));
    CO_CHECK(co_await parts_.catch_up());
    if (before && before->role == SiteRole::home) {
        for (const auto& site : before->sites) {
            const bool stays = std::ranges::any_of(made.sites, [&](const SynchronousSite& one) {
                return one.registry_id == site.registry_id && one.project == site.project;
            });
            if (!stays) co_await dismiss(*before, site);
        }
    }
    for (const auto& site : made.sites) {
        const auto told =
            co_await parts_.sites.announce(site.registry_id, site.project, {.epoch = made.epoch, .home = made.home});
        if (told) continue;
        if (told.error().code() == Errc::conflict) {
            CO_CHECK(co_await parts_.catalog.fence(
                made.project_id, made.epoch, site.registry + ": " + told.error().message(), parts_.clock.now()
            ));
            CO_CHECK(co_await parts_.catch_up());
            co_return fail(Errc::conflict, "the site " + site.registry + " refuses: " + told.error().message());
        }
        log::info(
            "a site will be told later who its home is", {{"site", site.registry}, {"error", told.error().message()}}
        );
    }
    co_return made;
}

asio::awaitable<void> Synchronisations::dismiss(const Synchronisation& before, const SynchronousSite& site)
{
    const auto told =
        co_await parts_.sites.dismiss(site.registry_id, site.project, {.epoch = before.epoch, .home = before.home});
    if (!told) {
        log::info(
            "a site still takes itself for a follower", {{"site", site.registry}, {"error", told.error().message()}}
        );
    }
}

Task<Synchronisation> Synchronisations::set(Caller caller, Synchronisation wanted)
{
    return lead(std::move(caller), std::move(wanted), false);
}

Task<Synchronisation> Synchronisations::take_over(Caller caller, Synchronisation wanted)
{
    return lead(std::move(caller), std::move(wanted), true);
}

Task<Synchronisation> Synchronisations::stop(Caller caller, std::int64_t project_id)
{
    CO_CHECK(require_on_sites(parts_.policy, caller, "delete"));
    CO_TRY(auto before, co_await parts_.catalog.find(project_id));
    CO_CHECK(co_await parts_.catalog.stop(project_id, actor(caller)));
    CO_CHECK(co_await parts_.catch_up());
    for (const auto& site : before.sites) co_await dismiss(before, site);
    co_return before;
}

Task<Synchronisation> Synchronisations::follow(Caller caller, std::int64_t project_id, HomeClaim claim)
{
    CO_CHECK(require_on_project(parts_.policy, caller, project_id, "update"));
    CO_CHECK(check_home(claim.home));
    if (claim.epoch < 1 || claim.epoch > last_epoch) co_return bad("epoch is a positive number");
    const auto project = parts_.policy.project(project_id);
    if (project && project->registry_id != 0) co_return bad("a proxy cache follows nobody");
    CO_TRY(auto now, co_await parts_.catalog.follow(project_id, claim.epoch, std::move(claim.home), actor(caller)));
    CO_CHECK(co_await parts_.catch_up());
    co_return now;
}

Task<> Synchronisations::leave(Caller caller, std::int64_t project_id, HomeClaim claim)
{
    CO_CHECK(require_on_project(parts_.policy, caller, project_id, "update"));
    CO_TRY(const auto now, co_await parts_.catalog.find(project_id));
    if (now.role != SiteRole::follower || now.epoch != claim.epoch || now.home != claim.home) {
        co_return fail(Errc::conflict, "the project is no follower of this home by this epoch");
    }
    CO_CHECK(co_await parts_.catalog.stop(project_id, actor(caller)));
    co_return co_await parts_.catch_up();
}

}  // namespace entrepot
