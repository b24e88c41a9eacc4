#include "exchange/proxy/proxy_blobs.hpp"

#include "core/log.hpp"
#include "core/pause.hpp"
#include "exchange/proxy/fetch_run.hpp"
#include "oci/hasher.hpp"

#include <algorithm>

#include <unistd.h>

// Who fetches, and who waits for it: claims, turns and what came of it. fetch_blob.cpp is the fetch itself.
namespace entrepot {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t most_failures_kept = 10'000;
constexpr std::int64_t most_siblings = 16;
constexpr int most_turns = 50;  // that a claim is waited for
constexpr auto between_looks = 100ms;
constexpr auto longest_wait = 60s;  // for a turn

constexpr auto between_beats = 500ms;
constexpr std::size_t hashed_at_once = 4ULL << 20;

// Worth remembering: it would be the same a moment later.
bool is_about_the_blob(Errc code) noexcept
{
    return code == Errc::blob_unknown || code == Errc::name_unknown || code == Errc::not_found ||
           code == Errc::digest_mismatch || code == Errc::denied;
}

std::string failure_key(const RepositoryName& repository, const Digest& digest)
{
    return repository.text() + "@" + digest.text();
}

}  // namespace

Result<RepositoryName> upstream_name(const OpenProxy& proxy, const RepositoryName& repository)
{
    const auto slash = repository.text().find('/');
    if (slash == std::string::npos) return fail(Errc::name_unknown, "a proxy cache has no repository of this name");
    auto name = repository.text().substr(slash + 1);
    if (proxy.type == "docker-hub" && name.find('/') == std::string::npos) name = "library/" + name;
    return RepositoryName::parse(name);
}

ProxyBlobs::ProxyBlobs(Needs needs, asio::io_context& loop, Options options)
    : needs_{needs}, loop_{loop}, options_{options}, owner_{needs.random.hex(8)}
{
}

Task<BlobFetchPtr>
ProxyBlobs::fetch(OpenProxyPtr proxy, RepositoryName repository, Digest digest, std::optional<std::uint64_t> size)
{
    CO_TRY(auto upstream, upstream_name(*proxy, repository));
    if (!proxy->settings.allows(upstream.text())) {
        co_return fail(Errc::denied, "this proxy cache does not serve " + upstream.text());
    }
    if (auto failure = failed_lately(failure_key(repository, digest))) co_return std::unexpected{*std::move(failure)};
    const Key key{proxy->project_id, digest.text()};
    auto run = std::make_shared<Run>(Run{
        .proxy = proxy,
        .upstream = std::move(upstream),
        .fetch = std::make_shared<BlobFetch>(repository, digest),
        .size = size,
        .claim = {.project_id = proxy->project_id, .digest = digest, .repository = repository.text(), .owner = owner_},
        .session = {.id = {}, .repository = repository},
    });
    const auto until = std::chrono::steady_clock::now() + longest_wait;
    for (auto left = longest_wait + 0ns; left > 0ns; left = until - std::chrono::steady_clock::now()) {
        std::shared_ptr<BlobFetch> other;
        {
            const std::lock_guard guard{mutex_};
            auto& place = running_[key];
            if (!place) {
                place = run->fetch;
                if (tasks_.spawn(loop_.get_executor(), this->run(run))) {
                    (void)tasks_.spawn(loop_.get_executor(), keep_claim(run));
                    co_return run->fetch;
                }
                running_.erase(key);
                co_return fail(Errc::unavailable, "the registry is stopping");
            }
            if (place->repository() == repository) co_return place;
            other = place;
        }
        // The same bytes for a repository besides: they can be linked when they are here.
        (void)co_await other->stored(left);
    }
    co_return fail(Errc::unavailable, "this blob is being fetched for another repository, try again");
}

asio::awaitable<void> ProxyBlobs::run(std::shared_ptr<Run> run)
{
    Result<bool> outcome = fail(Errc::cancelled, "the registry is stopping");
    try {
        outcome = co_await bring(*run);
    } catch (const boost::system::system_error& thrown) {
        if (thrown.code() != asio::error::operation_aborted)
            outcome = fail(Errc::internal, "a fetch threw", thrown.what());
    } catch (const std::exception& thrown) {
        outcome = fail(Errc::internal, "a fetch threw", thrown.what());
    }
    run->over = true;
    run->upload.reset();
    run->source.reset();
    const auto code = outcome ? Errc::internal : outcome.error().code();
    if (code == Errc::cancelled || code == Errc::conflict) {
        outcome = fail(Errc::unavailable, "the fetch was interrupted, try again");
    } else if (!outcome) {
        const auto reason = outcome.error().code();
        outcome = std::unexpected{told_of(*run->proxy->upstream, outcome.error())};
        if (is_about_the_blob(reason)) remember_failure(*run, outcome.error());
        log::failure(log::Level::warning, "fetching " + run->digest().text(), outcome.error());
    }
    {
        const std::lock_guard guard{mutex_};
        running_.erase({run->proxy->project_id, run->digest().text()});
    }
    run->fetch->end(std::move(outcome));
}

