#include "delivery/preheat_desk.hpp"

#include "access/id_lists.hpp"
#include "access/require.hpp"
#include "delivery/preheat_selection.hpp"
#include "oci/json_fields.hpp"
#include "oci/manifest.hpp"
#include "oci/platform.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace entrepot {
namespace {

constexpr std::string_view on_platform = "preheat-instance";
constexpr std::string_view in_project = "preheat-policy";
const Permission pull_images = need(ObjectKind::project, "repository", "pull");
const Permission read_repositories = need(ObjectKind::project, "repository", "read");

constexpr std::string_view default_platform = "linux/amd64";
constexpr std::int64_t nodes_at_once = 1000;

std::unexpected<Error> no_such_preheat()
{
    return fail(Errc::not_found, "there is no such preheat");
}

Result<> require_somebody(const Caller& caller)
{
    if (!caller.identity->anonymous()) return {};
    return fail(Errc::unauthorized, "authentication required");
}

Result<Digest> child_for(std::string_view index, std::string_view platform)
{
    const auto document = parse_object(index);
    const auto* list = document ? find_array(*document, "manifests") : nullptr;
    if (list == nullptr) return fail(Errc::manifest_invalid, "the index lists no manifests");
    for (const auto& entry : *list) {
        const auto* child = entry.if_object();
        const auto* of = child == nullptr ? nullptr : find_object(*child, "platform");
        if (of != nullptr && is_of_platform(platform_in(*of), platform))
            return Digest::parse(find_text(*child, "digest"));
    }
    return fail(Errc::bad_request, "the index has no image for " + std::string{platform});
}

// Of the config and all layers, each once.
Result<std::int64_t> bytes_of(const StoredManifest& stored)
{
    TRY(auto manifest, Manifest::parse(stored.media_type, stored.bytes));
    if (manifest.config) manifest.layers.push_back(*std::move(manifest.config));
    std::set<Digest> seen;
    std::int64_t bytes = 0;
    for (const auto& blob : manifest.layers) {
        if (seen.insert(blob.digest).second) bytes += static_cast<std::int64_t>(blob.size);
    }
    if (seen.empty()) return fail(Errc::unsupported, "this is no image: it has no blobs");
    return bytes;
}

}  // namespace

PreheatDesk::PreheatDesk(
    PreheatCatalog& catalog,
    NodeCatalog& nodes,
    ManifestCatalog& manifests,
    const AccessPolicy& policy,
    const Clock& clock,
    std::function<void()> hurry
)
    : catalog_{catalog}, nodes_{nodes}, manifests_{manifests}, policy_{policy}, clock_{clock}, hurry_{std::move(hurry)}
{
}

bool PreheatDesk::may(const Caller& caller, const PreheatEntry& entry, std::string_view action) const
{
    if (policy_.may(caller, need(ObjectKind::platform, on_platform, action), the_platform)) return true;
    const ObjectRef project{.kind = ObjectKind::project, .id = entry.project_id, .name = {}};
    return policy_.may(caller, need(ObjectKind::project, in_project, action), project);
}

// What may be read of which projects: what a preheat says of a repository is for who may see that.
AccessPolicy::Ids PreheatDesk::readable(const Caller& caller) const
{
    const auto repositories =
        ids_in_either(policy_.projects_with(caller, pull_images), policy_.projects_with(caller, read_repositories));
    if (policy_.may(caller, need(ObjectKind::platform, on_platform, "list"), the_platform)) return repositories;
    return ids_in_both(repositories, policy_.projects_with(caller, need(ObjectKind::project, in_project, "list")));
}

