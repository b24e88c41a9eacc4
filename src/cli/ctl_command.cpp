#include "cli/ctl_command.hpp"

#include "cli/ctl_tables.hpp"

#include <array>
#include <iterator>

namespace entrepot {
namespace {

std::vector<CtlCommand> make_commands()
{
    std::vector<CtlCommand> all;
    for (auto* const make : {session_commands,     tenant_commands,      project_commands,  people_commands,
                             grant_commands,       robot_commands,       artifact_commands, rule_commands,
                             promotion_commands,   environment_commands, exchange_commands, synchronisation_commands,
                             trash_commands,       event_commands,       platform_commands, job_commands,
                             gc_commands,          scrub_commands,       swarm_commands,    preheat_commands,
                             swarm_image_commands, swarm_limit_commands, apply_commands,    own_commands}) {
        auto some = make();
        std::move(some.begin(), some.end(), std::back_inserter(all));
    }
    return all;
}

constexpr std::array groups{
    CtlGroup{"context", "the servers that one is logged in to"},
    CtlGroup{"tenant", "tenants"},
    CtlGroup{"tenant member", "who belongs to a tenant"},
    CtlGroup{"team", "teams of a tenant"},
    CtlGroup{"team member", "who is in a team"},
    CtlGroup{"project", "projects"},
    CtlGroup{"member", "who has which role in a project"},
    CtlGroup{"user", "local people"},
    CtlGroup{"group", "groups of outside directories"},
    CtlGroup{"role", "named sets of permissions"},
    CtlGroup{"grant", "who has which role on what"},
    CtlGroup{"robot", "accounts for machines"},
    CtlGroup{"token", "one's own access tokens"},
    CtlGroup{"repository", "repositories"},
    CtlGroup{"artifact", "images, charts and other artifacts"},
    CtlGroup{"tag", "tags of an artifact"},
    CtlGroup{"label", "labels, and what bears them"},
    CtlGroup{"immutable", "tags that can neither be moved nor deleted"},
    CtlGroup{"push-policy", "what projects demand of what is pushed"},
    CtlGroup{"retention", "which tags of a project are kept"},
    CtlGroup{"promotion", "artifacts on their way from one project to another"},
    CtlGroup{"check", "what tests and others report of artifacts"},
    CtlGroup{"registry", "registries elsewhere"},
    CtlGroup{"replication", "what is copied from and to registries elsewhere"},
    CtlGroup{"synchronisation", "projects that several sites hold"},
    CtlGroup{"trash", "what was deleted and can be brought back"},
    CtlGroup{"event", "what happens"},
    CtlGroup{"webhook", "who is told of what happens"},
    CtlGroup{"quota", "how much may be stored"},
    CtlGroup{"audit", "who did what"},
    CtlGroup{"job", "work that is done later"},
    CtlGroup{"queue", "jobs of one kind"},
    CtlGroup{"gc", "garbage collection: what nobody needs any more"},
    CtlGroup{"gc schedule", "when garbage collections come round"},
    CtlGroup{"scrub", "whether the store has what it should have"},
    CtlGroup{"node-token", "tokens that bring nodes into the swarm"},
    CtlGroup{"node", "nodes that share images with each other"},
    CtlGroup{"preheat", "images that nodes fetch before anybody asks"},
    CtlGroup{"swarm", "images on their way from node to node"},
    CtlGroup{"config", "settings of the platform"},
    CtlGroup{"completion", "completion for shells"},
};

constexpr std::array exits{
    CtlExit{ctl_exit::success, "done"},
    CtlExit{ctl_exit::failure, "the server refused or failed, or something else went wrong; the message says what"},
    CtlExit{ctl_exit::usage, "wrong arguments or files, or nobody was there to agree"},
    CtlExit{ctl_exit::not_found, "there is no such thing, or one may not know of it"},
    CtlExit{ctl_exit::denied, "not allowed"},
    CtlExit{ctl_exit::not_logged_in, "not logged in, or with credentials that don't count (any more)"},
    CtlExit{ctl_exit::conflict, "there is one already, or its state doesn't allow this"},
    CtlExit{
        ctl_exit::unreachable, "the server can't be reached, or can't answer just now (too many requests, for instance)"
    },
    CtlExit{ctl_exit::changes_pending, "apply --dry-run: the files and the server differ"},
};

}  // namespace

std::span<const CtlCommand> ctl_commands()
{
    static const auto all = make_commands();
    return all;
}

std::span<const CtlGroup> ctl_groups()
{
    return groups;
}

std::vector<CtlOption> all_options(const CtlCommand& command)
{
    auto all = command.options;
    const auto& traits = command.traits;
    if (traits.lists) {
        all.push_back({.name = "limit", .value = "COUNT", .text = "at most so many entries; without it, all of them"});
        all.push_back(
            {.name = "query",
             .value = "CONDITIONS",
             .text = "only entries like this: name=~web,creation_time=[2026-01-01T00:00:00Z~]"}
        );
        all.push_back({.name = "sort", .value = "FIELDS", .text = "order by these; a minus before one turns it: -name"}
        );
    }
    if (traits.shows) {
        all.push_back(
            {.name = "output",
             .value = "FORMAT",
             .text = "table (default), json or yaml",
             .choices = {"table", "json", "yaml"}}
        );
        all.push_back({.name = "quiet", .text = "only what a script needs: names, ids, secrets"});
    }
    if (traits.destroys) all.push_back({.name = "yes", .text = "don't ask"});
    if (traits.remote) {
        all.push_back({.name = "context", .value = "NAME", .text = "not the current context but this one"});
        all.push_back({.name = "ca-file", .value = "FILE", .text = "trust these certificate authorities (PEM)"});
        all.push_back({.name = "insecure", .text = "take any certificate"});
    }
    return all;
}

std::span<const CtlExit> ctl_exits()
{
    return exits;
}

int ctl_exit_code(Errc code) noexcept
{
    switch (code) {
        case Errc::bad_request: return ctl_exit::usage;
        case Errc::not_found: return ctl_exit::not_found;
        case Errc::denied: return ctl_exit::denied;
        case Errc::unauthorized: return ctl_exit::not_logged_in;
        case Errc::conflict:
        case Errc::precondition_failed: return ctl_exit::conflict;
        case Errc::too_many_requests:
        case Errc::unavailable:
        case Errc::connection_lost:
        case Errc::request_timeout: return ctl_exit::unreachable;
        default: return ctl_exit::failure;
    }
}

}  // namespace entrepot