// While the upstream says nothing, too. On the loop of fetches, so never beside it.
asio::awaitable<void> ProxyBlobs::keep_claim(std::shared_ptr<Run> run)
{
    try {
        while (!run->over && !run->lost) {
            if (run->owns) (void)co_await hold_claim(*run);
            co_await pause(std::min<std::chrono::steady_clock::duration>(
                between_beats, std::chrono::microseconds{options_.lease / 3}
            ));
        }
    } catch (const boost::system::system_error&) {
        // The registry is stopping; the claim is for another instance to take over.
        co_return;
    }
}

// Takes part in what the proxy may have under way at once.
class ProxyBlobs::Turn {
public:
    Turn(std::shared_ptr<Lanes> lanes, std::int64_t project) : lanes_{std::move(lanes)}, project_{project}
    {
        ++lanes_->traffic[project_].fetches;
    }
    ~Turn()
    {
        --lanes_->traffic[project_].fetches;
        lanes_->turns.ring();
    }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

private:
    const std::shared_ptr<Lanes> lanes_;
    const std::int64_t project_;
};

Task<> ProxyBlobs::wait_for_turn(const OpenProxy& proxy)
{
    const auto lanes = lanes_;
    const auto until = std::chrono::steady_clock::now() + longest_wait;
    for (;;) {
        const auto heard = lanes->turns.rung();
        if (lanes->traffic[proxy.project_id].fetches < proxy.settings.fetches_at_once) co_return Result<>{};
        const auto left = until - std::chrono::steady_clock::now();
        if (left <= 0s) co_return fail(Errc::too_many_requests, "too many blobs are being fetched for this project");
        co_await lanes->turns.wait(heard, left);
    }
}

Task<bool> ProxyBlobs::bring(Run& run)
{
    CO_CHECK(co_await wait_for_turn(*run.proxy));
    const Turn turn{lanes_, run.proxy->project_id};
    CO_TRY(const bool linked, co_await linked_from_sibling(run));
    if (linked) co_return true;
    for (int turns = 0; turns < most_turns; ++turns) {
        const auto now = needs_.clock.now();
        run.claim.owner = owner_;
        run.claim.repository = run.repository().text();
        run.claim.expires_at = now + options_.lease;
        // With nobody else there, whoever has a claim died with it.
        CO_TRY(run.claim, co_await needs_.catalog.claim(run.claim, options_.alone ? INT64_MAX : now));
        run.claimed_at = needs_.clock.steady();
        if (run.claim.owner == owner_) co_return co_await own(run);
        CO_TRY(const bool arrived, co_await follow(run));
        if (arrived) co_return !run.passed;
    }
    co_return fail(Errc::unavailable, "another instance fetches this blob, try again");
}

Task<bool> ProxyBlobs::own(Run& run)
{
    run.owns = true;
    // Another fetch may have ended between the look for the blob and the claim.
    auto stored = co_await is_here(run);
    if (stored && !*stored) stored = co_await transfer(run);
    run.owns = false;
    // To another instance, with its upload.
    const auto code = stored ? Errc::internal : stored.error().code();
    const bool lost = code == Errc::cancelled || code == Errc::conflict;
    if (!stored && !lost) CO_CHECK(co_await drop_upload(run));
    if (!lost) (void)co_await needs_.catalog.release(run.claim);
    co_return stored;
}

// Another instance fetches it: read along where the store is shared, and see how it ends. False: claim it again.
Task<bool> ProxyBlobs::follow(Run& run)
{
    const auto theirs = run.claim;
    std::shared_ptr<UploadView> watched;
    std::uint64_t size = 0;
    for (;;) {
        CO_TRY(const auto standing, co_await needs_.catalog.standing(theirs.project_id, theirs.digest));
        if (!standing) co_return co_await ended(run, watched.get(), size);
        const bool same = standing->fence == theirs.fence && standing->owner == theirs.owner;
        if (!same || standing->expires_at < needs_.clock.now()) co_return false;
        if (!watched && !standing->place.empty() && standing->repository == run.repository().text()) {
            auto view = co_await needs_.views.view(UploadId{standing->place});
            if (view) {
                watched = *std::move(view);
                size = standing->size;
                run.fetch->arrives(watched, size);
            }
        }
        run.fetch->progressed(needs_.clock.steady());
        co_await pause(between_looks);
    }
}

