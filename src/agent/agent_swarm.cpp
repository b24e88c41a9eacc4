#include "agent/agent_swarm.hpp"

#include "agent/agent_swarm_state.hpp"
#include "client/http_url.hpp"
#include "core/bytes.hpp"
#include "core/log.hpp"
#include "swarm/net/local_binding.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include <utility>

namespace entrepot {

namespace {

using namespace std::chrono_literals;

constexpr auto drain_patience = 10s;

void add_counts(const SwarmSession& session, PeerCounts& sum, std::uint64_t& duplicate_bytes)
{
    if (!session.peer) return;
    const auto& counts = session.peer->counts();
    sum.duplicates += counts.duplicates;
    sum.timeouts += counts.timeouts;
    sum.refusals += counts.refusals;
    sum.rewires += counts.rewires;
    // The last piece of a blob is shorter.
    duplicate_bytes += counts.duplicates * session.layout.piece_bytes();
}

}  // namespace

AgentSwarm::State::State(
    asio::any_io_executor loop,
    AgentSwarmSettings settings,
    NodeCredentials credentials,
    HttpClient client,
    asio::thread_pool& pool,
    const Clock& clock,
    std::uint64_t random_seed
)
    : loop_{loop},
      settings_{std::move(settings)},
      credentials_{std::move(credentials)},
      client_{std::move(client)},
      pool_{pool},
      clock_{clock},
      random_{random_seed},
      holdings_epoch_{static_cast<std::uint64_t>(clock.now())},
      copies_{settings_.others_hold, settings_.remember_others},
      identity_{loop},
      ticks_{loop}
{
}

void AgentSwarm::State::start()
{
    tasks_.spawn(loop_, keep_identity());
    tasks_.spawn(loop_, keep_time());
}

asio::awaitable<void> AgentSwarm::State::stop()
{
    stopping_ = true;
    identity_.wake();
    ticks_.wake();
    if (home_) {
        co_await home_->stop();
        forget_stream(*home_);
    }
    while (!asides_.empty()) {
        const auto aside = std::move(asides_.back());
        asides_.pop_back();
        forget_stream(*aside);
        co_await aside->stop();
    }
    if (network_) co_await network_->stop();
    const auto left = co_await tasks_.drain(drain_patience);
    if (left > 0) log::warning("the swarm has not come to its end", {{"tasks", static_cast<std::uint64_t>(left)}});
}

asio::awaitable<void> AgentSwarm::State::keep_time()
{
    while (!stopping_) {
        co_await ticks_.wait(now() + settings_.look_interval);
        if (stopping_) co_return;
        end_rights();
        look_after();
        look_after_asides();
        report();
        make_way();
        apply_rates();
        publish();
    }
}

// Before a swarm is left, whose own counts go with it.
void AgentSwarm::State::keep_counts(const SwarmId& id)
{
    const auto* const session = network_ ? network_->node().find(id) : nullptr;
    if (session != nullptr) add_counts(*session, left_, left_duplicate_bytes_);
}

void AgentSwarm::State::publish()
{
    counters_.swarms = lives_.size();
    counters_.asides = asides_.size();
    counters_.complete = 0;
    counters_.peers = left_;
    counters_.duplicate_bytes = left_duplicate_bytes_;
    if (network_) {
        counters_.network = network_->counters();
        for (const auto& [id, life] : lives_) {
            const auto* const session = network_->node().find(id);
            if (session == nullptr) continue;
            if (session->complete()) ++counters_.complete;
            add_counts(*session, counters_.peers, counters_.duplicate_bytes);
        }
    }
    counters_.tickets_refused = desk_.refused();
    counters_.certificate_ends = adopted_ ? adopted_->ends : 0;
    const std::lock_guard guard{mutex_};
    published_ = counters_;
}

std::optional<std::string> AgentSwarm::State::node() const
{
    const std::lock_guard guard{mutex_};
    return published_node_;
}

AgentSwarmCounters AgentSwarm::State::counters() const
{
    const std::lock_guard guard{mutex_};
    return published_;
}

// ---- the outside

AgentSwarm::AgentSwarm(std::unique_ptr<asio::io_context> loop, std::unique_ptr<State> state)
    : loop_{std::move(loop)}, state_{std::move(state)}, thread_{[this] {
          const auto work = asio::make_work_guard(*loop_);
          loop_->run();
      }}
{
    asio::post(*loop_, [this] { state_->start(); });
}

AgentSwarm::~AgentSwarm()
{
    // What is told after this has no effect: the loop ends with stop().
    asio::co_spawn(*loop_, state_->stop(), [this](const std::exception_ptr&) { loop_->stop(); });
    thread_.join();
}

std::optional<std::string> AgentSwarm::node() const
{
    return state_->node();
}

void AgentSwarm::bring(AgentImagePtr image, std::string ticket, bool urgent)
{
    asio::post(*loop_, [this, image = std::move(image), ticket = std::move(ticket), urgent]() mutable {
        state_->bring(std::move(image), std::move(ticket), urgent);
    });
}

void AgentSwarm::urge(const SwarmId& image, ChunkSpan chunks)
{
    asio::post(*loop_, [this, image, chunks] { state_->urge(image, chunks); });
}

void AgentSwarm::came(const SwarmId& image, ChunkIndex chunk)
{
    asio::post(*loop_, [this, image, chunk] { state_->came(image, chunk); });
}

void AgentSwarm::ahead(const SwarmId& image, std::uint64_t rate)
{
    asio::post(*loop_, [this, image, rate] { state_->ahead(image, rate); });
}

void AgentSwarm::leave_ahead(const SwarmId& image)
{
    asio::post(*loop_, [this, image] { state_->leave_ahead(image); });
}

void AgentSwarm::tell(PreheatProgressFrame progress)
{
    asio::post(*loop_, [this, progress = std::move(progress)] { state_->tell(progress); });
}

bool AgentSwarm::connected() const noexcept
{
    return state_->is_connected();
}

std::uint16_t AgentSwarm::port() const noexcept
{
    return state_->port();
}

AgentSwarmCounters AgentSwarm::counters() const
{
    return state_->counters();
}

Result<std::unique_ptr<AgentSwarm>>
make_agent_swarm(AgentSwarmSettings settings, asio::thread_pool& pool, const Clock& clock, Random& random)
{
    if (!is_node_name(settings.name)) return fail(Errc::bad_request, "not a node's name: " + settings.name);
    if (!is_zone_name(settings.zone)) return fail(Errc::bad_request, "not a zone's name");
    CHECK(parse_http_url(settings.registry));
    CHECK(LocalBinding::of(settings.binding));
    HttpClientOptions options;
    options.ca_file = settings.ca_file;
    TRY(auto client, HttpClient::create(std::move(options)));
    TRY(auto credentials, NodeCredentials::open(settings.directory, random));
    std::uint64_t seed = 0;
    random.fill(std::as_writable_bytes(std::span{&seed, 1}));
    auto loop = std::make_unique<asio::io_context>(1);
    auto state = std::make_unique<AgentSwarm::State>(
        loop->get_executor(), std::move(settings), std::move(credentials), std::move(client), pool, clock, seed
    );
    return std::make_unique<AgentSwarm>(std::move(loop), std::move(state));
}

}  // namespace entrepot
