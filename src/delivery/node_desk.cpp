#include "delivery/node_desk.hpp"

#include "access/require.hpp"
#include "core/log.hpp"
#include "core/utf8.hpp"
#include "swarm/hex32.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

namespace entrepot {
namespace {

// Harbor's word for what distributes images between nodes, on the level of the whole installation.
constexpr std::string_view resource = "preheat-instance";
const Permission list_all = need(ObjectKind::platform, resource, "list");
const Permission create_tokens = need(ObjectKind::platform, resource, "create");
const Permission remove_any = need(ObjectKind::platform, resource, "delete");

constexpr std::uint32_t most_nodes = 1'000'000;
constexpr Micros longest_lifetime = 365LL * 24 * 3600 * 1'000'000;
constexpr std::size_t longest_description = 1024;  // bytes
constexpr std::size_t most_zones = 64;
constexpr std::int64_t most_listed = 1000;
constexpr std::size_t most_forgotten = 500;  // in one transaction

std::unexpected<Error> refuse_token(std::string why)
{
    return fail(Errc::unauthorized, "the token for nodes is not accepted", std::move(why));
}

bool is_missing(const Error& error) noexcept
{
    return error.code() == Errc::not_found;
}

// Once for each attempt, and of the token what is no secret.
void log_refusal(std::string_view token_id, const NodeAdmission& admission, std::string_view why)
{
    log::warning("a token for nodes was refused", {{"token", token_id}, {"node", admission.name}, {"why", why}});
}

Result<> check(const NewNodeToken& wanted)
{
    const auto refuse = [](std::string why) { return fail(Errc::bad_request, std::move(why)); };
    if (wanted.description.size() > longest_description || !is_plain_text(wanted.description))
        return refuse("a token's description is plain text of at most 1024 bytes");
    if (wanted.zones.size() > most_zones) return refuse("a token is for at most 64 zones, or for any");
    for (const auto& zone : wanted.zones) {
        if (zone.empty() || !is_zone_name(zone)) return refuse("a zone is plain text of 1 to 64 bytes");
    }
    if (std::set<std::string>(wanted.zones.begin(), wanted.zones.end()).size() != wanted.zones.size())
        return refuse("a token names each zone once");
    if (wanted.nodes == 0 || wanted.nodes > most_nodes) return refuse("a token brings 1 to 1000000 nodes");
    if (wanted.lifetime <= 0 || wanted.lifetime > longest_lifetime)
        return refuse("a token ends within a year of its creation");
    return {};
}

Result<> check_names(const NodeAdmission& admission)
{
    if (!is_node_name(admission.name)) return fail(Errc::bad_request, "this can't be the name of a node");
    if (!is_zone_name(admission.zone)) return fail(Errc::bad_request, "this can't be the name of a zone");
    return {};
}

// With none used: how many it has brought, the catalog compares when it counts, and one that came before is not counted
// again.
NodeTokenRecord record_of(const NodeTokenEntry& entry)
{
    return {
        .id = entry.id,
        .hash = entry.hash,
        .zones = entry.zones,
        .nodes = entry.nodes,
        .used = 0,
        .expires = entry.expires_at,
    };
}

}  // namespace

NodeDesk::NodeDesk(
    NodeCatalog& catalog,
    const AccessPolicy& policy,
    std::shared_ptr<const SwarmSecrets> secrets,
    Random& random,
    const Clock& clock
)
    : catalog_{catalog}, policy_{policy}, secrets_{std::move(secrets)}, random_{random}, clock_{clock}
{
}

Task<NodeDesk::MadeToken> NodeDesk::create_token(Caller caller, NewNodeToken wanted)
{
    CO_CHECK(require(policy_, caller, create_tokens, the_platform));
    CO_CHECK(check(wanted));
    const auto now = clock_.now();
    const auto token = NodeToken::make(random_);
    NodeTokenEntry entry{
        .id = std::string{token.id()},
        .hash = token.hash(),
        .description = std::move(wanted.description),
        .zones = std::move(wanted.zones),
        .nodes = wanted.nodes,
        .used = 0,
        .created_at = now,
        .expires_at = now + wanted.lifetime,
        .created_by = caller.identity->name,
    };
    const Actor actor{.user_id = caller.identity->user_id, .at = now};
    CO_CHECK(co_await catalog_.add_token(entry, actor));
    co_return MadeToken{.entry = std::move(entry), .text = token.text()};
}

Task<std::vector<NodeTokenEntry>> NodeDesk::tokens(Caller caller)
{
    CO_CHECK(require(policy_, caller, list_all, the_platform));
    co_return co_await catalog_.tokens();
}

Task<> NodeDesk::remove_token(Caller caller, std::string id)
{
    CO_CHECK(require(policy_, caller, remove_any, the_platform));
    if (!NodeToken::is_id(id)) co_return fail(Errc::not_found, "there is no such token");
    const Actor actor{.user_id = caller.identity->user_id, .at = clock_.now()};
    co_return co_await catalog_.remove_token(std::move(id), actor);
}

Task<NodeList> NodeDesk::nodes(Caller caller, std::string zone, std::string after_id, std::int64_t limit)
{
    CO_CHECK(require(policy_, caller, list_all, the_platform));
    if (!is_zone_name(zone)) co_return fail(Errc::bad_request, "this can't be the name of a zone");
    if (!after_id.empty() && !parse_hex32<NodeId>(after_id))
        co_return fail(Errc::bad_request, "a node's id has 64 hexadecimal digits");
    if (limit < 1 || limit > most_listed) co_return fail(Errc::bad_request, "a page has 1 to 1000 nodes");
    co_return co_await catalog_.nodes(std::move(zone), std::move(after_id), limit);
}

Task<> NodeDesk::remove_node(Caller caller, std::string id)
{
    CO_CHECK(require(policy_, caller, remove_any, the_platform));
    if (!parse_hex32<NodeId>(id)) co_return fail(Errc::not_found, "there is no such node");
    const Actor actor{.user_id = caller.identity->user_id, .at = clock_.now()};
    co_return co_await catalog_.remove_node(std::move(id), actor);
}

Task<std::vector<NodeEntry>> NodeDesk::forget(Micros silence)
{
    const auto now = clock_.now();
    std::vector<NodeEntry> gone;
    // Each time a transaction that others don't wait for long for.
    for (std::size_t last = most_forgotten; last == most_forgotten;) {
        CO_TRY(auto some, co_await catalog_.forget_nodes(now - silence, most_forgotten, {.user_id = 0, .at = now}));
        last = some.size();
        std::ranges::move(some, std::back_inserter(gone));
    }
    co_return gone;
}

Task<NodeCertificate> NodeDesk::admit(std::string token, NodeAdmission admission, std::string request)
{
    CO_CHECK(check_names(admission));
    // Nobody becomes a seed by asking.
    admission.seed = false;
    const auto shown = NodeToken::parse(token);
    OPENSSL_cleanse(token.data(), token.size());
    if (!shown) {
        log_refusal("", admission, "malformed");
        co_return refuse_token("malformed");
    }
    auto certified = co_await admit_by(*shown, admission, std::move(request));
    if (!certified && certified.error().code() == Errc::unauthorized)
        log_refusal(shown->id(), admission, certified.error().detail());
    co_return certified;
}

Task<NodeCertificate> NodeDesk::admit_by(NodeToken shown, NodeAdmission admission, std::string request)
{
    const auto entry = co_await catalog_.token(std::string{shown.id()});
    if (!entry && is_missing(entry.error())) co_return refuse_token("there is no such token");
    if (!entry) co_return std::unexpected{entry.error()};
    const auto now = clock_.now();
    CO_CHECK(check_node_token(shown, record_of(*entry), admission.zone, now));
    CO_TRY(auto certificate, secrets_->authority().issue(request, admission, random_, now));
    NodeEntry node{
        .id = hex_of(certificate.identity.id),
        .name = admission.name,
        .zone = admission.zone,
        .token_id = entry->id,
        .admitted_at = now,
        .certified_at = now,
        .expires_at = certificate.ends,
    };
    const auto admitted = co_await catalog_.admit(std::move(node));
    if (!admitted && is_missing(admitted.error())) co_return refuse_token("there is no such token any more");
    if (!admitted && admitted.error().code() == Errc::conflict) {
        co_return refuse_token("it has brought all of its nodes");
    }
    if (!admitted) co_return std::unexpected{admitted.error()};
    co_return certificate;
}

Task<NodeCertificate> NodeDesk::renew(NodeIdentity node, std::string request)
{
    const auto removed = [] { return fail(Errc::denied, "this node does not belong to the swarm any more"); };
    auto entry = co_await catalog_.node(hex_of(node.id));
    if (!entry && is_missing(entry.error())) co_return removed();
    if (!entry) co_return std::unexpected{std::move(entry).error()};
    const auto now = clock_.now();
    const NodeAdmission admission{.name = entry->name, .zone = entry->zone};
    CO_TRY(auto certificate, secrets_->authority().issue(request, admission, random_, now));
    if (certificate.identity.id != node.id) co_return fail(Errc::denied, "a node keeps its key, or comes anew");
    const auto renewed = co_await catalog_.renew(entry->id, now, certificate.ends);
    if (!renewed && is_missing(renewed.error())) co_return removed();
    if (!renewed) co_return std::unexpected{renewed.error()};
    co_return certificate;
}

Task<NodeEntry> NodeDesk::node(NodeId id)
{
    return catalog_.node(hex_of(id));
}

}  // namespace entrepot
