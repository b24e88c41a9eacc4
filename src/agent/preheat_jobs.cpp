#include "agent/preheat_jobs.hpp"

#include "core/log.hpp"
#include "core/pause.hpp"

#include <algorithm>
#include <utility>

namespace entrepot {
namespace {

using std::chrono::steady_clock;

constexpr Micros second = 1'000'000;
constexpr std::uint32_t most_chunks_of_fetch = 16;

// What may come right by itself, or with the next token.
bool may_pass(Errc code)
{
    return code == Errc::unavailable || code == Errc::unauthorized || code == Errc::too_many_requests ||
           code == Errc::connection_lost || code == Errc::request_timeout;
}

std::uint64_t bytes_here(const AgentImage& image)
{
    const auto& descriptor = image.descriptor();
    std::uint64_t bytes = 0;
    for (std::size_t blob = 0; blob < descriptor.blobs().size(); ++blob) {
        const auto first = descriptor.chunks_of(blob).first;
        const auto here = image.here(blob);
        for (const auto& run : here.runs())
            bytes += descriptor.layout().bytes_of_chunks({.first = first + run.first, .count = run.count});
    }
    return bytes;
}

}  // namespace

// A place among those that are carried out at the same time.
class PreheatJobs::Turn {
public:
    explicit Turn(PreheatJobs& jobs) : jobs_{jobs} {}
    ~Turn()
    {
        if (!taken_) return;
        const std::lock_guard guard{jobs_.mutex_};
        --jobs_.running_;
    }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

    bool take()
    {
        const std::lock_guard guard{jobs_.mutex_};
        taken_ = jobs_.running_ < jobs_.options_.at_once;
        if (taken_) ++jobs_.running_;
        return taken_;
    }

private:
    PreheatJobs& jobs_;
    bool taken_ = false;
};

// One image on its way, from when it is open.
class PreheatJobs::Fetching {
public:
    Fetching(PreheatJobs& jobs, const Job& job, ServedImagePtr image) : jobs_{jobs}, job_{job}, image_{std::move(image)}
    {
    }
    ~Fetching()
    {
        if (!jobs_.is_wanted_by_another(job_)) jobs_.needs_.carrier->leave_ahead(image_->swarm());
    }
    Fetching(const Fetching&) = delete;
    Fetching& operator=(const Fetching&) = delete;

    bool complete() const { return image_->image().complete(); }
    std::uint64_t total() const { return image_->image().descriptor().layout().bytes(); }
    std::uint64_t done() const { return bytes_here(image_->image()); }

    bool is_report_due()
    {
        const auto now = steady_clock::now();
        if (now - reported_ < jobs_.options_.between_reports) return false;
        reported_ = now;
        return true;
    }

    // Where nothing has come for too long, and from then on, some is asked of the registry. storage_full: the disk
    // takes nothing, and nobody waits.
    Result<> look(const asio::any_io_executor& where, const Wish& wish)
    {
        if (note_->in_vain) return fail(Errc::storage_full, "the node's disk takes no more of the image");
        const auto now = steady_clock::now();
        const auto quiet = now - std::max(began_, image_->image().last_arrival());
        if (!falling_back_ && quiet < jobs_.options_.patience) return {};
        if (!std::exchange(falling_back_, true)) jobs_.needs_.counters.fallbacks.fetch_add(1);
        if (note_->running > 0 || now < not_before_) return {};
        const auto most = chunks_within(wish.frame.rate);
        const auto& descriptor = image_->image().descriptor();
        const auto repository = RepositoryName::parse(wish.frame.repository);
        if (!repository) return std::unexpected{repository.error()};
        for (std::size_t number = 0; number < descriptor.blobs().size() && note_->running == 0; ++number) {
            const PulledBlob blob{
                .repository = *repository,
                .digest = digest_of_sha256(descriptor.blobs()[number].digest),
                .puller = Puller::of("Bearer " + wish.frame.token),
            };
            jobs_.needs_.fetches.start(
                where, image_, blob, descriptor.chunks_of(number), {.most_chunks = most, .parallel = 1}, note_
            );
        }
        if (wish.frame.rate != no_rate_limit) {
            const auto wait = static_cast<double>(most * chunk_bytes) / static_cast<double>(wish.frame.rate);
            not_before_ = now + std::chrono::duration_cast<steady_clock::duration>(std::chrono::duration<double>{wait});
        }
        return {};
    }

private:
    // What a second's rate allows.
    static std::uint32_t chunks_within(std::uint64_t rate)
    {
        return static_cast<std::uint32_t>(std::clamp<std::uint64_t>(rate / chunk_bytes, 1, most_chunks_of_fetch));
    }

