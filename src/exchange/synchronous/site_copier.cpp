#include "exchange/synchronous/site_copier.hpp"

#include "core/log.hpp"
#include "exchange/copy/artifact_copier.hpp"
#include "exchange/copy/at_once.hpp"
#include "exchange/copy/blob_copier.hpp"
#include "exchange/synchronous/upload_relay.hpp"

#include <algorithm>
#include <chrono>

namespace entrepot {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t blobs_at_once = 8;
constexpr std::size_t children_at_once = 4;
constexpr std::int64_t names_a_page = 100;
constexpr auto longest_blob = 24h;  // whoever waits for it has its own patience

// Somebody waits for the answer: what doesn't work soon is the catch-up's.
CopyOptions copy_options()
{
    CopyOptions options;
    options.with_referrers = false;  // they are pushed by themselves, and come by themselves
    options.first_chunk = options.longest_chunk;
    options.most_tries = 3;
    options.first_wait = 100ms;
    options.longest_wait = 1s;
    options.longest_rest = 5s;
    return options;
}

Result<RepositoryName> name_there(const SiteOrder& order, const RepositoryName& repository)
{
    return RepositoryName::parse(order.there + repository.text().substr(repository.project().size()));
}

std::string key_of(const SiteOrder& order)
{
    return std::to_string(order.project_id) + "|" + std::to_string(order.registry_id) + "|" +
           std::to_string(order.claim.epoch);
}

}  // namespace

SiteOrder order_of(const Synchronisation& project, const SynchronousSite& site)
{
    return {
        .project_id = project.project_id,
        .registry_id = site.registry_id,
        .registry = site.registry,
        .there = site.project,
        .claim = {.epoch = project.epoch, .home = project.home},
        .creator_id = project.creator_id,
        .took_part = site.took_part,
    };
}

Task<std::unique_ptr<SiteCopier::Trip>> SiteCopier::open(SiteOrder order)
{
    auto trip = std::make_unique<Trip>();
    CO_TRY(trip->there, co_await parts_.sites.open_as_home(order.registry_id, order.claim));
    trip->here = parts_.make_local(order.creator_id);
    CopyHooks hooks{
        .log = [](std::string) {},
        .halt = [this] { return stopping_ ? CopyHalt::now : CopyHalt::no; },
        .save = []() -> Task<> { co_return Result<>{}; },
    };
    const std::lock_guard lock{mutex_};
    auto& limit = limits_[order.registry_id];
    if (!limit) limit = std::make_shared<AdaptiveLimit>(AdaptiveLimit::Bounds{}, parts_.clock);
    trip->run.emplace(
        CopyRun::Parts{*trip->here, *trip->there, limit, parts_.clock, parts_.random},
        copy_options(),
        std::move(hooks),
        CopyLedger{}
    );
    co_return trip;
}

// Orders may be older than a change of the settings: a site that was dismissed since is not to be told again.
Task<> SiteCopier::check_home(const SiteOrder& order)
{
    const auto now = co_await parts_.catalog.members(order.project_id);
    if (!now && now.error().code() != Errc::not_found && now.error().code() != Errc::name_unknown) {
        co_return std::unexpected{now.error()};
    }
    const bool home = now && now->role == SiteRole::home && now->epoch == order.claim.epoch;
    if (home && std::ranges::any_of(now->sites, [&](const SynchronousSite& site) {
            return site.registry_id == order.registry_id && site.project == order.there;
        })) {
        co_return Result<>{};
    }
    co_return fail(Errc::cancelled, "the site is none of the project's sites any more");
}

Task<> SiteCopier::announce(SiteOrder order)
{
    {
        const std::lock_guard lock{mutex_};
        if (announced_.contains(key_of(order))) co_return Result<>{};
    }
    CO_CHECK(co_await check_home(order));
    auto told = co_await parts_.sites.announce(order.registry_id, order.there, order.claim);
    if (!told && told.error().code() == Errc::conflict) {
        CO_CHECK(co_await parts_.catalog.fence(
            order.project_id, order.claim.epoch, order.registry + ": " + told.error().message(), parts_.clock.now()
        ));
        CO_CHECK(co_await parts_.catch_up());
    }
    CO_CHECK(told);
    const std::lock_guard lock{mutex_};
    announced_.insert(key_of(order));
    co_return Result<>{};
}

// What a site refuses may be because it knows another home.
Task<> SiteCopier::judged(SiteOrder order, Result<> outcome)
{
    if (outcome) co_return outcome;
    const auto code = outcome.error().code();
    if (code != Errc::precondition_failed && code != Errc::denied && code != Errc::conflict) co_return outcome;
    {
        const std::lock_guard lock{mutex_};
        announced_.erase(key_of(order));
    }
    CO_CHECK(co_await announce(std::move(order)));
    co_return outcome;
}

