#pragma once

#include "api/management/event_stream.hpp"
#include "delivery/swarm_images.hpp"

#include <boost/json/object.hpp>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace entrepot {

// How images get on, as server-sent events: first `state`, with all that the caller sees, in the place of whatever they
// knew; then, at most once a second, `swarm` for each image of which anything has changed, and `gone` for those that
// are under way no more. Every 15 s a comment where there was nothing. Nothing is gathered for a slow reader: what
// comes next is made of the latest picture when the text before has left. Ends when the caller's credential does. Used
// on one loop.
class SwarmStream final : public StreamedBody {
public:
    struct Parts {
        const SwarmImages& images;
        Caller caller;
        std::set<Digest> only;  // empty: all; otherwise also who of them is the slowest node
        const Clock& clock;
        std::shared_ptr<EventStreamCount> count;
        std::chrono::seconds lifetime{0};  // 0: no end
    };
    SwarmStream(Parts parts, const asio::any_io_executor& loop);
    ~SwarmStream() override;

    Task<std::size_t> read(std::span<std::byte> into) override;
    void stop() noexcept override;

private:
    using Time = std::chrono::steady_clock::time_point;

    bool goes_on() const;
    asio::awaitable<void> fill();
    asio::awaitable<boost::json::object> told(SeenSwarm swarm) const;
    bool is_wanted(const SwarmImageView& image) const;

    Parts parts_;
    std::shared_ptr<EventWaiter> waiter_;
    const Time end_;
    Time next_look_;
    Time next_comment_;
    std::map<SwarmId, std::string> sent_;  // what they were told of each image
    bool began_ = false;
    std::string text_{"retry: 2000\n\n"};  // not handed out yet
    std::size_t used_ = 0;                 // of its front
    bool stopped_ = false;
};

}  // namespace entrepot