// The rights come first: whoever has none learns nothing of what is there.
Task<PreheatEntry> PreheatDesk::create(Caller caller, NewPreheat wanted)
{
    CO_CHECK(require_somebody(caller));
    PreheatEntry preheat;
    const auto project = policy_.project(wanted.repository.project());
    if (project) preheat.project_id = project->id;
    if (!policy_.may(caller, wanted.repository.text(), Action::pull) || !may(caller, preheat, "create")) {
        co_return fail(
            Errc::denied,
            "this takes the right to pull the image, and preheat-instance:create or, in its project, "
            "preheat-policy:create"
        );
    }
    if (!project) co_return fail(Errc::name_unknown, "repository name not known to the registry");
    CO_CHECK(check_selection(wanted.selection));
    if (wanted.platform.size() > longest_platform) co_return fail(Errc::bad_request, "this can't be a platform");
    if (wanted.rate < 0) co_return fail(Errc::bad_request, "a rate is a number of bytes a second, 0 for no limit");
    const auto now = clock_.now();
    preheat.deadline = wanted.deadline != 0 ? wanted.deadline : now + wanted.lifetime;
    if (preheat.deadline <= now) co_return fail(Errc::bad_request, "the deadline has passed");
    if (preheat.deadline > now + longest_lifetime)
        co_return fail(Errc::bad_request, "the deadline is within 30 days from now");
    auto looking = image_of(wanted.repository, wanted.reference, std::move(wanted.platform));
    CO_TRY(auto image, co_await std::move(looking));
    CO_TRY(const auto running, co_await catalog_.running());
    if (running.size() >= most_running) co_return fail(Errc::conflict, "too many preheats run: 256");
    preheat.repository = wanted.repository.text();
    preheat.reference = wanted.reference.text();
    preheat.platform = std::move(image.platform);
    preheat.digest = std::move(image.digest);
    preheat.bytes = image.bytes;
    preheat.selection = std::move(wanted.selection);
    preheat.rate = wanted.rate;
    preheat.owner_id = caller.identity->user_id;
    preheat.access_token_id = caller.access_token_id;
    preheat.created_at = now;
    CO_TRY(const auto all, co_await certified_nodes(now));
    auto ids = chosen_nodes(preheat.selection, selection_seed(preheat), all);
    if (ids.empty()) co_return fail(Errc::bad_request, "no node of the swarm is meant by this");
    const Actor actor{.user_id = caller.identity->user_id, .at = now};
    auto adding = catalog_.add(std::move(preheat), std::move(ids), actor);
    CO_TRY(const auto id, co_await std::move(adding));
    if (hurry_) hurry_();
    co_return co_await catalog_.find(id);
}

Task<PreheatDesk::Image> PreheatDesk::image_of(RepositoryName repository, Reference reference, std::string platform)
{
    CO_TRY(auto manifest, co_await manifests_.load(repository, std::move(reference)));
    Image image;
    if (media::is_index(manifest->media_type)) {
        image.platform = platform.empty() ? std::string{default_platform} : std::move(platform);
        CO_TRY(auto child, child_for(manifest->bytes, image.platform));
        const Reference of_platform{std::move(child)};
        CO_TRY(manifest, co_await manifests_.load(std::move(repository), of_platform));
    }
    CO_TRY(image.bytes, bytes_of(*manifest));
    if (manifest->digest.algorithm() != DigestAlgorithm::sha256)
        co_return fail(Errc::unsupported, "an image whose digest is not of sha256 is not shared between nodes");
    image.digest = manifest->digest.text();
    co_return image;
}

// A node whose certificate has ended has been away for a day, and comes with another when it comes.
Task<std::vector<NodeEntry>> PreheatDesk::certified_nodes(Micros now)
{
    std::vector<NodeEntry> all;
    std::string after;
    for (;;) {
        CO_TRY(auto page, co_await nodes_.nodes({}, after, nodes_at_once));
        if (page.nodes.empty()) break;
        after = page.nodes.back().id;
        for (auto& node : page.nodes) {
            if (node.expires_at > now) all.push_back(std::move(node));
        }
        if (!page.more) break;
    }
    co_return all;
}

Task<ListPage<PreheatEntry>> PreheatDesk::list(Caller caller, ListQuery query)
{
    CO_CHECK(require_somebody(caller));
    auto projects = readable(caller);
    const bool none = projects && projects->empty();
    if (none && !policy_.may(caller, need(ObjectKind::platform, on_platform, "list"), the_platform))
        co_return fail(Errc::denied, "this takes preheat-instance:list or, in a project, preheat-policy:list");
    co_return co_await catalog_.list(std::move(projects), std::move(query));
}

Task<PreheatEntry> PreheatDesk::find(Caller caller, std::int64_t id)
{
    CO_CHECK(require_somebody(caller));
    auto preheat = co_await catalog_.find(id);
    if (!preheat) co_return preheat;
    const ObjectRef project{.kind = ObjectKind::project, .id = preheat->project_id, .name = {}};
    const bool sees =
        policy_.may(caller, preheat->repository, Action::pull) || policy_.may(caller, read_repositories, project);
    if (!sees || !may(caller, *preheat, "read")) co_return no_such_preheat();
    co_return preheat;
}

Task<ListPage<PreheatNode>> PreheatDesk::nodes(Caller caller, std::int64_t id, ListQuery query)
{
    CO_CHECK(co_await find(std::move(caller), id));
    co_return co_await catalog_.nodes(id, std::move(query));
}

Task<PreheatEntry> PreheatDesk::cancel(Caller caller, std::int64_t id)
{
    CO_TRY(auto preheat, co_await find(caller, id));
    if (!may(caller, preheat, "delete"))
        co_return fail(Errc::denied, "this takes preheat-instance:delete or, in the project, preheat-policy:delete");
    const Actor actor{.user_id = caller.identity->user_id, .at = clock_.now()};
    CO_TRY(const bool ended, co_await catalog_.end(id, PreheatStage::cancelled, {}, actor));
    if (!ended) co_return fail(Errc::conflict, "the preheat has ended");
    if (hurry_) hurry_();
    co_return preheat;
}

}  // namespace entrepot
