#include "http/server.hpp"

#include "core/log.hpp"
#include "http/connection.hpp"
#include "http/listener.hpp"

#include <boost/asio/post.hpp>

#include <future>
#include <stdexcept>
#include <thread>

namespace entrepot {

class HttpServer::State {
public:
    State(HttpLimits limits, const Clock& clock) : shared{std::move(limits), clock} {}

    http::Shared shared;
    std::vector<std::unique_ptr<http::Endpoint>> endpoints;
    std::vector<std::unique_ptr<http::Loop>> loops;
    std::vector<std::vector<std::unique_ptr<http::Acceptor>>> acceptors;  // by loop
    std::vector<std::thread> threads;
    bool stopped = false;

    bool quiet() const { return shared.admission.open() == 0; }
};

HttpServer::HttpServer(std::vector<ListenerOptions> listeners, HttpLimits limits, const Clock& clock, unsigned loops)
    : state_{std::make_unique<State>(std::move(limits), clock)}
{
    if (loops == 0) loops = 1;
    for (unsigned i = 0; i < loops; ++i) state_->loops.push_back(std::make_unique<http::Loop>(state_->shared, i));
    state_->acceptors.resize(loops);
    for (auto& options : listeners) {
        auto& endpoint = *state_->endpoints.emplace_back(std::make_unique<http::Endpoint>(std::move(options)));
        if (endpoint.options.tls) {
            auto context = http::load_tls(*endpoint.options.tls);
            if (!context) throw std::runtime_error{context.error().message() + ": " + context.error().detail()};
            endpoint.tls = std::make_unique<http::TlsIdentity>(*endpoint.options.tls, *std::move(context));
        }
        const auto sockets = http::open_listener(endpoint, loops);
        for (unsigned i = 0; i < loops; ++i) {
            for (const int descriptor : sockets[i]) {
                state_->acceptors[i].push_back(std::make_unique<http::Acceptor>(*state_->loops[i], endpoint, descriptor)
                );
            }
        }
    }
}

HttpServer::~HttpServer()
{
    stop();
    state_->acceptors.clear();
    state_->loops.clear();
}

void HttpServer::start()
{
    for (std::size_t i = 0; i < state_->loops.size(); ++i) {
        for (const auto& acceptor : state_->acceptors[i]) acceptor->start();
        state_->threads.emplace_back([loop = state_->loops[i].get()] { loop->run(); });
    }
}

std::uint16_t HttpServer::port(std::size_t listener) const
{
    return state_->endpoints.at(listener)->port;
}

asio::any_io_executor HttpServer::executor(unsigned loop)
{
    return state_->loops.at(loop % state_->loops.size())->context().get_executor();
}

Result<> HttpServer::reload_tls()
{
    std::vector<std::pair<http::TlsIdentity*, http::SslContext>> loaded;
    for (const auto& endpoint : state_->endpoints) {
        if (!endpoint->tls) continue;
        TRY(auto context, http::load_tls(endpoint->tls->files()));
        loaded.emplace_back(endpoint->tls.get(), std::move(context));
    }
    for (auto& [identity, context] : loaded) identity->replace(std::move(context));
    return {};
}

std::vector<std::pair<std::string, Micros>> HttpServer::certificate_ends() const
{
    std::vector<std::pair<std::string, Micros>> ends;
    for (const auto& endpoint : state_->endpoints) {
        if (endpoint->tls) ends.emplace_back(endpoint->options.name, http::expiry_of(endpoint->tls->get()));
    }
    return ends;
}

void HttpServer::drain(std::chrono::seconds stalled, std::chrono::seconds longest)
{
    if (state_->threads.empty() || state_->stopped) return;
    std::vector<std::future<void>> begun;
    for (std::size_t i = 0; i < state_->loops.size(); ++i) {
        std::promise<void> promise;
        begun.push_back(promise.get_future());
        asio::post(
            state_->loops[i]->context(),
            [loop = state_->loops[i].get(),
             &acceptors = state_->acceptors[i],
             stalled,
             longest,
             done = std::move(promise)]() mutable {
                loop->drain(stalled, longest);
                for (const auto& acceptor : acceptors) acceptor->close();
                done.set_value();
            }
        );
    }
    for (auto& loop : begun) loop.wait();
    std::unique_lock lock{state_->shared.mutex};
    // A little longer than the loops take to cut what is left, for coroutines that only then see it.
    const auto last = std::chrono::steady_clock::now() + longest + std::chrono::seconds{3};
    if (!state_->shared.quiet.wait_until(lock, last, [this] { return state_->quiet(); })) {
        log::warning("requests are still at work after the drain");
    }
}

void HttpServer::stop()
{
    if (std::exchange(state_->stopped, true)) return;
    for (const auto& loop : state_->loops) loop->context().stop();
    for (auto& thread : state_->threads) thread.join();
}

HttpCounters HttpServer::counters() const
{
    HttpCounters sum;
    for (const auto& loop : state_->loops) {
        const auto& of_loop = loop->counters();
        // Ended is read first, so that open can't come out below zero.
        const auto ended = of_loop.ended.get();
        const auto opened = of_loop.opened.get();
        sum.connections_open += opened > ended ? opened - ended : 0;
        sum.connections_accepted += opened;
        sum.connections_refused += of_loop.refused.get();
        sum.requests += of_loop.requests.get();
        sum.bad_requests += of_loop.bad_requests.get();
        sum.bytes_in += of_loop.bytes_in.get();
        sum.bytes_out += of_loop.bytes_out.get();
        for (std::size_t i = 0; i < of_loop.answers.size(); ++i) sum.answers[i] += of_loop.answers[i].get();
    }
    sum.in_flight = state_->shared.in_flight.load(std::memory_order_relaxed);
    return sum;
}

}  // namespace entrepot
