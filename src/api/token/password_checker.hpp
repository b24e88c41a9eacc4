#pragma once

#include "api/token/login_throttle.hpp"
#include "core/completion.hpp"

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace entrepot {

// Checks passwords on two threads of its own. Per user one check runs at a time; requests with the same secret share
// its outcome. Sources take turns, so one that floods the queue holds up itself. Failures feed the throttle. Safe from
// any thread; whoever waits resumes on its own executor.
class PasswordChecker {
public:
    struct Check {
        std::string user;
        std::string source;
        std::string password;
        std::string encoded;      // Argon2id; empty for a user that doesn't exist: false, after the same time
        std::string alternative;  // another secret that will do (a CLI secret); empty: none, after the same time
        std::string tag;          // the same for the same user, secret and credential version only
    };

    explicit PasswordChecker(LoginThrottle& throttle, unsigned threads = 2);
    ~PasswordChecker();
    PasswordChecker(const PasswordChecker&) = delete;
    PasswordChecker& operator=(const PasswordChecker&) = delete;

    // Whether it is the password. too_many_requests while the throttle holds this user at this source; unavailable
    // when too many checks wait.
    Task<bool> check(Check check);

    // Any other password hashing, between the checks: `work` runs on one of the threads and must not throw. unavailable
    // when too much waits.
    Task<std::string> run(std::function<Result<std::string>()> work);

    // Whoever still waits gets unavailable; joins the threads. Before the waiting loops end, at the latest.
    void stop();

    // How many checks have run, and how many times they computed Argon2id: one time for what is right at once, two
    // for everything else.
    std::uint64_t checks_run() const noexcept;
    std::uint64_t hashes_run() const noexcept { return hashes_run_.load(); }

private:
    struct Waiter {
        std::string source;
        Completion<bool> completion;
    };
    struct Job;
    using Lane = std::deque<std::shared_ptr<Job>>;

    void enqueue(Check check, Completion<bool> completion);
    void work();
    std::shared_ptr<Job> take();
    std::shared_ptr<Job> take_from(Lane& lane);
    void perform(Job& job);
    bool is_right(const Check& check);
    std::vector<Waiter> split_throttled(Job& job);
    void finish(Job& job, bool right);

    LoginThrottle& throttle_;
    mutable std::mutex mutex_;
    std::condition_variable arrived_;
    std::map<std::string, Lane, std::less<>> lanes_;  // by source
    std::string last_lane_;
    std::map<std::string, std::shared_ptr<Job>, std::less<>> jobs_;  // by tag: queued and running
    std::set<std::string, std::less<>> busy_;                        // users whose check runs
    std::deque<std::function<void()>> others_;
    std::size_t queued_ = 0;
    std::uint64_t checks_run_ = 0;
    std::atomic<std::uint64_t> hashes_run_ = 0;
    bool stopping_ = false;
    std::vector<std::jthread> threads_;
};

}  // namespace entrepot
