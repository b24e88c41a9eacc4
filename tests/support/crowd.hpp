#pragma once

#include <atomic>
#include <thread>
#include <utility>
#include <vector>

namespace entrepot::contract {

// Threads that are joined even when a test leaves early.
class Crowd {
public:
    template <class Work>
    void add(Work work)
    {
        threads_.emplace_back(std::move(work));
    }
    ~Crowd() { join(); }
    void join()
    {
        for (std::thread& thread : threads_) {
            if (thread.joinable()) thread.join();
        }
    }

private:
    std::vector<std::thread> threads_;
};

// Tells such threads to stop, also when a test leaves early: to be made after them.
class SetAtEnd {
public:
    explicit SetAtEnd(std::atomic<bool>& flag) : flag_{flag} {}
    ~SetAtEnd() { flag_ = true; }
    SetAtEnd(const SetAtEnd&) = delete;
    SetAtEnd& operator=(const SetAtEnd&) = delete;

private:
    std::atomic<bool>& flag_;
};

}  // namespace entrepot::contract
