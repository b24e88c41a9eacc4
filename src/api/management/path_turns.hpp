#pragma once

#include "core/completion.hpp"

#include <deque>
#include <mutex>
#include <string>
#include <unordered_map>

namespace entrepot {

// Lets one request at a time through to a path, in the order of their arrival. Safe from any thread; it outlives its
// turns.
class PathTurns {
public:
    // Ends with its destruction; the next one in line resumes on its own executor.
    class Turn {
    public:
        Turn(PathTurns& turns, std::string path) : turns_{&turns}, path_{std::move(path)} {}
        Turn(Turn&& other) noexcept : turns_{std::exchange(other.turns_, nullptr)}, path_{std::move(other.path_)} {}
        Turn& operator=(Turn&&) = delete;
        ~Turn()
        {
            if (turns_) turns_->leave(path_);
        }

    private:
        PathTurns* turns_;
        std::string path_;
    };
    Task<Turn> wait(std::string path);

private:
    void leave(const std::string& path);

    std::mutex mutex_;
    std::unordered_map<std::string, std::deque<Completion<bool>>> waiting_;  // of paths that somebody is let through to
};

}  // namespace entrepot
