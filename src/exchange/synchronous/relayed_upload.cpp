#include "exchange/synchronous/relayed_upload.hpp"

#include <utility>

namespace entrepot {
namespace {

constexpr std::chrono::minutes longest_silence{1};
constexpr std::chrono::minutes looks_again{1};  // rung for before that

}  // namespace

RelayedUpload::RelayedUpload(RepositoryName repository, DigestAlgorithm algorithm, UploadId upload, Time now)
    : repository_{std::move(repository)}, algorithm_{algorithm}, upload_{std::move(upload)}, progressed_at_{now}
{
}

void RelayedUpload::progressed(Time now)
{
    {
        const std::lock_guard lock{mutex_};
        progressed_at_ = now;
    }
    bell_.ring();
}

void RelayedUpload::end(State how)
{
    {
        const std::lock_guard lock{mutex_};
        if (state_ == State::comes) state_ = how;
    }
    bell_.ring();
}

RelayedUpload::State RelayedUpload::state() const
{
    const std::lock_guard lock{mutex_};
    return state_;
}

bool RelayedUpload::comes(Time now) const
{
    const std::lock_guard lock{mutex_};
    return state_ == State::comes && now - progressed_at_ < longest_silence;
}

bool RelayedUpload::begin(const std::vector<std::int64_t>& sites)
{
    const std::lock_guard lock{mutex_};
    if (state_ != State::comes) return false;
    for (const auto site : sites) sent_.emplace(site, Sent{});
    return true;
}

void RelayedUpload::hand_over(std::int64_t site, std::string place)
{
    {
        const std::lock_guard lock{mutex_};
        auto& sent = sent_[site];
        if (!std::exchange(sent.handed_over, true)) sent.place = std::move(place);
    }
    bell_.ring();
}

asio::awaitable<std::string> RelayedUpload::taken(std::int64_t site)
{
    for (;;) {
        const auto heard = bell_.rung();
        {
            const std::lock_guard lock{mutex_};
            const auto found = sent_.find(site);
            if (found == sent_.end()) co_return std::string{};
            if (found->second.handed_over) co_return std::exchange(found->second.place, {});
        }
        co_await bell_.wait(heard, looks_again);
    }
}

}  // namespace entrepot
