#pragma once

#include "core/clock.hpp"
#include "core/task.hpp"
#include "ports/actor.hpp"
#include "ports/list_query.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace entrepot {

// Those behind `running` have ended: `done` says that each of its nodes has the image, `failed` that some can't have
// it, or that nobody may any more.
enum class PreheatStage : std::uint8_t { running, done, failed, expired, cancelled };
std::string_view name_of(PreheatStage stage) noexcept;
std::optional<PreheatStage> preheat_stage_named(std::string_view name) noexcept;

// Those from `done` on are a node's last word.
enum class NodePreheat : std::uint8_t { waiting, running, done, failed, refused };
inline constexpr std::size_t node_preheats = 5;
std::string_view name_of(NodePreheat state) noexcept;
std::optional<NodePreheat> node_preheat_named(std::string_view name) noexcept;
constexpr bool has_ended(NodePreheat state) noexcept
{
    return state >= NodePreheat::done;
}

// Which nodes are to have an image: those that all of it holds for.
struct PreheatSelection {
    std::vector<std::string> zones{};  // empty: any
    std::vector<std::string> names{};  // empty: any
    std::int64_t percent = 100;        // 1 to 100, of these

    bool operator==(const PreheatSelection&) const = default;
};

// How many of a preheat's nodes are in which state, and the bytes that all of them have.
struct PreheatCounts {
    std::array<std::int64_t, node_preheats> nodes{};  // by NodePreheat
    std::int64_t bytes_done = 0;

    std::int64_t of(NodePreheat state) const noexcept { return nodes[static_cast<std::size_t>(state)]; }
    std::int64_t all() const noexcept
    {
        std::int64_t sum = 0;
        for (const auto count : nodes) sum += count;
        return sum;
    }
    bool operator==(const PreheatCounts&) const = default;
};

// An image that nodes are to have before anybody asks for it.
struct PreheatEntry {
    std::int64_t id = 0;  // given by the catalog
    std::int64_t project_id = 0;
    std::string repository{};  // with its project
    std::string reference{};   // the tag or digest, as it was asked for
    std::string platform{};    // that was chosen of an index; empty: the reference is an image's own
    std::string digest{};      // of the image's manifest
    std::int64_t bytes = 0;    // of all its blobs, each once
    PreheatSelection selection{};
    Micros deadline = 0;               // when nobody is told to have it any more
    std::int64_t rate = 0;             // bytes a second that each node may take; 0: no limit
    std::int64_t owner_id = 0;         // whose right to pull the nodes pull with
    std::int64_t access_token_id = 0;  // the personal access token that it was asked for with, or 0
    std::string owner{};               // its name, as it is read
    PreheatStage stage = PreheatStage::running;
    std::string message{};  // why it ended without anybody's doing
    Micros created_at = 0;
    Micros ended_at = 0;  // 0: not yet
    PreheatCounts counts{};

    bool operator==(const PreheatEntry&) const = default;
};

// One node's part in it.
struct PreheatNode {
    std::string id{};  // 64 hexadecimal digits: NodeId
    std::string name{};
    std::string zone{};
    NodePreheat state = NodePreheat::waiting;
    std::int64_t bytes_done = 0;
    std::string message{};
    Micros at = 0;  // when it was heard of last

    bool operator==(const PreheatNode&) const = default;
};

// What was heard of a node.
struct PreheatNews {
    std::int64_t preheat = 0;
    std::string node{};  // id
    NodePreheat state = NodePreheat::waiting;
    std::int64_t bytes_done = 0;
    std::string message{};
};

// Preheats and how their nodes get on, which all instances share. A node that is removed is none of theirs any more.
// One method, one transaction; what a changing method acknowledges is durable. unavailable; those that write also
// storage_full.
class PreheatCatalog {
public:
    virtual ~PreheatCatalog() = default;

    // With the nodes of these ids, which wait. Its id.
    virtual Task<std::int64_t> add(PreheatEntry preheat, std::vector<std::string> nodes, Actor actor) = 0;
    // The newest first: those of the projects of these ids, or all for nullopt. bad_request
    virtual Task<ListPage<PreheatEntry>> list(std::optional<std::vector<std::int64_t>> projects, ListQuery query) = 0;
    virtual Task<PreheatEntry> find(std::int64_t id) = 0;  // not_found
    // By name, then id. bad_request
    virtual Task<ListPage<PreheatNode>> nodes(std::int64_t id, ListQuery query) = 0;

    // Those that have not ended, the oldest first.
    virtual Task<std::vector<PreheatEntry>> running() = 0;
    // How each of its nodes gets on, by id.
    virtual Task<std::map<std::string, NodePreheat>> states(std::int64_t id) = 0;
    // The last word of a node that had one stays, and so does all of what has ended. A node that the preheat did not
    // have is one of its nodes from now on.
    virtual Task<> note(std::vector<PreheatNews> news, Micros at) = 0;
    // False: it had ended. not_found
    virtual Task<bool> end(std::int64_t id, PreheatStage stage, std::string message, Actor actor) = 0;
    // Those that ended before; a thousand at most.
    virtual Task<> remove_ended(Micros before) = 0;
};

}  // namespace entrepot
