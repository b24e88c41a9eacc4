#pragma once

#include "cli/ctl_command.hpp"

#include <vector>

namespace entrepot {

// The table of commands, a chapter each.
std::vector<CtlCommand> session_commands();          // login, logout, whoami, context
std::vector<CtlCommand> tenant_commands();           // tenant, team
std::vector<CtlCommand> project_commands();          // project, member
std::vector<CtlCommand> people_commands();           // user, group, token
std::vector<CtlCommand> grant_commands();            // role, grant, explain
std::vector<CtlCommand> robot_commands();            // robot
std::vector<CtlCommand> artifact_commands();         // repository, artifact, tag, label
std::vector<CtlCommand> rule_commands();             // tag history, immutable, push-policy, retention
std::vector<CtlCommand> promotion_commands();        // promotion
std::vector<CtlCommand> environment_commands();      // promotion pipeline and journey, check
std::vector<CtlCommand> exchange_commands();         // registry, replication
std::vector<CtlCommand> synchronisation_commands();  // synchronisation
std::vector<CtlCommand> trash_commands();            // trash, repository restore
std::vector<CtlCommand> event_commands();            // event, webhook
std::vector<CtlCommand> platform_commands();         // quota, audit, config, status
std::vector<CtlCommand> job_commands();              // job, queue
std::vector<CtlCommand> gc_commands();               // gc
std::vector<CtlCommand> scrub_commands();            // scrub
std::vector<CtlCommand> swarm_commands();            // node-token, node
std::vector<CtlCommand> preheat_commands();          // preheat
std::vector<CtlCommand> swarm_image_commands();      // node show, swarm
std::vector<CtlCommand> swarm_limit_commands();      // swarm limits
std::vector<CtlCommand> apply_commands();            // apply, export
std::vector<CtlCommand> own_commands();              // completion, docs

inline constexpr CtlTraits ctl_listing{.lists = true, .shows = true};
inline constexpr CtlTraits ctl_showing{.shows = true};
inline constexpr CtlTraits ctl_deleting{.shows = true, .destroys = true};

}  // namespace entrepot
