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

    std::int64_t id = 0;
    std::int64_t project_id = 0;  // the source
    std::int64_t target_project_id = 0;
    std::string target_project{};  // its name, as it is read
    std::string name;
    std::string description{};
    bool disabled = false;
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

enum class PromotionState : std::uint8_t { pending, approved, done, rejected, failed, expired, cancelled };
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
    std::string error;                 // why it failed
    std::vector<PromotionItem> items;  // not in lists
    std::vector<PromotionVote> votes;  // not in lists
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

    // Everything of an approved one comes into the target together, or nothing does: then it has failed, and says why
    // (gates are asked again, and the target's push policies, immutable tags and quota). One that is done is answered
    // as it is; conflict for other states.
    virtual Task<Promotion> execute(std::int64_t id, Actor actor) = 0;
};

}  // namespace entrepot
