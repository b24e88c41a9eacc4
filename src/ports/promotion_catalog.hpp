#pragma once

#include "access/promotion_gate.hpp"
#include "access/selectors.hpp"
#include "core/task.hpp"
#include "oci/names.hpp"
#include "ports/actor.hpp"
#include "ports/list_query.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace entrepot {

// A step of a pipeline: what may go from one project into another, and what that takes.
struct PromotionPolicy {
    static constexpr std::int64_t most = 32;  // of one project
    static constexpr std::size_t longest_name = 128;
    static constexpr std::size_t most_gates = 16;
    static constexpr std::int64_t most_approvals = 10;

    // What asks for promotions: people, or a tag that comes or moves in the source.
    enum class Trigger : std::uint8_t { manual, event_based };

    std::int64_t id = 0;
    std::int64_t project_id = 0;  // the source
    std::string project{};        // its name, as it is read
    std::int64_t target_project_id = 0;
    std::string target_project{};  // its name, as it is read
    std::string name;
    std::string description{};
    bool disabled = false;
    Trigger trigger = Trigger::manual;
    Selectors repositories;
    Selectors tags;
    // What things are called in the target: {repository} and {tag} stand for what they are called in the source.
    std::string target_repository = "{repository}";
    std::string target_tag = "{tag}";
    std::vector<PromotionGate> gates{};
    std::int64_t approvals = 1;  // how many people have to agree
    bool self_approval = false;  // whether the requester may be one of them
    Micros lifetime = 0;         // of a request that nobody decides
};

std::string_view name_of(PromotionPolicy::Trigger trigger) noexcept;
std::optional<PromotionPolicy::Trigger> promotion_trigger_named(std::string_view name) noexcept;

// One tag or one digest on its way. Repositories are paths below their projects.
struct PromotionItem {
    std::string repository;
    std::string digest;
    std::string tag;  // empty: by digest
    std::string target_repository;
    std::string target_tag;

    bool operator==(const PromotionItem&) const = default;
};

// What somebody wants to be promoted: a tag or digest of a repository of the source project.
struct PromotionWish {
    RepositoryName repository;
    Reference reference;
};

struct PromotionOrder {
    std::int64_t project_id = 0;
    std::int64_t policy_id = 0;
    std::vector<PromotionWish> wishes{};  // none: all that the policy's selectors choose now
    std::string comment{};
};

// What would come, and what is in its way.
struct PromotionPlan {
    struct Entry {
        PromotionItem item;
        bool there = false;                   // the target shows this digest by this name already
        std::vector<std::string> refusals{};  // of the gates
    };
    std::vector<Entry> entries;
    std::int64_t manifests = 0;  // with children and accessories
    std::int64_t bytes = 0;      // that the target's project would be charged for
    bool open() const noexcept
    {
        for (const auto& entry : entries) {
            if (!entry.refusals.empty()) return false;
        }
        return true;
    }
};

// Waiting is what nobody asked for in person while a gate is shut. Those from `done` on have ended.
enum class PromotionState : std::uint8_t {
    waiting,
    pending,
    approved,
    done,
    rejected,
    failed,
    expired,
    cancelled,
    superseded
};
std::string_view name_of(PromotionState state) noexcept;
std::optional<PromotionState> promotion_state_named(std::string_view name) noexcept;

struct PromotionVote {
    std::int64_t user_id = 0;
    std::string user;
    bool approves = false;
    std::string comment;
    Micros at = 0;
};

struct Promotion {
    std::int64_t id = 0;
    std::int64_t project_id = 0;
    std::int64_t target_project_id = 0;
    std::string target_project;
    std::int64_t policy_id = 0;
    std::string policy;  // its name, as it was
    PromotionState state = PromotionState::pending;
    std::int64_t requester_id = 0;
    std::string requester;
    std::string comment;
    std::int64_t approvals = 0;  // that it takes
    Micros requested_at = 0;
    Micros expires_at = 0;
    Micros ended_at = 0;
    std::string ended_by;
    std::string error;                     // why it failed, or ended without anybody's doing
    bool automatic = false;                // an event asked for it
    std::vector<std::string> waiting_for;  // of a waiting one: why gates were shut when it was looked at last
    std::vector<PromotionItem> items;      // not in lists
    std::vector<PromotionVote> votes;      // not in lists
};

// A tag came to a digest, and a policy that acts by itself chooses it.
struct PromotionStart {
    std::int64_t project_id = 0;
    std::int64_t policy_id = 0;
    std::string repository;  // below the project
    std::string digest;
    std::string tag;
    std::int64_t caused_by = 0;  // who may not approve it alone; 0: nobody in particular
    Micros at = 0;
};

// Something about an artifact changed that gates may ask for.
struct PromotionTouch {
    std::int64_t project_id = 0;
    std::string digest;
    Micros at = 0;
};

// A chain of projects: all that policies lead to and from, over however many steps.
struct Pipeline {
    struct Stage {
        std::int64_t project_id = 0;
        std::string project;
        std::string environment;  // the project's metadata of that name
    };
    std::vector<Stage> stages;  // sources before their targets
    std::vector<PromotionPolicy> steps;
};

