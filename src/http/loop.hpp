#pragma once

#include "core/address.hpp"
#include "core/token_bucket.hpp"
#include "http/admission.hpp"
#include "http/inbound_request.hpp"
#include "http/server.hpp"
#include "http/timer_wheel.hpp"
#include "http/tls_context.hpp"
#include "http/transport.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/smart_ptr/intrusive_ptr.hpp>

#include <array>
#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace entrepot::http {

class Connection;

// A descriptor bound to a loop by type: the general executor costs a little at every wait.
using LoopDescriptor = asio::posix::basic_stream_descriptor<asio::io_context::executor_type>;

// What all loops of a server share.
struct Shared {
    Shared(HttpLimits wanted, const Clock& time);

    const HttpLimits limits;
    const Clock& clock;
    const CidrList trusted;
    Admission admission;
    std::atomic<std::uint64_t> in_flight{0};
    std::mutex mutex;
    std::condition_variable quiet;  // signalled under the mutex when a draining loop's last connection has ended
};

// A listener as its connections see it.
struct Endpoint {
    explicit Endpoint(ListenerOptions wanted) : options{std::move(wanted)}, bucket{options.bytes_per_second} {}

    const ListenerOptions options;
    TokenBucket bucket;
    std::unique_ptr<TlsIdentity> tls;
    std::uint16_t port = 0;
};

// Written by its loop alone, read by anyone.
class Counter {
public:
    void add(std::uint64_t amount = 1) noexcept
    {
        value_.store(value_.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
    }
    std::uint64_t get() const noexcept { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<std::uint64_t> value_{0};
};

struct LoopCounters {
    Counter opened, ended, refused, requests, bad_requests, bytes_in, bytes_out;
    std::array<Counter, 6> answers;
};

// One thread's event loop with the connections that live on it. Everything but counters(), context() and post()ed work
// is for that thread alone.
class Loop {
public:
    Loop(Shared& shared, unsigned index);
    ~Loop();
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    asio::io_context& context() noexcept { return context_; }
    const LoopCounters& counters() const noexcept { return counters_; }
    LoopCounters& counters() noexcept { return counters_; }
    Shared& shared() noexcept { return shared_; }

    // Runs until stopped; a second-long tick drives deadlines and the Date line.
    void run();

    TimerWheel& wheel() noexcept { return wheel_; }
    SharedBuffers& buffers() noexcept { return buffers_; }
    RequestIds& ids() noexcept { return ids_; }
    std::string_view date_line() const noexcept { return date_line_; }
    bool draining() const noexcept { return draining_; }

    // Calls the connection back in a moment: its listener's rate is used up.
    void pause(boost::intrusive_ptr<Connection> connection);
    void enter(Connection& connection);
    void leave(Connection& connection) noexcept;

    // Closes what is idle and, from now on, everything after its current answer.
    void drain(std::chrono::seconds stalled, std::chrono::seconds longest);

private:
    void await_tick();
    void tick();
    void resume_paused();
    void cut_stalled();
    std::vector<boost::intrusive_ptr<Connection>> all();

    Shared& shared_;
    LoopCounters counters_;
    TimerWheel wheel_;
    SharedBuffers buffers_;
    RequestIds ids_;
    std::string date_line_;
    std::vector<Connection*> connections_;  // each knows its place
    bool draining_ = false;
    Tick stalled_ = 0;
    Tick cut_at_ = 0;
    asio::io_context context_{1};  // destroyed first: the connections that its operations hold still need the rest
    asio::steady_timer ticker_{context_};
    asio::steady_timer pause_timer_{context_};
    std::vector<boost::intrusive_ptr<Connection>> paused_;
};

}  // namespace entrepot::http
