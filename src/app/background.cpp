#include "app/background.hpp"

#include "core/log.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>

#include <exception>
#include <utility>

namespace entrepot {

Background::Background(std::vector<Chore> chores)
{
    for (auto& chore : chores) {
        rounds_.push_back({.chore = std::move(chore), .timer = asio::steady_timer{loop_}});
    }
}

Background::~Background()
{
    stop();
}

void Background::start()
{
    // Detached from one another, but none outlives the loop, which stop() runs to its end.
    for (auto& round : rounds_) asio::co_spawn(loop_, keep_running(round), asio::detached);
    thread_ = std::jthread{[this] { loop_.run(); }};
}

asio::awaitable<void> Background::keep_running(Round& round)
{
    while (!stopping_) {
        if (!std::exchange(round.again, false)) {
            round.timer.expires_after(round.chore.every);
            boost::system::error_code hurried;
            co_await round.timer.async_wait(asio::redirect_error(asio::use_awaitable, hurried));
            if (stopping_) break;
        }
        try {
            const auto done = co_await round.chore.run();
            if (!done) log::failure(log::Level::warning, round.chore.name, done.error());
        } catch (const std::exception& thrown) {
            log::error("a chore threw", {{"chore", round.chore.name}, {"what", thrown.what()}});
        }
    }
}

void Background::hurry(std::string_view name)
{
    asio::post(loop_, [this, wanted = std::string{name}] {
        for (auto& round : rounds_) {
            if (round.chore.name != wanted) continue;
            if (round.timer.cancel() == 0) round.again = true;
        }
    });
}

void Background::stop()
{
    if (!thread_.joinable()) return;
    asio::post(loop_, [this] {
        stopping_ = true;
        for (auto& round : rounds_) round.timer.cancel();
    });
    thread_.join();
}

std::function<void()> hurrying(std::atomic<Background*>& listener, std::vector<std::string_view> chores)
{
    return [&listener, chores = std::move(chores)] {
        auto* background = listener.load();
        if (background == nullptr) return;
        for (const auto chore : chores) background->hurry(chore);
    };
}

}  // namespace entrepot
