#include "tenancy/access_directory.hpp"

#include <exception>
#include <utility>

namespace entrepot {

// Whoever finds no read under way leads one, for itself and for all who wait by then, and hands the lead to one of
// those who came later.
Task<> AccessDirectory::catch_up()
{
    CO_TRY(const auto leads, co_await completed_by<bool>([this](Completion<bool> mine) {
               const std::lock_guard lock{mutex_};
               if (std::exchange(reading_, true)) {
                   waiting_.push_back(std::move(mine));
               } else {
                   mine.complete(true);
               }
           }));
    if (!leads) co_return Result<>{};

    auto group = take_waiting();
    const auto done = co_await read();
    for (auto& follower : group) {
        if (done) {
            follower.complete(false);
        } else {
            follower.complete(std::unexpected{done.error()});
        }
    }
    hand_over();
    co_return done;
}

std::vector<Completion<bool>> AccessDirectory::take_waiting()
{
    const std::lock_guard lock{mutex_};
    return std::exchange(waiting_, {});
}

void AccessDirectory::hand_over()
{
    const std::lock_guard lock{mutex_};
    if (waiting_.empty()) {
        reading_ = false;
        return;
    }
    auto next = std::move(waiting_.front());
    waiting_.erase(waiting_.begin());
    next.complete(true);
}

Task<> AccessDirectory::read()
{
    try {
        CO_TRY(auto changes, co_await catalog_.changes_since(policy_.version()));
        if (changes.complete || changes.version != policy_.version()) policy_.apply(std::move(changes));
        co_return Result<>{};
    } catch (const std::exception& thrown) {
        co_return fail(Errc::internal, "permissions could not be read", thrown.what());
    }
}

}  // namespace entrepot
