#include "api/management/swarm_stream.hpp"

#include "api/management/swarm_json.hpp"
#include "delivery/stored_bytes.hpp"
#include "swarm/hex32.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <cstring>
#include <utility>

namespace entrepot {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

constexpr auto between_looks = 1s;
constexpr auto between_comments = 15s;
constexpr auto for_ever = std::chrono::hours{24 * 365};

std::string event_text(std::string_view name, const std::string& data)
{
    return "event: " + std::string{name} + "\ndata: " + data + "\n\n";
}

}  // namespace

SwarmStream::SwarmStream(Parts parts, const asio::any_io_executor& loop)
    : parts_{std::move(parts)},
      waiter_{std::make_shared<EventWaiter>(loop)},
      end_{parts_.clock.steady() + (parts_.lifetime.count() > 0 ? parts_.lifetime : for_ever)},
      next_look_{parts_.clock.steady()},
      next_comment_{parts_.clock.steady() + between_comments}
{
    parts_.count->open.fetch_add(1, std::memory_order_relaxed);
}

SwarmStream::~SwarmStream()
{
    parts_.count->open.fetch_sub(1, std::memory_order_relaxed);
}

void SwarmStream::stop() noexcept
{
    stopped_ = true;
    waiter_->wake();
}

bool SwarmStream::goes_on() const
{
    return !stopped_ && parts_.clock.steady() < end_ && parts_.images.stands(parts_.caller);
}

Task<std::size_t> SwarmStream::read(std::span<std::byte> into)
{
    while (used_ == text_.size() && goes_on()) {
        const auto now = parts_.clock.steady();
        if (now < next_look_) {
            (void)co_await waiter_->wait_until(std::min(next_look_, end_));
        } else {
            co_await fill();
        }
    }
    const auto count = std::min(into.size(), text_.size() - used_);
    std::memcpy(into.data(), text_.data() + used_, count);
    used_ += count;
    co_return count;
}

bool SwarmStream::is_wanted(const SwarmImageView& image) const
{
    return parts_.only.empty() || parts_.only.contains(named_by(image.manifest));
}

asio::awaitable<json::object> SwarmStream::told(SeenSwarm swarm) const
{
    std::optional<SeenNode> slowest;
    if (!parts_.only.empty() && swarm.state() == SwarmImageState::active) {
        auto finding = parts_.images.slowest(parts_.caller, swarm.image);
        auto found = co_await std::move(finding);
        if (found) slowest = *std::move(found);
    }
    co_return swarm_json(swarm, parts_.images.instance(), slowest);
}

// What has changed since they were told, as of now.
asio::awaitable<void> SwarmStream::fill()
{
    text_.clear();
    used_ = 0;
    next_look_ = parts_.clock.steady() + between_looks;
    const auto picture = parts_.images.picture();
    json::array all;
    std::set<SwarmId> seen;
    for (const auto& image : picture->images) {
        auto swarm = is_wanted(*image) ? parts_.images.seen(parts_.caller, image) : std::nullopt;
        if (!swarm) continue;
        seen.insert(image->swarm);
        auto telling = told(*std::move(swarm));
        auto object = co_await std::move(telling);
        // What they may know of it changes too, with their rights.
        auto data = json::serialize(object);
        auto& sent = sent_[image->swarm];
        if (!began_) all.push_back(std::move(object));
        if (std::exchange(sent, data) != data && began_) text_ += event_text("swarm", data);
    }
    std::erase_if(sent_, [&](const auto& entry) {
        if (seen.contains(entry.first)) return false;
        const json::object gone{{"swarm", hex_of(entry.first)}};
        text_ += event_text("gone", json::serialize(gone));
        return true;
    });
    if (!std::exchange(began_, true)) {
        const json::object state{{"instance", parts_.images.instance()}, {"images", std::move(all)}};
        text_ = event_text("state", json::serialize(state));
    }
    const auto now = parts_.clock.steady();
    if (text_.empty() && now >= next_comment_) text_ = ":\n\n";
    if (!text_.empty()) next_comment_ = now + between_comments;
}

}  // namespace entrepot