    PreheatJobs& jobs_;
    const Job& job_;
    const ServedImagePtr image_;
    const std::shared_ptr<FetchNote> note_ = std::make_shared<FetchNote>();
    const steady_clock::time_point began_ = steady_clock::now();
    steady_clock::time_point reported_{};
    steady_clock::time_point not_before_{};
    bool falling_back_ = false;
};

void PreheatJobs::take(const PreheatFrame& frame)
{
    JobPtr job;
    {
        const std::lock_guard guard{mutex_};
        const auto known = jobs_.find(frame.job);
        if (known != jobs_.end() && known->second->frame.manifest == frame.manifest) {
            auto& there = *known->second;
            there.frame = frame;
            ++there.tokens;
            if (!frame.stop && needs_.carrier != nullptr) needs_.carrier->tell(there.last);
            return;
        }
        if (frame.stop || needs_.carrier == nullptr) return;
        forget_ended();
        job = std::make_shared<Job>(frame);
        job->last.job = frame.job;
        jobs_[frame.job] = job;
    }
    (void)needs_.tasks.spawn(needs_.where, carry_out(job));
}

// The lowest numbers are the oldest.
void PreheatJobs::forget_ended()
{
    for (auto at = jobs_.begin(); at != jobs_.end() && jobs_.size() >= options_.most_remembered;)
        at = at->second->ended ? jobs_.erase(at) : std::next(at);
}

asio::awaitable<void> PreheatJobs::carry_out(JobPtr job)
{
    // From here as all that follows it: told by another thread it could be overtaken.
    tell(*job, PreheatState::waiting, 0, 0, {});
    auto fetching = fetch(job);
    const auto fetched = co_await std::move(fetching);
    const auto total = job->last.bytes_total;
    if (fetched) {
        needs_.counters.preheats_done.fetch_add(1, std::memory_order_relaxed);
        tell(*job, PreheatState::done, total, total, {});
    } else {
        const auto& error = fetched.error();
        const bool refused = error.code() == Errc::storage_full;
        needs_.counters.preheats_failed.fetch_add(1, std::memory_order_relaxed);
        log::failure(log::Level::info, "an image is not fetched ahead", error);
        tell(
            *job, refused ? PreheatState::refused : PreheatState::failed, job->last.bytes_done, total, error.message()
        );
    }
    const std::lock_guard guard{mutex_};
    job->ended = true;
}

Task<> PreheatJobs::fetch(JobPtr job)
{
    if (wish_of(*job).frame.token.empty()) co_return fail(Errc::denied, "the registry gave no token with the job");
    Turn turn{*this};
    auto waiting = take_turn(job, turn);
    CO_CHECK(co_await std::move(waiting));
    auto wish = wish_of(*job);
    auto opening = open(job, wish);
    CO_TRY(const auto image, co_await std::move(opening));
    Fetching fetching{*this, *job, image};
    tell(*job, PreheatState::running, fetching.done(), fetching.total(), {});
    while (!fetching.complete()) {
        CO_CHECK(check(*job));
        if (wish_of(*job).tokens != wish.tokens) {
            // With the token comes a ticket, and the carrier hears that the image is wanted still.
            wish = wish_of(*job);
            auto again = open(job, wish);
            CO_CHECK(co_await std::move(again));
        }
        if (fetching.is_report_due()) tell(*job, PreheatState::running, fetching.done(), fetching.total(), {});
        CO_CHECK(fetching.look(needs_.where, wish));
        co_await pause(options_.between_looks);
    }
    co_return Result<>{};
}

Task<> PreheatJobs::take_turn(JobPtr job, Turn& turn)
{
    while (!turn.take()) {
        CO_CHECK(check(*job));
        co_await pause(options_.between_looks);
    }
    co_return Result<>{};
}

// Asks the registry for the image until it says something that stays.
Task<ServedImagePtr> PreheatJobs::open(JobPtr job, Wish& wish)
{
    for (auto wait = options_.first_retry;; wait = std::min(2 * wait, options_.longest_retry)) {
        CO_CHECK(check(*job));
        CO_TRY(auto repository, RepositoryName::parse(wish.frame.repository));
        auto opening = needs_.desk.open_ahead(
            std::move(repository), wish.frame.manifest, Puller::of("Bearer " + wish.frame.token)
        );
        auto image = co_await std::move(opening);
        if (image) {
            needs_.carrier->ahead((*image)->swarm(), wish.frame.rate);
            co_return image;
        }
        if (!may_pass(image.error().code())) co_return image;
        log::failure(log::Level::debug, "an image that is to be fetched ahead", image.error());
        const auto until = steady_clock::now() + wait;
        while (steady_clock::now() < until && wish_of(*job).tokens == wish.tokens) {
            CO_CHECK(check(*job));
            co_await pause(options_.between_looks);
        }
        wish = wish_of(*job);
    }
}

PreheatJobs::Wish PreheatJobs::wish_of(const Job& job)
{
    const std::lock_guard guard{mutex_};
    return {.frame = job.frame, .tokens = job.tokens};
}

bool PreheatJobs::is_wanted_by_another(const Job& job)
{
    const std::lock_guard guard{mutex_};
    return std::ranges::any_of(jobs_, [&](const auto& each) {
        const auto& other = *each.second;
        return &other != &job && !other.ended && other.frame.manifest == job.frame.manifest;
    });
}

// Whether it is to go on.
Result<> PreheatJobs::check(const Job& job)
{
    const std::lock_guard guard{mutex_};
    if (job.frame.stop) return fail(Errc::cancelled, "nobody wants it any more");
    const auto now = static_cast<std::uint64_t>(needs_.clock.now() / second);
    if (job.frame.deadline != 0 && now >= job.frame.deadline) return fail(Errc::cancelled, "the deadline has passed");
    return {};
}

void PreheatJobs::tell(Job& job, PreheatState state, std::uint64_t done, std::uint64_t total, std::string_view message)
{
    const std::lock_guard guard{mutex_};
    job.last.state = state;
    job.last.bytes_done = done;
    job.last.bytes_total = total;
    job.last.message = wire_text(message, WireLimits::text);
    needs_.carrier->tell(job.last);
}

}  // namespace entrepot
