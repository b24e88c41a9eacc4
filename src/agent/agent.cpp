#include "agent/agent.hpp"

#include "agent/agent_handler.hpp"
#include "agent/agent_metrics.hpp"
#include "agent/preheat_jobs.hpp"
#include "client/http_url.hpp"
#include "core/ascii.hpp"
#include "core/log.hpp"
#include "core/pause.hpp"
#include "core/run_to_end.hpp"
#include "http/server.hpp"

#include <boost/asio/cancellation_state.hpp>

#include <atomic>
#include <optional>
#include <set>
#include <utility>

namespace entrepot {
namespace {

using namespace std::chrono_literals;

constexpr unsigned loops = 2;
constexpr std::size_t pool_threads = 4;
constexpr std::size_t most_grants = 1024;
constexpr std::size_t most_connections = 1024;
constexpr auto between_flushes = 5s;
// What nobody waits for waits so much longer for other nodes, before the registry is asked.
constexpr int patience_ahead = 10;

Task<> drain_group(TaskGroup& tasks)
{
    co_await tasks.drain(2s);
    co_return Result<>{};
}

// Makes what was written durable, and lets go of grants that have ended.
asio::awaitable<void> keep_up(ChunkFiles& store, PullGrants& grants, asio::thread_pool& pool)
{
    co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
    for (;;) {
        co_await pause(between_flushes);
        grants.sweep();
        auto flushing = offload(pool, [&store] { return store.flush(); });
        const auto done = co_await std::move(flushing);
        if (!done) log::failure(log::Level::warning, "keeping chunks", done.error());
    }
}

std::set<std::string> names_of(const AgentConfig& config, const RegistryClient& registry)
{
    std::set<std::string> names{config.serves.begin(), config.serves.end()};
    names.insert(registry.authority());
    if (const auto url = parse_http_url(config.registry)) {
        names.insert(url->host + ":" + std::to_string(url->port));
    }
    return names;
}

// Stands for a handler that is made after the listeners are: these give the loops that it needs.
class LateHandler final : public Handler {
public:
    std::optional<Response> peek(const Request& request) noexcept override { return handler->peek(request); }
    asio::awaitable<Response> handle(const Request& request, ByteSource& body) override
    {
        return handler->handle(request, body);
    }

    Handler* handler = nullptr;  // set before the loops run
};

}  // namespace

// In the order in which it is made; what loops and pools work on goes before them.
class Agent::State {
public:
    State(AgentConfig wanted, const Clock& time, Patience patient)
        : config{std::move(wanted)}, clock{time}, patience{patient}
    {
    }

    Result<> make(const AgentSwarmFactory& make_swarm);
    void listen();
    void compose();
    void take(const PreheatFrame& frame);
    std::string health() const;
    std::string metrics() const;

