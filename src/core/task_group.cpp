#include "core/task_group.hpp"

#include "core/log.hpp"

#include <exception>
#include <list>
#include <mutex>
#include <optional>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

namespace entrepot {
namespace {

struct Child {
    asio::any_io_executor where;
    std::shared_ptr<asio::cancellation_signal> signal = std::make_shared<asio::cancellation_signal>();
};

void report(const std::exception_ptr& thrown)
{
    try {
        std::rethrow_exception(thrown);
    } catch (const boost::system::system_error& failure) {
        if (failure.code() == asio::error::operation_aborted) return;
        log::error("background work failed", {{"error", failure.what()}});
    } catch (const std::exception& failure) {
        log::error("background work failed", {{"error", failure.what()}});
    } catch (...) {
        log::error("background work failed");
    }
}

}  // namespace

class TaskGroup::State : public std::enable_shared_from_this<State> {
public:
    bool spawn(asio::any_io_executor where, asio::awaitable<void> task)
    {
        const std::lock_guard lock{mutex_};
        if (closed_) return false;
        const auto child = children_.insert(children_.end(), Child{std::move(where)});
        // The signal is connected and rung on the child's executor alone. Posted under the lock, so that no ask() can
        // get in front.
        asio::post(child->where, [self = shared_from_this(), child, task = std::move(task)]() mutable {
            self->launch(child, std::move(task));
        });
        return true;
    }

    void close()
    {
        const std::lock_guard lock{mutex_};
        closed_ = true;
    }

    void ask(asio::cancellation_type how)
    {
        const std::lock_guard lock{mutex_};
        for (const auto& child : children_) {
            asio::post(child.where, [signal = child.signal, how] { signal->emit(how); });
        }
    }

    asio::awaitable<void> wait_until_empty(std::chrono::steady_clock::duration patience)
    {
        const auto home = co_await asio::this_coro::executor;
        const auto timer = std::make_shared<asio::steady_timer>(home, patience);
        if (!wake_when_empty(timer)) co_return;
        boost::system::error_code ignored;
        co_await timer->async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }

    std::size_t size() const
    {
        const std::lock_guard lock{mutex_};
        return children_.size();
    }

private:
    using Children = std::list<Child>;

    void launch(Children::iterator child, asio::awaitable<void> task)
    {
        auto ended = [self = shared_from_this(), child](const std::exception_ptr& thrown) {
            if (thrown) report(thrown);
            self->erase(child);
        };
        const auto slot = child->signal->slot();
        asio::co_spawn(child->where, std::move(task), asio::bind_cancellation_slot(slot, std::move(ended)));
    }

    void erase(Children::iterator child)
    {
        // Asio still touches the slot when this returns: the signal goes with a later step of the same executor.
        const std::lock_guard lock{mutex_};
        asio::post(child->where, [signal = child->signal] {});
        children_.erase(child);
        if (!children_.empty() || !timer_) return;
        // Set off rather than cancelled on the spot: a timer belongs to its loop.
        asio::post(timer_->get_executor(), [timer = timer_] { timer->cancel(); });
        timer_.reset();
    }

    bool wake_when_empty(std::shared_ptr<asio::steady_timer> timer)
    {
        const std::lock_guard lock{mutex_};
        if (children_.empty()) return false;
        timer_ = std::move(timer);
        return true;
    }

    mutable std::mutex mutex_;
    Children children_;
    bool closed_ = false;
    std::shared_ptr<asio::steady_timer> timer_;
};

TaskGroup::TaskGroup() : state_{std::make_shared<State>()} {}

TaskGroup::~TaskGroup()
{
    state_->close();
}

bool TaskGroup::spawn(asio::any_io_executor where, asio::awaitable<void> task)
{
    return state_->spawn(std::move(where), std::move(task));
}

asio::awaitable<std::size_t> TaskGroup::drain(std::chrono::steady_clock::duration patience)
{
    const auto state = state_;
    state->close();
    state->ask(asio::cancellation_type::total);
    co_await state->wait_until_empty(patience);
    if (state->size() != 0) {
        state->ask(asio::cancellation_type::terminal);
        co_await state->wait_until_empty(patience);
    }
    co_return state->size();
}

std::size_t TaskGroup::size() const
{
    return state_->size();
}

}  // namespace entrepot
