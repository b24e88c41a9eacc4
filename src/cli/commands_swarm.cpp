#include "cli/ctl_generic.hpp"
#include "cli/ctl_tables.hpp"
#include "core/percent.hpp"

#include <fmt/format.h>

#include <iterator>
#include <string>

namespace entrepot {
namespace {

namespace json = boost::json;

constexpr std::size_t page_size = 100;

const CtlColumns token_columns{
    {"ID", "id"},
    {"DESCRIPTION", "description"},
    {"ZONES", "zones"},
    {"USED", "used"},
    {"NODES", "nodes"},
    {"EXPIRES", "expires_at", CtlFormat::seconds},
    {"CREATED", "creation_time"},
    {"BY", "created_by"},
};
const CtlColumns secret_card{
    {"TOKEN", "token"},
    {"ID", "id"},
    {"ZONES", "zones"},
    {"NODES", "nodes"},
    {"EXPIRES", "expires_at", CtlFormat::seconds},
};
const CtlColumns node_columns{
    {"ID", "id"},
    {"NAME", "name"},
    {"ZONE", "zone"},
    {"TOKEN", "token_id"},
    {"ADMITTED", "admitted_time"},
    {"CERTIFIED", "certified_time"},
    {"EXPIRES", "expires_at", CtlFormat::seconds},
};

Result<int> create_token(CtlRun& run)
{
    TRY(auto body, run.body());
    if (run.has("expires")) {
        const auto seconds = parse_ctl_duration(run.value("expires"));
        if (!seconds)
            return fail(
                Errc::bad_request, fmt::format("--expires {}: that is no time such as 24h", run.value("expires"))
            );
        body["duration_seconds"] = *seconds;
    }
    TRY(auto* const api, run.api());
    TRY(const auto answer, api->call("POST", "swarm/tokens", body));
    run.print_object(answer.body, secret_card);
    return ctl_exit::success;
}

// The list goes on behind the last node of the page before.
Result<int> list_nodes(CtlRun& run)
{
    TRY(auto* const api, run.api());
    auto first = fmt::format("swarm/nodes?page_size={}", page_size);
    if (run.has("zone")) first += "&zone=" + percent_encoded(run.value("zone"));
    json::array nodes;
    for (auto path = first;;) {
        TRY(auto page, api->get(path));
        auto* const entries = page.if_array();
        if (entries == nullptr) return fail(Errc::internal, "the server's list of nodes is no list");
        if (entries->empty()) break;
        if (!entries->back().is_object()) return fail(Errc::internal, "the server's list is no list of objects");
        path = first + "&cursor=" + percent_encoded(field_text(entries->back().as_object(), "id"));
        const bool is_last = entries->size() < page_size;
        std::ranges::move(*entries, std::back_inserter(nodes));
        if (is_last) break;
    }
    CHECK(run.print_rows(nodes, node_columns));
    return ctl_exit::success;
}

}  // namespace

std::vector<CtlCommand> swarm_commands()
{
    const CtlArgument token{.name = "token", .text = "the token's id, as `node-token list` shows it"};
    return {
        {.path = "node-token create",
         .text = "makes a token that brings nodes into the swarm and prints it, once",
         .options =
             {{.name = "description", .value = "TEXT", .text = "what it is for", .field = "description"},
              {.name = "zone",
               .value = "ZONE",
               .text = "that its nodes may be in; several times; without it, any",
               .field = "zones",
               .repeated = true},
              {.name = "nodes",
               .value = "COUNT",
               .text = "how many nodes it may bring; default: 1",
               .field = "nodes",
               .kind = CtlValue::integer},
              {.name = "expires", .value = "TIME", .text = "how long it is good: 24h, 30d; default: 24h"}},
         .traits = ctl_showing,
         .run = create_token,
         .more = "Whoever has it can make nodes of the swarm: it does not let them pull anything.",
         .example = "entrepot ctl node-token create --description racks --zone fra1 --nodes 40 --expires 24h --quiet"},
        {.path = "node-token list",
         .text = "lists tokens that bring nodes, the newest first",
         .traits = ctl_listing,
         .run = list_of("swarm/tokens", token_columns)},
        {.path = "node-token delete",
         .text = "revokes a token; the nodes that it has brought stay",
         .arguments = {token},
         .traits = ctl_deleting,
         .run = delete_at("swarm/tokens/{token}", "the token {token}", "token {token}: deleted")},
        {.path = "node list",
         .text = "lists the nodes of the swarm by name",
         .options = {{.name = "zone", .value = "ZONE", .text = "of this zone"}},
         .traits = ctl_showing,
         .run = list_nodes},
        {.path = "node delete",
         .text = "removes a node from the swarm",
         .arguments = {{.name = "node", .text = "the node's id, as `node list` shows it"}},
         .traits = ctl_deleting,
         .run = delete_at("swarm/nodes/{node}", "the node {node}", "node {node}: deleted"),
         .more =
             "It gets no certificate any more, and after a few seconds no ticket. With a token that it has it may come "
             "again: delete that first."},
    };
}

}  // namespace entrepot
