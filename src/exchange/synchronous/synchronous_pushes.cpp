#include "exchange/synchronous/synchronous_pushes.hpp"

#include "core/log.hpp"
#include "exchange/copy/at_once.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>

#include <algorithm>

namespace entrepot {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t references_a_page = 100;
constexpr std::size_t references_at_once = 6;
constexpr Micros left_to_the_push = 2'000'000;  // what is younger is being brought by who pushed it
constexpr std::chrono::seconds longest_wait{30};
// Steps go on when nobody waits for them any more, and hold their manifests: a site that answers nothing gets no more.
constexpr int most_steps_of_a_site = 256;

std::string joined(const std::vector<std::string>& names)
{
    std::string text;
    for (const auto& name : names) text += (text.empty() ? "" : ", ") + name;
    return text;
}

std::vector<Reference> references_of(const CopiedPush& push)
{
    std::vector<Reference> references;
    for (const auto& tag : push.tags) references.emplace_back(tag);
    if (references.empty()) references.emplace_back(push.digest);
    return references;
}

}  // namespace

SynchronousPushes::SynchronousPushes(Needs needs)
    : policy_{needs.policy}, parts_{std::move(needs.copier)}, copier_{parts_}, thread_{[this] { parts_.loop.run(); }}
{
}

SynchronousPushes::~SynchronousPushes()
{
    stop();
}

void SynchronousPushes::stop()
{
    if (!thread_.joinable()) return;
    asio::co_spawn(
        parts_.loop,
        [this]() -> asio::awaitable<void> {
            co_await copier_.drain();
            co_await relays_.drain();
            (void)co_await tasks_.drain(2s);
        },
        asio::use_future
    )
        .wait();
    work_.reset();
    parts_.loop.stop();
    thread_.join();
}

bool SynchronousPushes::concerns(const RepositoryName& repository) const
{
    const auto project = policy_.project(repository.project());
    return project && project->site && project->site->role == SiteRole::home;
}

Task<bool> SynchronousPushes::concerns_now(RepositoryName repository)
{
    CO_CHECK(co_await parts_.catch_up());
    co_return concerns(repository);
}

void SynchronousPushes::blob_comes(
    const RepositoryName& repository, DigestAlgorithm algorithm, const UploadId& upload, std::uint64_t bytes
)
{
    if (!concerns(repository)) return;
    const auto project = policy_.project(repository.project());
    if (project) relays_.comes(project->id, repository, algorithm, upload, bytes);
}

void SynchronousPushes::blob_fails(const UploadId& upload)
{
    relays_.fails(upload);
}

void SynchronousPushes::blob_came(
    const RepositoryName& repository, const UploadId& upload, const Digest& digest, std::uint64_t size
)
{
    if (!concerns(repository)) return relays_.fails(upload);
    Descriptor blob{.media_type = std::string{media::octets}, .digest = digest, .size = size};
    if (relays_.came(upload, blob)) return;
    tasks_.spawn(parts_.loop.get_executor(), begin_blob(repository, std::move(blob)));
}

// Where it fails the manifest's push tries again, and says so.
asio::awaitable<void> SynchronousPushes::begin_blob(RepositoryName repository, Descriptor blob)
{
    const auto project = policy_.project(repository.project());
    if (!project) co_return;
    const auto found = co_await parts_.catalog.members(project->id);
    if (!found || found->role != SiteRole::home) co_return;
    (void)co_await at_once(found->sites.size(), found->sites.size(), [&](std::size_t index) -> Task<> {
        (void)co_await copier_.blob(order_of(*found, found->sites[index]), repository, blob);
        co_return Result<>{};
    });
}

asio::awaitable<void> SynchronousPushes::ask(RoundPtr round, SiteOrder order, Step step)
{
    Result<> done = fail(Errc::unavailable, "too many pushes wait for it already");
    if (enter_step(order.registry_id)) {
        try {
            done = co_await step(order);
        } catch (const std::exception& thrown) {
            done = fail(Errc::internal, "asking it failed here", thrown.what());  // else the round would wait for it
        }
        leave_step(order.registry_id);
    }
    {
        const std::lock_guard lock{round->mutex};
        ++round->ended;
        if (done) {
            ++round->confirmed;
            round->lacking.erase(order.registry_id);
        } else {
            round->lacking[order.registry_id] = order.registry + " (" + done.error().message() + ")";
        }
    }
    round->bell.ring();
}

bool SynchronousPushes::enter_step(std::int64_t site)
{
    const std::lock_guard lock{mutex_};
    auto& steps = steps_[site];
    if (steps >= most_steps_of_a_site) return false;
    ++steps;
    return true;
}

void SynchronousPushes::leave_step(std::int64_t site)
{
    const std::lock_guard lock{mutex_};
    if (--steps_[site] == 0) steps_.erase(site);
}

