#include "drivers/postgres/access_feed.hpp"

#include "core/log.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <stdexcept>

namespace entrepot {

namespace {

constexpr SqlStatement read_counter{"SELECT version FROM access_state"};
constexpr int between_looks_ms = 900;  // with the look itself: within a second
constexpr std::chrono::seconds longest_look{4};

}  // namespace

AccessFeed::AccessFeed(
    const std::string& url, std::function<void()> changed, std::function<void()> on_event, const Clock& clock
)
    : clock_{clock},
      connection_{url, clock},
      changed_{std::move(changed)},
      on_event_{std::move(on_event)},
      wake_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)}
{
    if (wake_ < 0) throw std::runtime_error{"no descriptor is left for the change feed"};
    thread_ = std::thread{[this] { follow_until_stopped(); }};
}

AccessFeed::~AccessFeed()
{
    stopping_ = true;
    const std::uint64_t one = 1;
    (void)!::write(wake_, &one, sizeof one);
    thread_.join();
    ::close(wake_);
}

void AccessFeed::follow_until_stopped()
{
    bool was_away = false;
    while (!stopping_) {
        const auto changed = look();
        if (!changed) {
            if (!was_away) log::failure(log::Level::warning, "following changes of access", changed.error());
            connection_.disconnect();
        } else if (*changed) {
            tell(changed_);
        }
        was_away = !changed;
        wait();
    }
}

Result<bool> AccessFeed::look()
{
    connection_.set_deadline(clock_.steady() + longest_look);
    if (!connection_.connected()) CHECK(listen());
    TRY(const auto channels, connection_.take_notifications());
    if (std::ranges::find(channels, "entrepot_events") != channels.end()) tell(on_event_);
    TRY(const auto rows, connection_.run(read_counter, {}));
    if (rows.empty()) return fail(Errc::corrupt, "the change counter is gone");
    const std::int64_t counter = rows.front().integer(0);
    const bool changed = counter_ != counter;
    counter_ = counter;
    return changed;
}

Result<> AccessFeed::listen()
{
    counter_.reset();
    CHECK(connection_.connect());
    return connection_.run_script("LISTEN entrepot_access; LISTEN entrepot_events");
}

void AccessFeed::tell(const std::function<void()>& whom)
{
    if (!whom) return;
    try {
        whom();
    } catch (const std::exception& thrown) {
        log::error("following changes failed", {{"reason", thrown.what()}});
    }
}

void AccessFeed::wait()
{
    std::array<pollfd, 2> waited{};
    waited[0].fd = wake_;
    waited[0].events = POLLIN;
    waited[1].fd = connection_.socket();  // a negative one is passed over
    waited[1].events = POLLIN;
    ::poll(waited.data(), waited.size(), between_looks_ms);
}

}  // namespace entrepot