// Their claim is gone. What was read along is only theirs if it has the digest: they may have begun anew meanwhile.
Task<bool> ProxyBlobs::ended(Run& run, UploadView* watched, std::uint64_t size)
{
    CO_TRY(const bool here, co_await is_here(run));
    if (watched != nullptr) {
        CO_TRY(const bool whole, co_await is_whole(run, *watched, size));
        if (whole) run.fetch->verified();
        if (whole && !here) run.passed = true;
        if (whole) co_return true;
    }
    if (here) co_return true;
    co_return co_await linked_from_sibling(run);
}

// Some megabytes at a time, between which other fetches go on.
Task<bool> ProxyBlobs::is_whole(const Run& run, UploadView& view, std::uint64_t size)
{
    if (size == 0 || view.written() != size) co_return false;
    Hasher hasher{run.digest().algorithm()};
    std::string room(hashed_at_once, '\0');
    for (std::uint64_t offset = 0; offset < size;) {
        const auto length = std::min<std::uint64_t>(size - offset, room.size());
        CO_TRY(const auto part, view.part(offset, length));
        std::string_view bytes;
        if (part.bytes) {
            bytes = *part.bytes;
        } else {
            const auto count = ::pread(part.file->descriptor(), room.data(), length, static_cast<off_t>(offset));
            if (count <= 0) co_return false;
            bytes = std::string_view{room}.substr(0, static_cast<std::size_t>(count));
        }
        hasher.update(as_bytes(bytes));
        offset += bytes.size();
        co_await pause(0ns);
    }
    co_return hasher.digest() == run.digest();
}

Task<bool> ProxyBlobs::is_here(const Run& run)
{
    const auto linked = co_await needs_.links.load(run.repository(), run.digest());
    if (!linked && linked.error().code() != Errc::blob_unknown) co_return std::unexpected{linked.error()};
    if (!linked) co_return false;
    co_return (co_await needs_.store.confirm(run.digest())).has_value();
}

// What another repository of the project has, once the upstream has shown its last byte: that a manifest names a digest
// proves nothing.
Task<bool> ProxyBlobs::linked_from_sibling(Run& run)
{
    CO_TRY(const auto holders, co_await needs_.links.holders(run.digest(), most_siblings));
    const RepositoryName* sibling = nullptr;
    for (const auto& holder : holders) {
        if (holder == run.repository()) co_return false;  // it lacks the bytes
        if (holder.project() == run.repository().project()) sibling = &holder;
    }
    if (sibling == nullptr) co_return false;
    const auto size = co_await needs_.links.load(*sibling, run.digest());
    if (!size || *size == 0 || *size != run.size.value_or(*size)) co_return false;
    const auto shown = co_await needs_.desk.ask(run.proxy, [&run, &size](CopySite& site) {
        return site.blob(run.upstream, run.digest(), *size - 1);
    });
    if (!shown && is_outage(shown.error().code())) co_return false;
    if (!shown) co_return std::unexpected{shown.error()};
    if (shown->size.value_or(*size) != *size) co_return false;
    const auto mounted = co_await needs_.links.mount(run.repository(), *sibling, run.digest(), actor());
    co_return mounted.has_value();
}

std::optional<Error> ProxyBlobs::failed_lately(const std::string& key)
{
    const std::lock_guard guard{mutex_};
    const auto place = failures_.find(key);
    if (place == failures_.end()) return std::nullopt;
    if (place->second.until > needs_.clock.now()) return place->second.error;
    failures_.erase(place);
    return std::nullopt;
}

void ProxyBlobs::remember_failure(const Run& run, const Error& error)
{
    const std::lock_guard guard{mutex_};
    if (failures_.size() >= most_failures_kept) failures_.clear();
    const auto until = needs_.clock.now() + run.proxy->settings.negative_ttl;
    failures_.insert_or_assign(failure_key(run.repository(), run.digest()), Failure{error, until});
}

std::size_t ProxyBlobs::running() const
{
    const std::lock_guard guard{mutex_};
    return running_.size();
}

asio::awaitable<void> ProxyBlobs::drain()
{
    (void)co_await tasks_.drain(std::chrono::seconds{2});
}

}  // namespace entrepot
