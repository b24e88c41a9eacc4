#pragma once

#include "access/policy.hpp"
#include "core/clock.hpp"
#include "core/task.hpp"
#include "ports/endpoint_catalog.hpp"
#include "ports/home_sites.hpp"
#include "ports/synchronous_catalog.hpp"

#include <cstdint>
#include <functional>
#include <string>

namespace entrepot {

// Synchronous projects as people manage them, and as homes tell followers of themselves. The sites are the platform's,
// so that who may make replication policies may set them; a follower obeys who may configure the project there. Every
// method checks what the caller may. Safe from any loop.
class Synchronisations {
public:
    struct Parts {
        SynchronousCatalog& catalog;
        EndpointCatalog& endpoints;
        HomeSites& sites;
        AccessPolicy& policy;
        std::function<Task<>()> catch_up;  // AccessDirectory::catch_up()
        std::string home;                  // this registry's address, where none is given; may be empty
        const Clock& clock;
    };
    explicit Synchronisations(Parts parts) : parts_{std::move(parts)} {}

    Task<Synchronisation> find(Caller caller, std::int64_t project_id);  // not_found
    // This site is the home, with these settings. An empty home is this registry's address. Each site is told at once;
    // one that is away is told when it is back. bad_request names what is wrong; conflict: another site is the home, or
    // a site knows a later one. A site that is none any more is told that, as far as it answers.
    Task<Synchronisation> set(Caller caller, Synchronisation wanted);
    // The same on a follower whose home is gone (or of a home that was fenced): by the next epoch.
    Task<Synchronisation> take_over(Caller caller, Synchronisation wanted);
    // The followers are told, as far as they answer.
    Task<Synchronisation> stop(Caller caller, std::int64_t project_id);  // answers what it was

    // What a home says: it is the one by this epoch, and writes as the caller. conflict: that is old news.
    Task<Synchronisation> follow(Caller caller, std::int64_t project_id, HomeClaim claim);
    Task<> leave(Caller caller, std::int64_t project_id, HomeClaim claim);  // conflict: it isn't this one's follower

private:
    Task<Synchronisation> checked(Synchronisation wanted);
    asio::awaitable<void> dismiss(const Synchronisation& before, const SynchronousSite& site);
    Task<Synchronisation> lead(Caller caller, Synchronisation wanted, bool takes_over);
    Actor actor(const Caller& caller) const { return {.user_id = caller.identity->user_id, .at = parts_.clock.now()}; }

    const Parts parts_;
};

}  // namespace entrepot