    const AgentConfig config;
    const Clock& clock;
    const Patience patience;
    AgentCounters counters;
    LateHandler door;
    LateHandler metrics_door;
    std::unique_ptr<HttpServer> server;
    asio::thread_pool pool{pool_threads};
    std::unique_ptr<ChunkFiles> store;
    std::unique_ptr<RegistryClient> registry;
    PullGrants grants{most_grants, clock};
    std::unique_ptr<ImageCarrier> carrier;
    PassedManifests manifests;
    TaskGroup tasks;
    std::optional<RangeFetches> fetches;
    std::optional<ImageDesk> desk;
    std::optional<PreheatJobs> preheats;
    std::optional<BlobAnswers> blobs;
    std::optional<AgentHandler> handler;
    std::optional<AgentMetricsHandler> metrics_handler;
    bool started = false;
    std::atomic<bool> composed{false};
};

Result<> Agent::State::make(const AgentSwarmFactory& make_swarm)
{
    TRY(registry, RegistryClient::create({.url = config.registry, .ca_file = config.ca_file}, counters));
    std::error_code failed;
    std::filesystem::create_directories(config.data, failed);
    if (failed) return fail(Errc::unavailable, config.data.string() + ": can't be made: " + failed.message());
    TRY(store, ChunkFiles::open({.root = config.data / "chunks", .budget_bytes = config.budget}, clock));
    try {
        listen();
    } catch (const std::exception& thrown) {
        return fail(Errc::unavailable, std::string{"the agent can't listen: "} + thrown.what());
    }
    if (make_swarm) {
        const AgentSwarmNeeds needs{
            .config = config,
            .store = *store,
            .pool = pool,
            .executor = server->executor(loops - 1),
            .clock = clock,
            .revoked = [this](const SwarmId& image) { grants.revoke(image); },
            .preheat = [this](const PreheatFrame& frame) { take(frame); },
        };
        TRY(carrier, make_swarm(needs));
    }
    compose();
    return {};
}

void Agent::State::listen()
{
    HttpLimits limits;
    limits.connections = most_connections;
    std::vector<ListenerOptions> listeners;
    listeners.push_back(
        {.name = "agent", .address = config.listen.address, .port = config.listen.port, .tls = {}, .handler = &door}
    );
    if (const auto& other = config.metrics_listen) {
        listeners.push_back(
            {.name = "metrics", .address = other->address, .port = other->port, .tls = {}, .handler = &metrics_door}
        );
    }
    server = std::make_unique<HttpServer>(std::move(listeners), std::move(limits), clock, loops);
}

void Agent::State::compose()
{
    fetches.emplace(*registry, carrier.get(), counters, tasks);
    desk.emplace(
        ImageDesk::Needs{
            .registry = *registry,
            .store = *store,
            .pool = pool,
            .grants = grants,
            .manifests = manifests,
            .carrier = carrier.get(),
            .counters = counters,
            .tasks = tasks,
        },
        ImageDesk::Options{}
    );
    preheats.emplace(
        PreheatJobs::Needs{
            .desk = *desk,
            .fetches = *fetches,
            .carrier = carrier.get(),
            .counters = counters,
            .tasks = tasks,
            .clock = clock,
            .where = server->executor(loops - 1),
        },
        PreheatJobs::Options{.patience = patience_ahead * config.patience}
    );
    blobs.emplace(BlobSources{
        .registry = *registry,
        .fetches = *fetches,
        .desk = *desk,
        .carrier = carrier.get(),
        .counters = counters,
        .tasks = tasks,
        .patience = {.swarm = config.patience, .give_up = patience.give_up},
    });
    handler.emplace(AgentHandler::Needs{
        .registry = *registry,
        .manifests = manifests,
        .blobs = *blobs,
        .names = names_of(config, *registry),
        .health = [this] { return health(); },
    });
    metrics_handler.emplace([this] { return metrics(); }, [this] { return health(); });
    door.handler = &*handler;
    metrics_door.handler = &*metrics_handler;
    composed = true;
}

// The carrier runs before all of this is there; what the registry wants it says again.
void Agent::State::take(const PreheatFrame& frame)
{
    if (composed) preheats->take(frame);
}

std::string Agent::State::health() const
{
    const auto reachable = registry->reachable();
    const auto statistics = store->statistics();
    const bool connected = carrier && carrier->connected();
    return std::string{R"({"ready":true,"registry_reachable":)"} +
           (!reachable   ? "null"
            : *reachable ? "true"
                         : "false") +
           R"(,"swarm_connected":)" + (connected ? "true" : "false") + R"(,"store_bytes":)" +
           std::to_string(statistics.used_bytes) + R"(,"store_budget_bytes":)" +
           std::to_string(statistics.budget_bytes) + "}\n";
}

std::string Agent::State::metrics() const
{
    MetricsText text;
    add_process_metrics(text);
    add_agent_metrics(text, counters);
    add_agent_http_metrics(text, server->counters());
    add_chunk_store_metrics(text, store->statistics());
    const auto reachable = registry->reachable();
    text.gauge(
        "entrepot_agent_registry_reachable", "Whether the registry answered last.", reachable.value_or(false) ? 1 : 0
    );
    text.gauge(
        "entrepot_agent_swarm_connected",
        "Whether there is a stream to the tracker.",
        carrier && carrier->connected() ? 1 : 0
    );
    if (carrier) carrier->add_metrics(text);
    return text.text();
}

Agent::Agent(std::unique_ptr<State> state) : state_{std::move(state)} {}

Result<std::unique_ptr<Agent>>
Agent::create(AgentConfig config, const Clock& clock, AgentSwarmFactory make_swarm, Patience patience)
{
    auto state = std::make_unique<State>(std::move(config), clock, patience);
    CHECK(state->make(make_swarm));
    return std::unique_ptr<Agent>{new Agent{std::move(state)}};
}

Agent::~Agent()
{
    stop();
}

void Agent::start()
{
    auto& state = *state_;
    state.started = true;
    state.server->start();
    (void)state.tasks.spawn(state.server->executor(), keep_up(*state.store, state.grants, state.pool));
}

void Agent::stop()
{
    auto& state = *state_;
    if (!std::exchange(state.started, false)) return;
    state.server->drain(state.patience.drain_stalled, state.patience.drain_longest);
    (void)run_to_end(drain_group(state.tasks));
    state.carrier.reset();
    state.server->stop();
    state.pool.join();
    const auto kept = state.store->flush();
    if (!kept) log::failure(log::Level::warning, "keeping chunks", kept.error());
}

std::uint16_t Agent::port() const
{
    return state_->server->port(0);
}

std::uint16_t Agent::metrics_port() const
{
    return state_->config.metrics_listen ? state_->server->port(1) : std::uint16_t{0};
}

std::string Agent::health() const
{
    return state_->health();
}

std::string Agent::metrics() const
{
    return state_->metrics();
}

}  // namespace entrepot