// Until enough have confirmed, all have answered, or the project's patience is at its end. The others go on.
asio::awaitable<SynchronousPushes::RoundPtr> SynchronousPushes::ask_all(const Synchronisation& project, Step step)
{
    auto round = std::make_shared<Round>();
    for (const auto& site : project.sites) round->lacking[site.registry_id] = site.registry + " (no answer yet)";
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{project.patience};
    for (const auto& site : project.sites) {
        tasks_.spawn(parts_.loop.get_executor(), ask(round, order_of(project, site), step));
    }
    for (;;) {
        const auto heard = round->bell.rung();
        {
            const std::lock_guard lock{round->mutex};
            if (round->confirmed >= project.required || round->ended == project.sites.size()) co_return round;
        }
        const auto left = until - std::chrono::steady_clock::now();
        if (left <= left.zero()) co_return round;
        co_await round->bell.wait(heard, left);
    }
}

namespace {

struct Stand {
    bool enough = false;
    std::int64_t confirmed = 0;
    std::vector<std::string> lacking;
};

template <class Round>
Stand stand_of(Round& round, const Synchronisation& project)
{
    const std::lock_guard lock{round.mutex};
    Stand stand{.enough = round.confirmed >= project.required, .confirmed = round.confirmed, .lacking = {}};
    for (const auto& [id, name] : round.lacking) stand.lacking.push_back(name);
    return stand;
}

std::string shortfall(const Stand& stand, const Synchronisation& project)
{
    return std::to_string(stand.confirmed) + " of the " + std::to_string(project.required) +
           " sites that have to hold it do: not " + joined(stand.lacking);
}

}  // namespace

Task<> SynchronousPushes::bring_content(CopiedPushPtr push)
{
    const auto known = policy_.project(push->repository.project());
    if (!known) co_return Result<>{};
    CO_TRY(const auto project, co_await parts_.catalog.members(known->id));
    if (project.role != SiteRole::home) co_return Result<>{};  // the commit says what is wrong
    const auto round =
        co_await ask_all(project, [this, push](SiteOrder order) { return copier_.content(std::move(order), push); });
    const auto stand = stand_of(*round, project);
    if (stand.enough || project.degrades) co_return Result<>{};
    refused_.fetch_add(1, std::memory_order_relaxed);
    co_return fail(Errc::unavailable, "the push was not taken: " + shortfall(stand, project));
}

Task<std::string> SynchronousPushes::bring_tags(CopiedPushPtr push)
{
    const auto known = policy_.project(push->repository.project());
    if (!known) co_return std::string{};
    CO_TRY(const auto project, co_await parts_.catalog.members(known->id));
    if (project.role != SiteRole::home) {
        co_return fail(Errc::unavailable, "another site has become the project's home meanwhile: push there");
    }
    const auto references = references_of(*push);
    const auto round =
        co_await ask_all(project, [this, repository = push->repository, references](SiteOrder order) -> Task<> {
            return at_once(
                references.size(),
                references_at_once,
                [this, order, repository, references](std::size_t index) {
                    return copier_.reference(order, repository, references[index]);
                }
            );
        });
    const auto stand = stand_of(*round, project);
    if (stand.enough) {
        acknowledged_.fetch_add(1, std::memory_order_relaxed);
        co_return std::string{};
    }
    if (!project.degrades) {
        refused_.fetch_add(1, std::memory_order_relaxed);
        co_return fail(
            Errc::unavailable,
            "the push stands here and is being brought to the other sites, but " + shortfall(stand, project)
        );
    }
    degraded_.fetch_add(1, std::memory_order_relaxed);
    CO_CHECK(co_await note_degraded(*push, project.project_id, stand.lacking));
    co_return "degraded: " + shortfall(stand, project) + "; it is being brought there";
}

Task<> SynchronousPushes::note_degraded(const CopiedPush& push, std::int64_t project_id, std::vector<std::string> sites)
{
    LackingReference pushed{
        .repository = push.repository.text(),
        .reference = references_of(push).front().text(),
        .digest = push.digest.text(),
    };
    co_return co_await parts_.catalog.note_degraded(project_id, std::move(pushed), std::move(sites), push.actor);
}

Task<> SynchronousPushes::catch_up()
{
    CO_TRY(auto all, co_await parts_.catalog.all());
    const auto now = std::chrono::steady_clock::now();
    const std::lock_guard lock{mutex_};
    for (const auto& project : all) {
        if (project.role != SiteRole::home) continue;
        for (const auto& site : project.sites) {
            const bool knows_home = site.followed_epoch == project.epoch;
            const bool young = site.last_error.empty() && parts_.clock.now() - site.oldest < left_to_the_push &&
                               parts_.clock.now() >= site.oldest;
            if (knows_home && (site.lacking == 0 || young)) continue;
            auto& update = updates_[{project.project_id, site.registry_id}];
            if (update.running || now < update.until) continue;
            update.running = tasks_.spawn(parts_.loop.get_executor(), update_site(order_of(project, site), knows_home));
        }
    }
    known_ = std::move(all);
    co_return Result<>{};
}

