#include "api/management/path_turns.hpp"

#include <optional>

namespace entrepot {

Task<PathTurns::Turn> PathTurns::wait(std::string path)
{
    CO_CHECK(co_await completed_by<bool>([this, path](Completion<bool> ours) {
        {
            const std::lock_guard lock{mutex_};
            const auto [line, is_first] = waiting_.try_emplace(path);
            if (!is_first) {
                line->second.push_back(std::move(ours));
                return;
            }
        }
        ours.complete(true);
    }));
    co_return Turn{*this, std::move(path)};
}

void PathTurns::leave(const std::string& path)
{
    std::optional<Completion<bool>> next;
    {
        const std::lock_guard lock{mutex_};
        const auto line = waiting_.find(path);
        if (line->second.empty()) {
            waiting_.erase(line);
            return;
        }
        next.emplace(std::move(line->second.front()));
        line->second.pop_front();
    }
    next->complete(true);
}

}  // namespace entrepot