Task<> SiteCopier::blob(SiteOrder order, RepositoryName repository, Descriptor blob)
{
    const auto sent = co_await Flights<bool>::wait(fly(order, repository, blob, nullptr), longest_blob);
    if (!sent) co_return fail(Errc::request_timeout, "the site takes the blob too slowly");
    if (!*sent) co_return std::unexpected{sent->error()};
    co_return Result<>{};
}

SiteCopier::BlobFlight SiteCopier::fly(
    const SiteOrder& order, const RepositoryName& repository, const Descriptor& blob, RelayedUploadPtr relayed
)
{
    const auto name = key_of(order) + "|" + repository.text() + "|" + blob.digest.text();
    return blobs_.begin(name, [this, order, repository, blob, relayed]() -> Task<bool> {
        CO_CHECK(co_await send_blob(order, repository, blob, relayed));
        co_return true;
    });
}

// `relayed`: the upload that has become the blob, where it was sent on.
Task<> SiteCopier::send_blob(SiteOrder order, RepositoryName repository, Descriptor blob, RelayedUploadPtr relayed)
{
    CO_CHECK(co_await announce(order));
    CO_TRY(const auto trip, co_await open(order));
    CO_TRY(auto into, name_there(order, repository));
    CO_CHECK(co_await trip->run->prepare(into));
    auto place = relayed ? co_await relayed->taken(order.registry_id) : std::string{};
    if (!place.empty()) trip->run->ledger().keep(into, blob.digest, std::move(place));
    BlobCopier copier{*trip->run, std::move(repository), std::move(into), std::move(blob)};
    co_return co_await copier();
}

SiteCopier::BlobFlight
SiteCopier::begin_blob(const SiteOrder& order, const RelayedUploadPtr& relayed, const Descriptor& blob)
{
    return fly(order, relayed->repository(), blob, relayed);
}

asio::awaitable<void> SiteCopier::follow(SiteOrder order, RelayedUploadPtr relayed, std::shared_ptr<UploadView> view)
{
    const auto site = order.registry_id;
    try {
        (void)co_await relay(std::move(order), relayed, std::move(view));
    } catch (const std::exception& thrown) {
        log::debug("sending a blob on ended", {{"error", thrown.what()}});
    }
    // Else the copy of the blob would wait for ever.
    relayed->hand_over(site, {});
}

Task<> SiteCopier::relay(SiteOrder order, RelayedUploadPtr relayed, std::shared_ptr<UploadView> view)
{
    CO_CHECK(co_await announce(order));
    CO_TRY(const auto trip, co_await open(order));
    CO_TRY(const auto into, name_there(order, relayed->repository()));
    CO_CHECK(co_await trip->run->prepare(into));
    UploadRelay relay{*trip->run, into, *relayed, *view, parts_.reading};
    auto place = co_await relay();
    relayed->hand_over(order.registry_id, place ? *std::move(place) : std::string{});
    co_return co_await relay.end();
}

Task<> SiteCopier::drop_rest(SiteOrder order, RelayedUploadPtr relayed, BlobFlight flight)
{
    (void)co_await Flights<bool>::wait(flight, longest_blob);
    auto place = co_await relayed->taken(order.registry_id);
    if (place.empty()) co_return Result<>{};
    CO_TRY(const auto trip, co_await open(order));
    CO_TRY(auto into, name_there(order, relayed->repository()));
    co_return co_await trip->there->cancel(std::move(into), std::move(place));
}

Task<> SiteCopier::content(SiteOrder order, CopiedPushPtr push)
{
    auto sent = co_await send_content(order, std::move(push));
    co_return co_await judged(std::move(order), std::move(sent));
}

Task<> SiteCopier::send_content(SiteOrder order, CopiedPushPtr push)
{
    CO_CHECK(co_await announce(order));
    CO_CHECK(co_await at_once(push->blobs.size(), blobs_at_once, [&](std::size_t index) {
        return blob(order, push->repository, push->blobs[index]);
    }));
    CO_TRY(const auto trip, co_await open(order));
    CO_TRY(const auto into, name_there(order, push->repository));
    CO_CHECK(co_await trip->run->prepare(into));
    CO_CHECK(co_await at_once(push->children.size(), children_at_once, [&](std::size_t index) -> Task<> {
        const Reference child{push->children[index].digest};
        ArtifactCopier copier{*trip->run, {.from = push->repository, .reference = child, .into = into}};
        const auto copied = co_await copier();
        // An index may come before what it lists, or without it.
        const bool lacks = !copied && is_unknown(copied.error().code());
        if (!copied && !lacks) co_return std::unexpected{copied.error()};
        co_return Result<>{};
    }));
    const CopiedManifest manifest{.digest = push->digest, .media_type = push->media_type, .bytes = push->bytes};
    co_return co_await trip->run->patiently([&] {
        return trip->there->push(into, Reference{manifest.digest}, manifest);
    });
}

