#include "app/agent_options.hpp"

#include <algorithm>
#include <array>

namespace entrepot {
namespace {

constexpr std::string_view agent_help = R"(NAME
  entrepot agent - a registry on a node's loopback, for the images that its pods pull

SYNOPSIS
  entrepot agent --registry URL [--config FILE] [OPTIONS]
  entrepot agent install-mirror --registry HOST (--containerd DIR | --crio DIR | --podman FILE) [--agent URL] [--dry-run]
  entrepot agent remove-mirror --registry HOST (--containerd DIR | --crio DIR | --podman FILE) [--data DIR] [--dry-run]

DESCRIPTION
  Answers pulls on this node: with what is on its disk, what other nodes bring, and what the registry has. Whoever pulls
  does so with its own credentials, and gets what the registry allows it. SIGTERM and SIGINT stop it: transfers that make
  progress finish.

  install-mirror  makes a container runtime ask the agent first, and the registry where that does not answer: it writes
                  hosts.toml for containerd, a registries.conf file for CRI-O and Podman. Files that others have written
                  are left alone
  remove-mirror   takes these files away again; with --data also all that the agent has kept there, once it is stopped

OPTIONS
  --registry URL               The registry, as in https://registry.example.com; with the mirrors the name that images have
  --serves HOST                Another name of it, as images have it; may be repeated
  --listen ADDR:PORT           Where runtimes ask. Default: 127.0.0.1:5100
  --peer-listen ADDR:PORT      Where other nodes ask. Default: 0.0.0.0:7401
  --metrics-listen ADDR:PORT   Where /metrics and /healthz are; without it /healthz alone is, on --listen
  --data DIR                   Default: /var/lib/entrepot-agent
  --budget BYTES               Of disk for images, as in 20GiB. Default: 20GiB
  --node NAME                  This node. Default: the machine's name
  --zone ZONE                  Where it is: others of the zone are asked first
  --bootstrap-token-file FILE  The token with which the node gets its certificate
  --ca-file FILE               PEM with the authorities that vouch for the registry. Default: the system's
  --rate-up MBIT               To other nodes, in Mbit/s; 0 is no limit
  --rate-down MBIT             From other nodes
  --polite true|false          Make way for the node's other traffic. Default: false
  --patience TIME              That a pull has with other nodes bringing nothing, before it asks the registry. Default: 1s
  --log-level LEVEL            debug, info, warning or error. Default: info
  --config FILE                YAML with any of these, named with _ for -; the command line counts more
  --containerd DIR             containerd's config_path, as in /etc/containerd/certs.d
  --crio DIR                   As in /etc/containers/registries.conf.d
  --podman FILE                As in /etc/containers/registries.conf.d/50-entrepot.conf
  --agent URL                  Where runtimes find the agent. Default: http://127.0.0.1:5100
  --dry-run                    Tell what would be done and do nothing
  --help                       Print this

EXAMPLES
  entrepot agent --registry https://registry.example.com --zone fra1
  entrepot agent install-mirror --registry registry.example.com --containerd /etc/containerd/certs.d

EXIT CODES
  0   it was stopped; the files are as they should be
  1   it can't run; a file is not ours or can't be written
  64  wrong arguments
  78  wrong configuration
)";

constexpr std::array<std::string_view, 15> keys{
    "registry",
    "listen",
    "peer_listen",
    "metrics_listen",
    "data",
    "node",
    "zone",
    "budget",
    "ca_file",
    "rate_up",
    "rate_down",
    "polite",
    "patience",
    "log_level",
    "bootstrap_token_file",
};

}  // namespace

AgentOptions::AgentOptions(CLI::App& app)
    : agent_{app.add_subcommand("agent")},
      install_{agent_->add_subcommand("install-mirror")},
      remove_{agent_->add_subcommand("remove-mirror")}
{
    agent_->require_subcommand(0, 1);
    agent_->add_option("--config", config_file_);
    agent_->add_option("--serves", serves_)->allow_extra_args(false);
    for (const auto key : keys) {
        std::string option{"--"};
        option += key;
        std::ranges::replace(option, '_', '-');
        agent_->add_option_function<std::string>(option, [this, name = std::string{key}](const std::string& value) {
            values_[name] = value;
        });
    }
    for (auto* command : {install_, remove_}) {
        command->add_option("--registry", files_.registry);
        command->add_option("--containerd", containerd_);
        command->add_option("--crio", crio_);
        command->add_option("--podman", podman_);
        command->add_flag("--dry-run", dry_run_);
    }
    install_->add_option("--agent", files_.agent);
    remove_->add_option("--data", removed_data_);
}

std::string AgentOptions::complaint() const
{
    if (!install_->parsed() && !remove_->parsed()) return {};
    if (files_.registry.empty()) return "--registry is required: the name that images have";
    if (!containerd_ && !crio_ && !podman_) return "one of --containerd, --crio and --podman is required";
    return {};
}

std::optional<AgentCommand> AgentOptions::agent() const
{
    if (!agent_->parsed() || install_->parsed() || remove_->parsed()) return std::nullopt;
    AgentCommand command{.config_file = config_file_, .settings = {values_.begin(), values_.end()}};
    for (const auto& name : serves_) command.settings.emplace_back("serves", name);
    return command;
}

std::optional<AgentMirrorCommand> AgentOptions::mirror() const
{
    if (!install_->parsed() && !remove_->parsed()) return std::nullopt;
    AgentMirrorCommand command{.files = files_, .remove = remove_->parsed(), .dry_run = dry_run_};
    if (containerd_) command.files.containerd = *containerd_;
    if (crio_) command.files.crio = *crio_;
    if (podman_) command.files.podman = *podman_;
    if (removed_data_) command.data = *removed_data_;
    return command;
}

std::string AgentOptions::help() const
{
    return agent_->parsed() ? std::string{agent_help} : std::string{};
}

}  // namespace entrepot
