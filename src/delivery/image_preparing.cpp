#include "delivery/image_preparing.hpp"

#include "core/log.hpp"
#include "ports/event.hpp"

#include <boost/asio/strand.hpp>

#include <chrono>
#include <string>
#include <utility>

namespace entrepot {
namespace {

using namespace std::chrono_literals;

constexpr auto drain_patience = 10s;

// Much of what is pushed is no image, is deleted again, or has layers that are kept elsewhere.
bool says_nothing(Errc code) noexcept
{
    return code == Errc::unsupported || code == Errc::manifest_unknown || code == Errc::name_unknown ||
           code == Errc::blob_unknown;
}

}  // namespace

ImagePreparing::ImagePreparing(EventLog& events, const Clock& clock, ImageBundles& bundles, asio::thread_pool& pool)
    : events_{events}, bundles_{bundles}, pool_{pool}, cursor_{events, clock, "swarm-images"}
{
}

Task<> ImagePreparing::run()
{
    CO_TRY(const auto range, co_await events_.settle());
    for (;;) {
        CO_TRY(const auto at, co_await cursor_.find());
        if (at >= range.newest) co_return co_await cursor_.pass(at);
        CO_TRY(const auto events, co_await events_.read(at, EventCursor::events_at_once));
        if (events.empty()) co_return Result<>{};
        auto images = pushed_in(events);
        const auto to = events.back().sequence;
        const auto write = [this, to](std::string consumer, std::int64_t from) {
            return events_.advance(std::move(consumer), from, to, {});
        };
        CO_TRY(const bool ours, co_await cursor_.move(to, !images.empty(), write));
        if (ours) begin(std::move(images));
    }
}

std::vector<ImagePreparing::Pushed> ImagePreparing::pushed_in(const std::vector<Event>& events)
{
    std::vector<Pushed> images;
    for (const auto& event : events) {
        if (event.type != event_type::artifact_pushed && event.type != event_type::artifact_copied) continue;
        auto repository = RepositoryName::parse(event.repository);
        auto manifest = Digest::parse(event.digest);
        if (repository && manifest) images.push_back({*std::move(repository), *std::move(manifest)});
    }
    return images;
}

void ImagePreparing::begin(std::vector<Pushed> images)
{
    const std::lock_guard guard{mutex_};
    for (auto& image : images) {
        if (waiting_.size() < most_waiting) waiting_.push_back(std::move(image));
    }
    if (working_ || waiting_.empty()) return;
    working_ = tasks_.spawn(asio::make_strand(pool_.get_executor()), work());
}

std::optional<ImagePreparing::Pushed> ImagePreparing::next()
{
    const std::lock_guard guard{mutex_};
    if (waiting_.empty()) {
        working_ = false;
        return std::nullopt;
    }
    auto image = std::move(waiting_.front());
    waiting_.pop_front();
    return image;
}

asio::awaitable<void> ImagePreparing::work()
{
    while (auto image = next()) {
        const auto name = image->manifest.text();
        auto loading = bundles_.load(std::move(image->repository), std::move(image->manifest));
        const auto bundle = co_await std::move(loading);
        if (bundle) ++prepared_;
        if (bundle || says_nothing(bundle.error().code())) continue;
        log::failure(log::Level::warning, "preparing " + name + " for nodes", bundle.error());
    }
}

asio::awaitable<void> ImagePreparing::drain()
{
    {
        const std::lock_guard guard{mutex_};
        waiting_.clear();
    }
    const auto left = co_await tasks_.drain(drain_patience);
    if (left > 0) log::warning("an image is still being prepared for nodes");
}

std::size_t ImagePreparing::waiting() const
{
    const std::lock_guard guard{mutex_};
    return waiting_.size() + (working_ ? 1 : 0);
}

}  // namespace entrepot