Task<> SiteCopier::reference(SiteOrder order, RepositoryName repository, Reference reference)
{
    // Of two that bring one tag the later one sees what both have led to.
    const auto turn = co_await turns_.take(key_of(order) + "|" + repository.text() + "|" + reference.text());
    auto sent = co_await send_reference(order, repository, reference);
    if (!sent) {
        const auto& error = sent.error();
        LackingReference failed{.repository = repository.text(), .reference = reference.text()};
        failed.since = parts_.clock.now();
        failed.last_error = error.message();
        (void)co_await parts_.catalog.note_failure(order.project_id, order.registry_id, std::move(failed));
        co_return co_await judged(std::move(order), std::unexpected{error});
    }
    LackingReference held{.repository = repository.text(), .reference = reference.text(), .digest = *std::move(sent)};
    held.since = parts_.clock.now();
    co_return co_await parts_.catalog.settle(order.project_id, order.registry_id, std::move(held));
}

// Answers the digest, or nothing for what is gone.
Task<std::string> SiteCopier::send_reference(SiteOrder order, RepositoryName repository, Reference reference)
{
    CO_CHECK(co_await announce(order));
    CO_TRY(const auto trip, co_await open(order));
    CO_TRY(const auto into, name_there(order, repository));
    const auto here = co_await trip->here->look(repository, reference);
    if (!here && !is_unknown(here.error().code())) co_return std::unexpected{here.error()};
    if (!here) {
        const auto there = co_await trip->there->look(into, reference);
        if (!there && is_unknown(there.error().code())) co_return std::string{};
        const auto removed = co_await trip->there->remove(into, reference);
        if (!removed && !is_unknown(removed.error().code())) co_return std::unexpected{removed.error()};
        co_return std::string{};
    }
    CopyOrder copy{.from = repository, .reference = reference, .into = into};
    if (const auto* tag = reference.tag()) copy.tag = *tag;
    ArtifactCopier copier{*trip->run, std::move(copy)};
    CO_TRY(const auto copied, co_await copier());
    if (!copied.digest) co_return fail(Errc::unavailable, "nobody knows what the site holds now");
    co_return copied.digest->text();
}

Task<> SiteCopier::compare(SiteOrder order)
{
    CO_TRY(const auto site, co_await parts_.sites.open_as_home(order.registry_id, order.claim));
    PageRequest page{.limit = names_a_page, .last = {}};
    do {
        auto listed = co_await site->repositories(page);
        if (!listed && listed.error().code() == Errc::unsupported) co_return Result<>{};
        CO_TRY(auto names, std::move(listed));
        for (const auto& name : names.names) {
            if (!name.starts_with(order.there + "/")) continue;
            CO_TRY(auto there, RepositoryName::parse(name));
            CO_CHECK(co_await compare_tags(order, std::move(there)));
        }
        page.last = std::move(names.next);
    } while (!page.last.empty());
    co_return Result<>{};
}

Task<> SiteCopier::compare_tags(SiteOrder order, RepositoryName there)
{
    CO_TRY(const auto trip, co_await open(order));
    CO_TRY(const auto synchronisation, co_await parts_.catalog.members(order.project_id));
    CO_TRY(const auto here, RepositoryName::parse(synchronisation.project + there.text().substr(order.there.size())));
    PageRequest page{.limit = names_a_page, .last = {}};
    do {
        auto listed = co_await trip->there->tags(there, page);
        if (!listed && is_unknown(listed.error().code())) co_return Result<>{};
        CO_TRY(auto names, std::move(listed));
        std::vector<LackingReference> more;
        for (const auto& name : names.names) {
            CO_TRY(auto tag, Tag::parse(name));
            const auto known = co_await trip->here->look(here, Reference{std::move(tag)});
            if (known) continue;
            if (!is_unknown(known.error().code())) co_return std::unexpected{known.error()};
            more.push_back({.repository = here.text(), .reference = name, .digest = {}, .since = parts_.clock.now()});
        }
        if (!more.empty()) {
            CO_CHECK(co_await parts_.catalog.note_lacking(order.project_id, order.registry_id, std::move(more)));
        }
        page.last = std::move(names.next);
    } while (!page.last.empty());
    co_return Result<>{};
}

asio::awaitable<void> SiteCopier::drain()
{
    stopping_ = true;
    co_await blobs_.drain();
}

}  // namespace entrepot
