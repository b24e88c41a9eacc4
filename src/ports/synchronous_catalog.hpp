#pragma once

#include "access/site_role.hpp"
#include "core/clock.hpp"
#include "core/task.hpp"
#include "ports/actor.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace entrepot {

// A site that holds a synchronous project besides its home.
struct SynchronousSite {
    std::int64_t registry_id = 0;
    std::string registry{};           // its name; read only
    std::string project{};            // what the project is called there
    std::int64_t followed_epoch = 0;  // by which it was told who its home is; read only, as what follows
    bool took_part = false;           // it was a site of the project before this one took over
    std::int64_t lacking = 0;         // references that it may hold otherwise
    Micros oldest = 0;                // since when the first of them; 0: none
    std::string last_error{};         // of what was tried last, where that failed
};

// A project that several sites hold, as this site knows it. Of followers and fenced sites: role, epoch and home alone.
struct Synchronisation {
    std::int64_t project_id = 0;
    std::string project{};  // its name here; read only
    SiteRole role = SiteRole::none;
    std::int64_t epoch = 0;
    std::string home{};           // the home's address
    std::int64_t required = 1;    // of the sites have to hold a push before it is acknowledged
    bool degrades = false;        // fewer: it is acknowledged all the same, with a warning; else it is refused
    std::int64_t patience = 30;   // seconds that a push waits for the sites
    std::int64_t creator_id = 0;  // in whose name this site is read
    std::int64_t tenant_id = 0;   // of the project; read only
    std::vector<SynchronousSite> sites{};
};

// A reference that a site may hold otherwise than the home.
struct LackingReference {
    std::string repository{};  // here, with its project
    std::string reference{};   // a tag, or the digest of what has none
    std::string digest{};      // what it leads to here, empty: nothing
    Micros since = 0;
    std::int64_t failures = 0;
    std::string last_error{};
};

// Projects that several sites hold. What a site lacks is noted by the transaction that changes it (each move and
// removal of a tag, each manifest that is pushed without one), so that no crash loses it. Each method is one
// transaction, durable when acknowledged. unavailable, storage_full.
class SynchronousCatalog {
public:
    virtual ~SynchronousCatalog() = default;

    // not_found: the project isn't one; name_unknown: it isn't there.
    virtual Task<Synchronisation> find(std::int64_t project_id) = 0;
    // The same without what the sites lack, which takes time to count: for each push.
    virtual Task<Synchronisation> members(std::int64_t project_id) = 0;
    // All of which this site is something, in the order of ids.
    virtual Task<std::vector<Synchronisation>> all() = 0;

    // This site is the home, with these settings; a site that comes anew lacks every tag that is here. `takes_over`:
    // from a home that may be gone, by the next epoch. The epoch is the catalog's to give. conflict where another site
    // is the home (without takes_over) or this one is already (with it); not_found: the project, an endpoint.
    virtual Task<Synchronisation> lead(Synchronisation wanted, bool takes_over, Actor actor) = 0;
    // Another site is the home, and writes here as the actor. conflict (naming epoch and home) where that is old news:
    // a lower epoch, or the same one of another home. bad_request: an epoch too far ahead to be true.
    virtual Task<Synchronisation>
    follow(std::int64_t project_id, std::int64_t epoch, std::string home, Actor actor) = 0;
    // This site was the home by `epoch` and has learnt that another one is: nothing happens where it isn't any more.
    virtual Task<> fence(std::int64_t project_id, std::int64_t epoch, std::string why, Micros now) = 0;
    // The project is like any other from now on. not_found where it is.
    virtual Task<> stop(std::int64_t project_id, Actor actor) = 0;

    // The site knows its home by this epoch.
    virtual Task<> note_followed(std::int64_t project_id, std::int64_t registry_id, std::int64_t epoch) = 0;
    // In the order of repository and reference, after a place.
    virtual Task<std::vector<LackingReference>> lacking(
        std::int64_t project_id,
        std::int64_t registry_id,
        std::string after_repository,
        std::string after_reference,
        std::int64_t limit
    ) = 0;
    // References that the site has and this one hasn't.
    virtual Task<>
    note_lacking(std::int64_t project_id, std::int64_t registry_id, std::vector<LackingReference> more) = 0;
    // The site holds this now: the row goes if it still stands for that. Where somebody else has settled what the
    // reference leads to now, or a manifest that was removed there is here again, the site may lack it: noted anew.
    virtual Task<> settle(std::int64_t project_id, std::int64_t registry_id, LackingReference held) = 0;
    // The site may hold anything then: noted anew where somebody else has settled it.
    virtual Task<> note_failure(std::int64_t project_id, std::int64_t registry_id, LackingReference failed) = 0;
    // A push was acknowledged although fewer sites hold it than have to: the event. `sites`: those that don't.
    virtual Task<>
    note_degraded(std::int64_t project_id, LackingReference pushed, std::vector<std::string> sites, Actor actor) = 0;
};

}  // namespace entrepot