asio::awaitable<void> SynchronousPushes::update_site(SiteOrder order, bool knows_home)
{
    Result<> brought;
    try {
        brought = co_await bring_lacking(order, knows_home);
    } catch (const std::exception& thrown) {
        brought = fail(Errc::internal, thrown.what());  // else nobody would look at this site again
    }
    if (!brought) {
        log::info(
            "a site is not up to date",
            {{"site", order.registry}, {"project", order.there}, {"error", brought.error().message()}}
        );
    }
    const std::lock_guard lock{mutex_};
    auto& update = updates_[{order.project_id, order.registry_id}];
    update.running = false;
    update.failures = brought ? 0 : std::min(update.failures + 1, 5);
    update.until = std::chrono::steady_clock::now() +
                   (brought ? 0s : std::min<std::chrono::seconds>(longest_wait, 1s * (1 << update.failures)));
}

Task<> SynchronousPushes::bring_lacking(SiteOrder order, bool knows_home)
{
    CO_CHECK(co_await copier_.announce(order));
    if (!knows_home) {
        if (order.took_part) CO_CHECK(co_await copier_.compare(order));
        CO_CHECK(co_await parts_.catalog.note_followed(order.project_id, order.registry_id, order.claim.epoch));
    }
    std::optional<Error> failure;
    for (LackingReference last; !failure || !CopyRun::worth_retrying(failure->code());) {
        CO_TRY(
            const auto page,
            co_await parts_.catalog.lacking(
                order.project_id, order.registry_id, last.repository, last.reference, references_a_page
            )
        );
        if (page.empty()) break;
        last = page.back();
        // One that can't be brought holds up no other; a site that is away holds up itself.
        CO_CHECK(co_await at_once(page.size(), references_at_once, [&](std::size_t index) -> Task<> {
            if (failure && CopyRun::worth_retrying(failure->code())) co_return Result<>{};
            CO_TRY(auto repository, RepositoryName::parse(page[index].repository));
            CO_TRY(auto reference, Reference::parse(page[index].reference));
            auto brought = co_await copier_.reference(order, std::move(repository), std::move(reference));
            if (!brought && !(failure && CopyRun::worth_retrying(failure->code()))) {
                failure = std::move(brought).error();
            }
            co_return Result<>{};
        }));
    }
    if (failure) co_return std::unexpected{*std::move(failure)};
    co_return Result<>{};
}

void SynchronousPushes::add_metrics(MetricsText& text) const
{
    const auto pushes = [&](const char* outcome, const std::atomic<std::uint64_t>& count) {
        text.counter(
            "entrepot_synchronous_pushes_total",
            "Pushes to projects that several sites have to hold.",
            count.load(std::memory_order_relaxed),
            {{"outcome", outcome}}
        );
    };
    pushes("acknowledged", acknowledged_);
    pushes("degraded", degraded_);
    pushes("refused", refused_);
    std::map<SiteRole, std::uint64_t> roles{{SiteRole::home, 0}, {SiteRole::follower, 0}, {SiteRole::fenced, 0}};
    std::uint64_t short_of_sites = 0;
    std::uint64_t lacking = 0;
    Micros oldest = 0;
    {
        const std::lock_guard lock{mutex_};
        for (const auto& project : known_) {
            ++roles[project.role];
            std::int64_t complete = 0;
            for (const auto& site : project.sites) {
                complete += site.lacking == 0 && site.followed_epoch == project.epoch ? 1 : 0;
                lacking += static_cast<std::uint64_t>(site.lacking);
                if (site.oldest != 0 && (oldest == 0 || site.oldest < oldest)) oldest = site.oldest;
            }
            if (project.role == SiteRole::home && complete < project.required) ++short_of_sites;
        }
    }
    for (const auto& [role, count] : roles) {
        text.gauge(
            "entrepot_synchronous_projects",
            "Projects that several sites hold, by what this site is to them.",
            count,
            {{"role", text_of(role)}}
        );
    }
    text.gauge(
        "entrepot_synchronous_degraded_projects",
        "Projects of this home that fewer sites hold whole than have to.",
        short_of_sites
    );
    text.gauge("entrepot_synchronous_lacking", "References that sites still lack.", lacking);
    const auto age = oldest == 0 ? 0 : std::max<Micros>(parts_.clock.now() - oldest, 0);
    text.gauge(
        "entrepot_synchronous_lag_seconds",
        "For how long what a site lacks longest has been missing there.",
        static_cast<double>(age) / 1e6
    );
}

}  // namespace entrepot