// Where an artifact is in one project, and the newest promotion that would bring or has brought it there.
struct JourneyStage {
    struct PlacedTag {
        std::string name;
        Micros since = 0;
    };
    struct Place {
        std::string repository;  // below the project
        Micros since = 0;
        std::vector<PlacedTag> tags;  // the newest ones
    };
    static constexpr std::size_t most_places = 20;
    static constexpr std::size_t most_tags = 50;

    std::int64_t project_id = 0;
    std::vector<Place> places;
    std::optional<Promotion> promotion;
};

// Promotions and the policies that they follow. Durable when acknowledged; unavailable, storage_full.
class PromotionCatalog {
public:
    // In one transaction, with children and accessories.
    static constexpr std::size_t most_manifests = 1000;
    static constexpr std::size_t most_items = 200;

    virtual ~PromotionCatalog() = default;

    // Fields: id, name, disabled.
    virtual Task<ListPage<PromotionPolicy>> policies(std::int64_t project_id, ListQuery query) = 0;
    virtual Task<PromotionPolicy> policy(std::int64_t project_id, std::int64_t id) = 0;  // not_found
    // Answers its id. conflict when the project has one of that name; bad_request when it has too many, or when
    // policies would lead in a circle; not_found without one of the projects.
    virtual Task<std::int64_t> create_policy(PromotionPolicy policy, Actor actor) = 0;
    virtual Task<> change_policy(PromotionPolicy policy, Actor actor) = 0;  // likewise, and not_found
    virtual Task<> remove_policy(std::int64_t project_id, std::int64_t id) = 0;

    // What a request would hold, changing nothing. not_found for the policy, name_unknown and manifest_unknown for what
    // is wished; bad_request for what the policy's selectors leave out; unprocessable beyond the limits.
    virtual Task<PromotionPlan> plan(PromotionOrder order, Micros now) = 0;
    // Digests are those of now, whatever tags do afterwards. precondition_failed while a gate is shut or the policy is
    // disabled; unprocessable when nothing is left to promote. It is approved when the policy asks for nobody's
    // approval.
    virtual Task<Promotion> request(PromotionOrder order, Actor actor) = 0;

    // Newest first; fields: id, state, policy_id. `now` tells what has expired.
    virtual Task<ListPage<Promotion>> list(std::int64_t project_id, ListQuery query, Micros now) = 0;
    // By its source or its target project. not_found.
    virtual Task<Promotion> find(std::int64_t project_id, std::int64_t id, Micros now) = 0;

    // One vote a person; enough of them approve it, one against rejects it. denied for the requester's own where the
    // policy forbids it; conflict for a second vote, and when it is no longer pending.
    virtual Task<Promotion> vote(std::int64_t id, bool approves, std::string comment, Actor actor) = 0;
    virtual Task<Promotion> cancel(std::int64_t id, Actor actor) = 0;  // conflict once it has ended

    // Ends those whose time is over; how many.
    virtual Task<std::int64_t> expire(Micros now) = 0;

    // Policies of all projects that act by themselves and are not disabled.
    virtual Task<std::vector<PromotionPolicy>> event_based() = 0;
    // In one transaction moves the consumer's cursor in the log of events (EventLog::cursor), makes a waiting promotion
    // of each start, and has those looked at soon that hold what was touched. What the target shows already, or is on
    // its way there by that policy, starts nothing; another digest that is on its way by the same policy and tag is
    // superseded. In the name of who made the policy. How many it made; conflict when the cursor is not at `from`.
    virtual Task<std::int64_t> advance(
        std::string consumer,
        std::int64_t from,
        std::int64_t to,
        std::vector<PromotionStart> starts,
        std::vector<PromotionTouch> touched
    ) = 0;
    // Those that an event asked for and that are to be looked at by now: ids, at most `limit`, the longest due first.
    virtual Task<std::vector<std::int64_t>> due(Micros now, std::int64_t limit) = 0;
    // Where a waiting one's gates are open, it is pending or approved after that; where its policy or its artifact has
    // gone, it has ended. One that waits on, or was approved before, is due again at `again`. One that is not
    // due is answered as it is. not_found.
    virtual Task<Promotion> look(std::int64_t id, Micros now, Micros again) = 0;

    // The chain that the project is a part of: at most most_stages projects, the nearest to it.
    static constexpr std::size_t most_stages = 100;
    virtual Task<Pipeline> pipeline(std::int64_t project_id) = 0;
    // In the order of `projects`.
    virtual Task<std::vector<JourneyStage>>
    journey(std::string digest, std::vector<std::int64_t> projects, Micros now) = 0;

    // Everything of an approved one comes into the target together, or nothing does: then it has failed, and says why
    // (gates are asked again, and the target's push policies, immutable tags and quota). One that is done is answered
    // as it is; conflict for other states.
    virtual Task<Promotion> execute(std::int64_t id, Actor actor) = 0;
};

}  // namespace entrepot
