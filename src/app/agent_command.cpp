#include "app/agent_command.hpp"

#include "agent/agent.hpp"
#include "agent/agent_data.hpp"
#include "agent/agent_swarm.hpp"
#include "app/exit_code.hpp"
#include "app/version.hpp"
#include "core/log.hpp"
#include "core/random.hpp"

#include <cstdio>
#include <fstream>
#include <iterator>

#include <malloc.h>
#include <pthread.h>
#include <signal.h>

namespace entrepot {
namespace {

int complain(int code, const std::string& message)
{
    std::fprintf(stderr, "entrepot: %s\n", message.c_str());
    return code;
}

// Blocks the signals that run_agent() waits for, in this thread and all that it starts.
sigset_t block_stop_signals()
{
    sigset_t signals;
    sigemptyset(&signals);
    for (const int signal : {SIGTERM, SIGINT}) sigaddset(&signals, signal);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    return signals;
}

// A node's memory is for its pods: few arenas, and large blocks go back to the system at once.
void bound_agent_heap()
{
    mallopt(M_MMAP_THRESHOLD, 1 << 18);
    mallopt(M_ARENA_MAX, 2);
}

// Nothing where no token says that there is one.
Result<std::unique_ptr<ImageCarrier>> swarm_of(const AgentSwarmNeeds& needs, Random& random)
{
    const auto& config = needs.config;
    if (config.bootstrap_token_file.empty()) return std::unique_ptr<ImageCarrier>{};
    const auto& address = config.peer_listen.address;
    AgentSwarmSettings settings;
    settings.registry = config.registry;
    settings.ca_file = config.ca_file;
    settings.directory = config.data / "node";
    settings.token_file = config.bootstrap_token_file;
    settings.name = config.node;
    settings.zone = config.zone;
    settings.binding = address == "0.0.0.0" || address == "::" ? std::string{} : address;
    settings.port = config.peer_listen.port;
    if (config.rate_up != 0) settings.up = settings.link = config.rate_up;
    if (config.rate_down != 0) settings.down = config.rate_down;
    settings.polite = config.polite;
    settings.revoked = needs.revoked;
    settings.preheat = needs.preheat;
    settings.others_hold = [&store = needs.store](const Sha256& blob, std::optional<std::uint32_t> others) {
        store.set_other_holders(blob, others);
    };
    return make_agent_swarm(std::move(settings), needs.pool, needs.clock, random);
}

const char* word_of(MirrorChange::Kind kind, bool dry_run)
{
    switch (kind) {
        case MirrorChange::Kind::written: return dry_run ? "would write" : "wrote";
        case MirrorChange::Kind::removed: return dry_run ? "would remove" : "removed";
        case MirrorChange::Kind::same: return "as it should be:";
        case MirrorChange::Kind::absent: return "not there:";
    }
    return "";
}

// The exit code.
int remove_data(const std::filesystem::path& data, bool dry_run)
{
    const auto found = agent_data_at(data);
    if (!found) return complain(exit_code::failure, found.error().message());
    if (!dry_run) {
        const auto removed = remove_agent_data(data);
        if (!removed) return complain(exit_code::failure, removed.error().message());
    }
    const auto kind = *found == AgentData::none ? MirrorChange::Kind::absent : MirrorChange::Kind::removed;
    std::printf("%s %s\n", word_of(kind, dry_run), data.c_str());
    return exit_code::success;
}

}  // namespace

int run_agent(const AgentCommand& command)
{
    std::string yaml;
    if (command.config_file) {
        std::ifstream stream{*command.config_file, std::ios::binary};
        yaml.assign(std::istreambuf_iterator<char>{stream}, {});
        if (!stream.is_open() || stream.bad())
            return complain(exit_code::configuration, *command.config_file + ": can't be read");
    }
    auto config = parse_agent_config(yaml, command.config_file.value_or(""), command.settings);
    if (!config) return complain(exit_code::configuration, config.error().message());
    const auto signals = block_stop_signals();
    bound_agent_heap();
    log::configure(config->log_level, log::Format::text);

    const SystemClock clock;
    const auto registry = config->registry;
    SystemRandom random;
    const auto make_swarm = [&random](const AgentSwarmNeeds& needs) { return swarm_of(needs, random); };
    auto agent = Agent::create(*std::move(config), clock, make_swarm, {});
    if (!agent) {
        const auto& error = agent.error();
        const auto detail = error.detail().empty() ? std::string{} : " (" + error.detail() + ")";
        return complain(exit_code::failure, error.message() + detail);
    }
    (*agent)->start();
    log::info("serving", {{"version", version_text}, {"registry", registry}, {"port", int{(*agent)->port()}}});
    int signal = 0;
    while (sigwait(&signals, &signal) != 0) {
    }
    log::info("stopping");
    (*agent)->stop();
    log::info("stopped");
    return exit_code::success;
}

int run_agent_mirror(const AgentMirrorCommand& command)
{
    const auto files = mirror_files(command.files);
    if (!files) return complain(exit_code::usage, files.error().message());
    const auto changes =
        command.remove ? remove_mirror(*files, command.dry_run) : install_mirror(*files, command.dry_run);
    if (!changes) return complain(exit_code::failure, changes.error().message());
    for (std::size_t at = 0; at < changes->size(); ++at) {
        const auto& change = (*changes)[at];
        std::printf("%s %s\n", word_of(change.kind, command.dry_run), change.path.c_str());
        const bool shown = command.dry_run && change.kind == MirrorChange::Kind::written;
        if (shown) std::printf("%s\n", (*files)[at].text.c_str());
    }
    return command.data ? remove_data(*command.data, command.dry_run) : exit_code::success;
}

}  // namespace entrepot
