#pragma once

#include "core/bell.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>

namespace entrepot {

// One after another for each name. Safe from any thread.
class Turns {
public:
    class Turn {
    public:
        Turn(Turns& turns, std::string name) : turns_{&turns}, name_{std::move(name)} {}
        ~Turn() { end(); }
        Turn(Turn&& other) noexcept : turns_{std::exchange(other.turns_, nullptr)}, name_{std::move(other.name_)} {}
        Turn(const Turn&) = delete;
        Turn& operator=(const Turn&) = delete;
        Turn& operator=(Turn&&) = delete;

    private:
        void end()
        {
            if (turns_ != nullptr) turns_->give_back(name_);
        }
        Turns* turns_;
        std::string name_;
    };

    asio::awaitable<Turn> take(std::string name)
    {
        for (;;) {
            const auto heard = bell_.rung();
            {
                const std::lock_guard lock{mutex_};
                if (taken_.insert(name).second) co_return Turn{*this, std::move(name)};
            }
            co_await bell_.wait(heard, std::chrono::seconds{1});
        }
    }

private:
    void give_back(const std::string& name)
    {
        {
            const std::lock_guard lock{mutex_};
            taken_.erase(name);
        }
        bell_.ring();
    }

    std::mutex mutex_;
    std::set<std::string> taken_;
    Bell bell_;
};

}  // namespace entrepot
