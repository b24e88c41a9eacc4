#include "api/token/password_checker.hpp"

#include "api/token/password.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <utility>

namespace entrepot {
namespace {

constexpr std::size_t most_queued = 1'024;
constexpr std::size_t most_queued_per_source = 256;
constexpr std::size_t most_others = 256;

std::unexpected<Error> too_many(std::chrono::seconds wait)
{
    auto failure = fail(
        Errc::too_many_requests,
        "too many failed attempts in a row: try again in " + std::to_string(wait.count()) + " s"
    );
    failure.error().set_retry_after(wait);
    return failure;
}

std::unexpected<Error> busy()
{
    return fail(Errc::unavailable, "too many passwords are waiting to be checked");
}

std::unexpected<Error> ending()
{
    return fail(Errc::unavailable, "the server is stopping");
}

}  // namespace

// One secret of one user being checked, for everybody who sent it.
struct PasswordChecker::Job {
    explicit Job(Check what) : check{std::move(what)} {}
    ~Job() { OPENSSL_cleanse(check.password.data(), check.password.size()); }
    Job(const Job&) = delete;
    Job& operator=(const Job&) = delete;

    Check check;
    std::vector<Waiter> waiters;
};

PasswordChecker::PasswordChecker(LoginThrottle& throttle, unsigned threads) : throttle_{throttle}
{
    for (unsigned i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
}

PasswordChecker::~PasswordChecker()
{
    stop();
}

void PasswordChecker::stop()
{
    std::map<std::string, Lane, std::less<>> unserved;
    {
        const std::lock_guard lock{mutex_};
        stopping_ = true;
        unserved.swap(lanes_);
        for (const auto& [source, lane] : unserved) {
            for (const auto& job : lane) jobs_.erase(job->check.tag);
        }
        queued_ = 0;
    }
    arrived_.notify_all();
    for (auto& [source, lane] : unserved) {
        for (const auto& job : lane) {
            for (auto& waiter : job->waiters) waiter.completion.complete(ending());
        }
    }
    threads_.clear();
}

Task<bool> PasswordChecker::check(Check check)
{
    const auto wait = throttle_.remaining(check.user, check.source);
    if (wait.count() > 0) co_return too_many(wait);
    co_return co_await completed_by<bool>([this, &check](Completion<bool> completion) {
        enqueue(std::move(check), std::move(completion));
    });
}

Task<std::string> PasswordChecker::run(std::function<Result<std::string>()> work)
{
    co_return co_await completed_by<std::string>([this, &work](Completion<std::string> completion) {
        auto shared = std::make_shared<Completion<std::string>>(std::move(completion));
        std::unique_lock lock{mutex_};
        if (stopping_ || others_.size() >= most_others) {
            const bool stopping = stopping_;
            lock.unlock();
            shared->complete(stopping ? ending() : busy());
            return;
        }
        others_.emplace_back([work = std::move(work), shared] { shared->complete(work()); });
        lock.unlock();
        arrived_.notify_one();
    });
}

std::uint64_t PasswordChecker::checks_run() const noexcept
{
    const std::lock_guard lock{mutex_};
    return checks_run_;
}

void PasswordChecker::enqueue(Check check, Completion<bool> completion)
{
    std::unique_lock lock{mutex_};
    Waiter waiter{check.source, std::move(completion)};
    if (const auto same = jobs_.find(check.tag); same != jobs_.end()) {
        same->second->waiters.push_back(std::move(waiter));
        return;
    }
    auto& lane = lanes_[check.source];
    const bool stopping = stopping_;
    if (stopping || queued_ >= most_queued || lane.size() >= most_queued_per_source) {
        if (lane.empty()) lanes_.erase(check.source);
        lock.unlock();
        waiter.completion.complete(stopping ? ending() : busy());
        return;
    }
    auto job = std::make_shared<Job>(std::move(check));
    job->waiters.push_back(std::move(waiter));
    jobs_.emplace(job->check.tag, job);
    lane.push_back(std::move(job));
    ++queued_;
    lock.unlock();
    arrived_.notify_one();
}

void PasswordChecker::work()
{
    std::unique_lock lock{mutex_};
    while (true) {
        if (!others_.empty()) {
            const auto other = std::move(others_.front());
            others_.pop_front();
            lock.unlock();
            other();
            lock.lock();
        } else if (const auto job = take()) {
            lock.unlock();
            perform(*job);
            lock.lock();
        } else if (stopping_) {
            return;
        } else {
            arrived_.wait(lock);
        }
    }
}

// The next job in turn, going round the sources. The mutex is held.
std::shared_ptr<PasswordChecker::Job> PasswordChecker::take()
{
    auto next = lanes_.upper_bound(last_lane_);
    for (std::size_t seen = 0; seen < lanes_.size(); ++seen) {
        if (next == lanes_.end()) next = lanes_.begin();
        auto job = take_from(next->second);
        if (!job) {
            ++next;
            continue;
        }
        last_lane_ = next->first;
        if (next->second.empty()) lanes_.erase(next);
        return job;
    }
    return nullptr;
}

std::shared_ptr<PasswordChecker::Job> PasswordChecker::take_from(Lane& lane)
{
    const auto ready = std::ranges::find_if(lane, [this](const auto& job) { return !busy_.contains(job->check.user); });
    if (ready == lane.end()) return nullptr;
    auto job = *ready;
    lane.erase(ready);
    --queued_;
    busy_.insert(job->check.user);
    return job;
}

void PasswordChecker::perform(Job& job)
{
    std::vector<Waiter> throttled;
    bool wanted = false;
    {
        const std::lock_guard lock{mutex_};
        throttled = split_throttled(job);
        wanted = !job.waiters.empty();
        if (wanted) ++checks_run_;
    }
    for (auto& waiter : throttled) {
        waiter.completion.complete(too_many(throttle_.remaining(job.check.user, waiter.source)));
    }
    finish(job, wanted && is_right(job.check));
}

// Whether there is an alternative doesn't show: without one the second hash is computed all the same.
bool PasswordChecker::is_right(const Check& check)
{
    ++hashes_run_;
    if (verify_password(check.password, check.encoded)) return true;
    ++hashes_run_;
    return verify_password(check.password, check.alternative);
}

// Failures that arrived since a request was queued count against it too: sending many at once is no way round.
std::vector<PasswordChecker::Waiter> PasswordChecker::split_throttled(Job& job)
{
    const auto throttled = std::partition(job.waiters.begin(), job.waiters.end(), [&](const Waiter& waiter) {
        return throttle_.remaining(job.check.user, waiter.source).count() == 0;
    });
    std::vector<Waiter> taken{std::make_move_iterator(throttled), std::make_move_iterator(job.waiters.end())};
    job.waiters.erase(throttled, job.waiters.end());
    return taken;
}

void PasswordChecker::finish(Job& job, bool right)
{
    std::vector<Waiter> waiters;
    {
        const std::lock_guard lock{mutex_};
        waiters.swap(job.waiters);
        std::set<std::string_view> sources;
        for (const auto& waiter : waiters) sources.insert(waiter.source);
        for (const auto source : sources) {
            right ? throttle_.succeeded(job.check.user, source) : throttle_.failed(job.check.user, source);
        }
        jobs_.erase(job.check.tag);
        busy_.erase(job.check.user);
    }
    arrived_.notify_all();
    for (auto& waiter : waiters) waiter.completion.complete(right);
}

}  // namespace entrepot
