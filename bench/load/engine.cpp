#include "engine.hpp"

#include <sys/epoll.h>
#include <unistd.h>

#include <iostream>
#include <string>
#include <utility>

#include <openssl/ssl.h>

namespace entrepot::load {
namespace {

constexpr std::size_t scratch_bytes = 256 * 1024;
constexpr std::uint64_t too_many_errors = 100;
constexpr std::chrono::seconds grace{60};
// For runs that end by count.
constexpr std::chrono::seconds longest_count_run{600};

class Engine {
public:
    Engine(const Load& load, const ScriptFactory& make_script)
        : load_(load),
          tls_(load.target.tls ? make_client_context() : nullptr),
          poll_(::epoll_create1(EPOLL_CLOEXEC)),
          scratch_(scratch_bytes)
    {
        for (int i = 0; i < load.connections; ++i) {
            connections_.push_back(std::make_unique<Connection>(load_.target, tls_, make_script(i), statistics_));
        }
        writing_.assign(connections_.size(), false);
        playing_.assign(connections_.size(), true);
    }

    ~Engine()
    {
        connections_.clear();
        if (tls_ != nullptr) SSL_CTX_free(tls_);
        ::close(poll_);
    }
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    Statistics run()
    {
        wait_for_go(load_.wait_for_go);
        const auto began = Clock::now();
        const auto planned = std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(load_.seconds));
        stop_at_ = load_.seconds > 0 ? began + planned : Clock::time_point::max();
        give_up_at_ = load_.seconds > 0 ? stop_at_ + grace : began + longest_count_run;
        left_ = connections_.size();
        statistics_.open_at_once = left_;
        for (std::size_t i = 0; i < connections_.size(); ++i) {
            watch(i, EPOLL_CTL_ADD, false);
            after(i, connections_[i]->begin(false));
        }
        loop();
        statistics_.seconds = std::chrono::duration<double>(Clock::now() - began).count();
        return std::move(statistics_);
    }

private:
    void loop()
    {
        while (left_ > 0 && statistics_.errors < too_many_errors) {
            epoll_event events[256];
            const int count = ::epoll_wait(poll_, events, 256, again_.empty() ? 100 : 0);
            const auto now = Clock::now();
            stopping_ = now >= stop_at_;
            if (now >= give_up_at_) {
                for (; left_ > 0; --left_) statistics_.error("no answer in time");
                return;
            }
            const auto again = std::exchange(again_, {});
            for (const auto index : again) go_on(index);
            for (int i = 0; i < count; ++i) go_on(static_cast<std::size_t>(events[i].data.u64));
        }
    }

    void go_on(std::size_t index)
    {
        if (playing_[index]) after(index, connections_[index]->go_on(scratch_, stopping_));
    }

    void after(std::size_t index, Connection::Progress progress)
    {
        switch (progress) {
            case Connection::Progress::waits_to_read: want(index, false); break;
            case Connection::Progress::waits_to_write: want(index, true); break;
            case Connection::Progress::has_more: again_.push_back(index); break;
            // A reconnected stream is a new descriptor, which may have had its request sent only in part.
            case Connection::Progress::reconnected: watch(index, EPOLL_CTL_ADD, true); break;
            case Connection::Progress::finished:
                ::epoll_ctl(poll_, EPOLL_CTL_DEL, connections_[index]->descriptor(), nullptr);
                playing_[index] = false;
                --left_;
                break;
        }
    }

    void want(std::size_t index, bool writing)
    {
        if (writing_[index] != writing) watch(index, EPOLL_CTL_MOD, writing);
    }

    void watch(std::size_t index, int operation, bool writing)
    {
        writing_[index] = writing;
        epoll_event event{};
        event.events = writing ? EPOLLIN | EPOLLOUT : EPOLLIN;
        event.data.u64 = index;
        ::epoll_ctl(poll_, operation, connections_[index]->descriptor(), &event);
    }

    Load load_;
    SSL_CTX* tls_;
    int poll_;
    std::vector<char> scratch_;
    Statistics statistics_;
    std::vector<std::unique_ptr<Connection>> connections_;
    std::vector<bool> writing_;
    std::vector<bool> playing_;
    std::vector<std::size_t> again_;
    std::size_t left_ = 0;
    bool stopping_ = false;
    Clock::time_point stop_at_;
    Clock::time_point give_up_at_;
};

}  // namespace

void wait_for_go(bool wanted)
{
    if (!wanted) return;
    std::cout << "ready" << std::endl;
    std::string line;
    std::getline(std::cin, line);
}

Statistics play(const Load& load, const ScriptFactory& make_script)
{
    return Engine{load, make_script}.run();
}

}  // namespace entrepot::load
