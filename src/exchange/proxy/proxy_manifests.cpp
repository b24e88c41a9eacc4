#include "exchange/proxy/proxy_manifests.hpp"

#include "core/log.hpp"
#include "oci/artifact_view.hpp"

namespace entrepot {
namespace {

using namespace std::chrono_literals;

constexpr auto budget = 2s;         // for a look at the upstream when there is something here to answer with
constexpr auto longest_wait = 60s;  // when there is nothing
constexpr auto config_patience = 10s;
constexpr std::size_t largest_manifest = 16 << 20;

std::string flight_name(const RepositoryName& repository, const Reference& reference)
{
    return repository.text() + (reference.digest() != nullptr ? "@" : ":") + reference.text();
}

// What the bytes are taken for. A page of HTML is no manifest, however politely it is sent.
Result<std::string> type_of(const CopiedManifest& came, bool by_digest)
{
    if (by_digest || Manifest::is_understood(came.media_type)) return came.media_type;
    auto within = media_type_within(came.bytes);
    if (Manifest::is_understood(within)) return within;
    return fail(Errc::manifest_invalid, "it sends no manifest but " + came.media_type.substr(0, 80));
}

}  // namespace

bool ProxyManifests::is_fresh(const ProxySettings& settings, const RepositoryName& repository, const Tag& tag) const
{
    if (settings.freshness == Freshness::local_first) return true;
    if (settings.freshness == Freshness::always) return false;
    const auto known = book_.find(repository, tag.text());
    return known && !known->missing && needs_.clock.now() - known->checked_at < settings.ttl;
}

Task<ManifestPtr> ProxyManifests::bring(OpenProxyPtr proxy, RepositoryName repository, Reference reference)
{
    CO_TRY(auto upstream, upstream_name(*proxy, repository));
    Wish wish{std::move(proxy), std::move(repository), std::move(upstream), std::move(reference)};
    CO_TRY(wish.here, co_await here(wish));
    auto brought = wish.reference.digest() != nullptr ? co_await bring_digest(wish) : co_await bring_tag(wish);
    if (!brought) {
        const bool missing = is_unknown(brought.error().code());
        needs_.counters.count(missing ? ProxyResult::not_found : ProxyResult::error);
        co_return std::unexpected{told_of(*wish.proxy->upstream, brought.error())};
    }
    if (*brought) needs_.counters.count(ProxyResult::passed);
    co_return brought;
}

Task<std::optional<Digest>> ProxyManifests::here(const Wish& wish)
{
    auto found = needs_.manifests.peek(wish.repository, wish.reference);
    if (found) co_return (*found)->digest;
    const auto loaded = co_await needs_.manifests.load(wish.repository, wish.reference);
    if (loaded) co_return (*loaded)->digest;
    if (!is_unknown(loaded.error().code())) co_return std::unexpected{loaded.error()};
    co_return std::nullopt;
}

Task<ManifestPtr> ProxyManifests::bring_digest(Wish wish)
{
    if (wish.here) {
        needs_.counters.count(ProxyResult::hit);
        co_return ManifestPtr{};
    }
    const auto outcome = co_await Flights<ManifestPtr>::wait(start(wish), longest_wait);
    if (!outcome) co_return fail(Errc::unavailable, "it is slow, try again");
    if (*outcome) needs_.counters.count(ProxyResult::miss);
    co_return *outcome;
}

Task<ManifestPtr> ProxyManifests::bring_tag(Wish wish)
{
    CO_TRY(const bool fresh, co_await fresh_here(wish));
    if (fresh) {
        needs_.counters.count(ProxyResult::hit);
        co_return ManifestPtr{};
    }
    const auto& settings = wish.proxy->settings;
    // Seen by an earlier look, which nobody waited for.
    if (wish.here && !settings.local_on_not_found && is_known_missing(wish)) {
        co_return fail(Errc::manifest_unknown, "the upstream registry has no such manifest");
    }
    const auto flight = start(wish);
    const bool may_wait = !wish.here || settings.freshness != Freshness::stale_while_revalidate;
    const auto outcome = co_await Flights<ManifestPtr>::wait(
        flight,
        !wish.here ? longest_wait
        : may_wait ? budget
                   : 0s
    );
    if (outcome && *outcome) {
        needs_.counters.count(wish.here ? ProxyResult::revalidated : ProxyResult::miss);
        co_return *outcome;
    }
    const bool missing = outcome && is_unknown(outcome->error().code());
    if (wish.here && (!missing || settings.local_on_not_found)) {
        needs_.counters.count(ProxyResult::stale);
        co_return ManifestPtr{};
    }
    if (!outcome) co_return fail(Errc::unavailable, "it is slow, try again");
    co_return *outcome;
}

// Also what other instances saw, and what was seen before a restart.
Task<bool> ProxyManifests::fresh_here(const Wish& wish)
{
    const auto& settings = wish.proxy->settings;
    const auto& tag = *wish.reference.tag();
    if (!wish.here || settings.freshness == Freshness::always) co_return false;
    if (is_fresh(settings, wish.repository, tag)) co_return true;
    CO_TRY(const auto row, co_await needs_.catalog.cached_tag(wish.repository, tag));
    if (!row || row->digest != wish.here->text()) co_return false;
    if (needs_.clock.now() - row->checked_at >= settings.ttl) co_return false;
    book_.note(wish.repository, tag.text(), {.checked_at = row->checked_at});
    co_return true;
}

Flights<ManifestPtr>::FlightPtr ProxyManifests::start(const Wish& wish)
{
    return flights_.begin(flight_name(wish.repository, wish.reference), [this, wish] { return fetch(wish); });
}

bool ProxyManifests::is_known_missing(const Wish& wish) const
{
    const auto known = book_.find(wish.repository, wish.reference.text());
    return known && known->missing && needs_.clock.now() - known->checked_at < wish.proxy->settings.negative_ttl;
}

Task<ManifestPtr> ProxyManifests::fetch(Wish wish)
{
    const auto& settings = wish.proxy->settings;
    if (is_known_missing(wish)) {
        co_return fail(Errc::manifest_unknown, "the upstream registry has no such manifest");
    }
    if (!settings.allows(wish.upstream.text())) {
        co_return fail(Errc::denied, "this proxy cache does not serve " + wish.upstream.text());
    }
    // Where something is here, a look says whether it is the same, and costs less.
    auto from = wish.reference;
    if (wish.here) {
        const auto head = co_await needs_.desk.ask(wish.proxy, [&wish](CopySite& site) {
            return site.look(wish.upstream, wish.reference);
        });
        if (!head && is_unknown(head.error().code())) {
            book_.note(wish.repository, wish.reference.text(), {needs_.clock.now(), true});
        }
        if (!head) co_return std::unexpected{head.error()};
        if (head->digest == *wish.here) {
            CO_CHECK(co_await seen(wish, head->digest.text()));
            co_return ManifestPtr{};
        }
        from = Reference{head->digest};
    }
    co_return co_await fetch_from(std::move(wish), std::move(from));
}

Task<ManifestPtr> ProxyManifests::fetch_from(Wish wish, Reference reference)
{
    const auto ask = [&wish, &reference](CopySite& site) { return site.manifest(wish.upstream, reference); };
    auto came = co_await needs_.desk.ask(wish.proxy, ask);
    if (!came && is_unknown(came.error().code())) {
        book_.note(wish.repository, wish.reference.text(), {needs_.clock.now(), true});
    }
    if (!came) co_return std::unexpected{came.error()};
    if (came->bytes.size() > largest_manifest) co_return fail(Errc::manifest_invalid, "its manifest is too large");
    // Whoever has it must not be believed.
    const auto actual = digest_of(came->bytes, came->digest.algorithm());
    if (actual != came->digest || (reference.digest() != nullptr && actual != *reference.digest())) {
        co_return fail(Errc::digest_mismatch, "it sends another manifest than " + reference.text());
    }
    wish.proxy->upstream->bytes += came->bytes.size();
    co_return co_await keep(wish, *std::move(came));
}

Task<ManifestPtr> ProxyManifests::keep(const Wish& wish, CopiedManifest came)
{
    CO_TRY(auto type, type_of(came, wish.reference.digest() != nullptr));
    CO_TRY(auto manifest, Manifest::parse(type, came.bytes));
    const auto config = co_await config_of(wish, manifest);
    NewManifest record{
        .repository = wish.repository,
        .digest = came.digest,
        .bytes = came.bytes,
        .manifest = manifest,
        .tags = {},
        .actor = {.user_id = 0, .at = needs_.clock.now(), .via = Via::copy},
        .view = view_of(manifest, came.bytes, config),
        .may_lack_blobs = true,
    };
    if (const auto* tag = wish.reference.tag()) record.tags.push_back(*tag);
    const auto committed = co_await needs_.manifests.commit(std::move(record));
    const auto code = committed ? Errc::internal : committed.error().code();
    if (committed || code == Errc::precondition_failed) {
        // An immutable tag stays what it is here, and is not asked for again until its time has passed.
        CO_CHECK(co_await seen(wish, committed || !wish.here ? came.digest.text() : wish.here->text()));
        co_return ManifestPtr{};
    }
    if (code != Errc::quota_exceeded && code != Errc::storage_full) co_return std::unexpected{committed.error()};
    auto passed = std::make_shared<StoredManifest>(
        StoredManifest{.digest = came.digest, .media_type = std::move(type), .bytes = std::move(came.bytes)}
    );
    co_return ManifestPtr{std::move(passed)};
}

// For what lists show; a manifest without it is no worse for pulls.
asio::awaitable<std::optional<std::string>> ProxyManifests::config_of(const Wish& wish, const Manifest& manifest)
{
    if (!wants_config(manifest) || manifest.config->size > ArtifactView::largest_config) co_return std::nullopt;
    const auto& digest = manifest.config->digest;
    const auto fetch = co_await needs_.blobs.fetch(wish.proxy, wish.repository, digest, manifest.config->size);
    if (!fetch) co_return std::nullopt;
    const auto stored = co_await (*fetch)->stored(config_patience);
    if (!stored || !*stored) co_return std::nullopt;
    const auto content = co_await needs_.bytes.load(digest);
    if (!content || !content->bytes) co_return std::nullopt;
    co_return *content->bytes;
}

Task<> ProxyManifests::seen(const Wish& wish, std::string digest)
{
    const auto* tag = wish.reference.tag();
    if (tag == nullptr) co_return Result<>{};
    const auto now = needs_.clock.now();
    book_.note(wish.repository, tag->text(), {.checked_at = now});
    co_return co_await needs_.catalog.note_tag(wish.repository, *tag, {.digest = std::move(digest), .checked_at = now});
}

}  // namespace entrepot
