#pragma once

#include "access/policy.hpp"
#include "core/random.hpp"
#include "core/run_to_end.hpp"
#include "delivery/swarm_secrets.hpp"
#include "ports/node_catalog.hpp"
#include "ports/secret_box.hpp"
#include "swarm/identity/node_key.hpp"
#include "tests/support/fake_clock.hpp"

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace entrepot {

// What the catalog promises of nodes, in memory.
class MemoryNodes final : public NodeCatalog {
public:
    std::map<std::string, std::string> secrets{};
    std::vector<NodeTokenEntry> kept_tokens{};
    std::map<std::string, NodeEntry> kept{};
    std::set<std::string> instances{};
    std::vector<Actor> actors{};
    int looked_up = 0;
    std::atomic<bool> away{false};
    std::mutex mutex{};  // of the nodes, where somebody looks them up meanwhile

    Task<std::string> keep_secret(std::string name, std::string sealed) override
    {
        co_return secrets.emplace(name, sealed).first->second;
    }
    Task<> add_token(NodeTokenEntry token, Actor actor) override
    {
        kept_tokens.push_back(std::move(token));
        actors.push_back(actor);
        co_return Result<>{};
    }
    Task<std::vector<NodeTokenEntry>> tokens() override { co_return kept_tokens; }
    Task<NodeTokenEntry> token(std::string id) override
    {
        if (away) co_return fail(Errc::unavailable, "away");
        const auto found = std::ranges::find(kept_tokens, id, &NodeTokenEntry::id);
        if (found == kept_tokens.end()) co_return fail(Errc::not_found, "no such token");
        co_return *found;
    }
    Task<> remove_token(std::string id, Actor actor) override
    {
        actors.push_back(actor);
        if (std::erase_if(kept_tokens, [&](const auto& token) { return token.id == id; }) == 0)
            co_return fail(Errc::not_found, "no such token");
        co_return Result<>{};
    }
    Task<> admit(NodeEntry node) override
    {
        const auto token = std::ranges::find(kept_tokens, node.token_id, &NodeTokenEntry::id);
        if (token == kept_tokens.end()) co_return fail(Errc::not_found, "no such token");
        if (!kept.contains(node.id)) {
            if (token->used >= token->nodes) co_return fail(Errc::conflict, "all of its nodes");
            ++token->used;
        }
        const auto id = node.id;
        kept.insert_or_assign(id, std::move(node));
        co_return Result<>{};
    }
    Task<> renew(std::string id, Micros certified_at, Micros expires_at) override
    {
        const std::lock_guard guard{mutex};
        if (!kept.contains(id)) co_return fail(Errc::not_found, "no such node");
        kept[id].certified_at = certified_at;
        kept[id].expires_at = expires_at;
        co_return Result<>{};
    }
    Task<NodeEntry> node(std::string id) override
    {
        const std::lock_guard guard{mutex};
        ++looked_up;
        if (away) co_return fail(Errc::unavailable, "away");
        if (!kept.contains(id)) co_return fail(Errc::not_found, "no such node");
        co_return kept[id];
    }
    Task<NodeList> nodes(std::string zone, std::string after_id, std::int64_t limit) override
    {
        std::vector<NodeEntry> sorted;
        for (const auto& [id, entry] : kept) {
            if (zone.empty() || entry.zone == zone) sorted.push_back(entry);
        }
        std::ranges::sort(sorted, {}, [](const NodeEntry& entry) { return std::pair{entry.name, entry.id}; });
        const auto last = std::ranges::find(sorted, after_id, &NodeEntry::id);
        if (!after_id.empty() && last == sorted.end()) co_return fail(Errc::not_found, "no such node");
        if (last != sorted.end()) sorted.erase(sorted.begin(), last + 1);
        NodeList list{.nodes = std::move(sorted)};
        list.more = list.nodes.size() > static_cast<std::size_t>(limit);
        if (list.more) list.nodes.resize(static_cast<std::size_t>(limit));
        co_return list;
    }
    Task<> remove_node(std::string id, Actor actor) override
    {
        actors.push_back(actor);
        if (kept.erase(id) == 0) co_return fail(Errc::not_found, "no such node");
        co_return Result<>{};
    }
    Task<std::vector<NodeEntry>> forget_nodes(Micros certified_before, std::int64_t limit, Actor actor) override
    {
        actors.push_back(actor);
        const std::lock_guard guard{mutex};
        std::vector<NodeEntry> gone;
        for (const auto& [id, entry] : kept) {
            if (entry.certified_at < certified_before) gone.push_back(entry);
        }
        std::ranges::sort(gone, {}, &NodeEntry::certified_at);
        if (std::ssize(gone) > limit) gone.resize(static_cast<std::size_t>(limit));
        for (const auto& entry : gone) kept.erase(entry.id);
        co_return gone;
    }
    // Nobody falls silent.
    Task<std::vector<std::string>> meet(std::string endpoint, Micros) override
    {
        if (away) co_return fail(Errc::unavailable, "away");
        instances.insert(std::move(endpoint));
        co_return std::vector<std::string>(instances.begin(), instances.end());
    }
    Task<> part(std::string endpoint) override
    {
        instances.erase(endpoint);
        co_return Result<>{};
    }
};

// Hides nothing.
class PlainBox final : public SecretBox {
public:
    std::string seal(std::string_view secret, std::string_view) override { return std::string{secret}; }
    Result<std::string> open(std::string_view sealed, std::string_view) const override { return std::string{sealed}; }
};

// An administrator (1) and somebody (2), and a registry with the secrets of its swarm.
struct SwarmRegistry {
    static constexpr std::int64_t admin = 1;
    static constexpr std::int64_t somebody = 2;

    SwarmRegistry()
    {
        AccessChanges all;
        all.version = 1;
        all.complete = true;
        for (const auto id : {admin, somebody}) {
            PrincipalAccess principal;
            principal.id = id;
            all.principals.push_back(std::move(principal));
        }
        GrantEntry grant;
        grant.id = 1;
        grant.subject = {.kind = SubjectKind::principal, .id = admin};
        grant.role_id = role::platform_admin;
        grant.kind = ObjectKind::platform;
        all.platform_grants = {grant};
        policy.apply(std::move(all));
    }

    static Caller caller(std::int64_t id)
    {
        const Identity identity{.user_id = id, .name = id == admin ? "admin" : "somebody"};
        return {.identity = std::make_shared<const Identity>(identity), .scopes = nullptr};
    }

    FakeClock clock;
    SystemRandom random;
    AccessPolicy policy{ProjectCreation::admins, clock};
    MemoryNodes catalog;
    PlainBox box;
    std::shared_ptr<const SwarmSecrets> secrets = run_to_end(SwarmSecrets::open(catalog, box, random, clock)).value();
};

}  // namespace entrepot
