#include "cli/ctl_generic.hpp"
#include "cli/ctl_lookup.hpp"
#include "cli/ctl_tables.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <string>

namespace entrepot {
namespace {

namespace json = boost::json;

constexpr std::chrono::seconds between_looks{1};

const CtlColumns preheat_columns{
    {"ID", "id"},
    {"STAGE", "stage"},
    {"REPOSITORY", "repository"},
    {"REFERENCE", "reference"},
    {"DONE", "counts.done"},
    {"NODES", "counts.total"},
    {"BYTES", "bytes_done", CtlFormat::bytes},
    {"CREATED", "creation_time"},
    {"BY", "created_by"},
};
const CtlColumns preheat_card{
    {"ID", "id"},
    {"STAGE", "stage"},
    {"MESSAGE", "message"},
    {"REPOSITORY", "repository"},
    {"REFERENCE", "reference"},
    {"PLATFORM", "platform"},
    {"DIGEST", "digest"},
    {"SIZE", "bytes", CtlFormat::bytes},
    {"ZONES", "zones"},
    {"NAMES", "nodes"},
    {"PERCENT", "percent"},
    {"RATE", "rate", CtlFormat::bytes},
    {"DEADLINE", "deadline", CtlFormat::seconds},
    {"NODES", "counts.total"},
    {"WAITING", "counts.waiting"},
    {"RUNNING", "counts.running"},
    {"DONE", "counts.done"},
    {"FAILED", "counts.failed"},
    {"REFUSED", "counts.refused"},
    {"BYTES", "bytes_done", CtlFormat::bytes},
    {"OF", "bytes_total", CtlFormat::bytes},
    {"CREATED", "creation_time"},
    {"BY", "created_by"},
    {"ENDED", "end_time"},
};
const CtlColumns node_columns{
    {"NAME", "name"},
    {"ZONE", "zone"},
    {"STATE", "state"},
    {"BYTES", "bytes_done", CtlFormat::bytes},
    {"OF", "bytes_total", CtlFormat::bytes},
    {"HEARD", "update_time"},
    {"MESSAGE", "message"},
};

const CtlArgument id{.name = "id", .text = "the preheat's number"};

// "a,b" → ["a", "b"], into the body where it is given.
Result<> put_list(CtlRun& run, std::string_view option, std::string_view field, json::object& body)
{
    if (!run.has(option)) return {};
    json::array items;
    for (auto text = run.value(option);;) {
        const auto end = text.find(',');
        if (text.substr(0, end).empty())
            return fail(Errc::bad_request, fmt::format("--{}: names with commas between them", option));
        items.emplace_back(text.substr(0, end));
        if (end == std::string_view::npos) break;
        text.remove_prefix(end + 1);
    }
    body[field] = std::move(items);
    return {};
}

std::string progress_of(const json::object& preheat)
{
    const auto bytes = [&](std::string_view field) {
        const auto* const value = find_field(preheat, field);
        return size_text(value != nullptr && value->is_int64() ? value->as_int64() : 0);
    };
    return fmt::format(
        "preheat {}: {}, {} of {} nodes have it, {} under way, {} failed, {} of {}\n",
        field_text(preheat, "id"),
        field_text(preheat, "stage"),
        field_text(preheat, "counts.done"),
        field_text(preheat, "counts.total"),
        field_text(preheat, "counts.running"),
        std::stoll("0" + field_text(preheat, "counts.failed")) +
            std::stoll("0" + field_text(preheat, "counts.refused")),
        bytes("bytes_done"),
        bytes("bytes_total")
    );
}

// Looks at it until it has ended, and says on standard error how it gets on.
Result<json::value> wait_for(CtlRun& run, CtlApi& api, const std::string& path)
{
    for (std::string said;;) {
        auto looked = api.get(path);
        // A server that starts anew goes on with it.
        if (!looked && ctl_exit_code(looked.error().code()) == ctl_exit::unreachable) {
            run.io().pause(between_looks);
            continue;
        }
        TRY(auto answer, std::move(looked));
        if (!answer.is_object()) return fail(Errc::internal, "the server's preheat is no object");
        const auto& preheat = answer.as_object();
        const auto news = progress_of(preheat);
        if (news != said && !run.quiet()) run.io().error(news);
        said = news;
        if (field_text(preheat, "stage") != "running") return answer;
        run.io().pause(between_looks);
    }
}

Result<int> create(CtlRun& run)
{
    TRY(const auto image, parse_artifact_name(run.value("image")));
    if (image.reference.empty()) return fail(Errc::bad_request, "the image lacks a tag or a digest");
    TRY(auto body, run.body());
    body["repository"] = image.project + "/" + image.repository;
    body["reference"] = image.reference;
    CHECK(put_list(run, "zones", "zones", body));
    CHECK(put_list(run, "nodes", "nodes", body));
    if (run.has("deadline")) {
        const auto seconds = parse_ctl_duration(run.value("deadline"));
        if (!seconds)
            return fail(
                Errc::bad_request, fmt::format("--deadline {}: that is no time such as 2h", run.value("deadline"))
            );
        body["duration_seconds"] = *seconds;
    }
    TRY(auto* const api, run.api());
    TRY(const auto answer, api->call("POST", "swarm/preheats", body));
    if (!run.has("wait")) {
        run.print_object(answer.body, preheat_card);
        return ctl_exit::success;
    }
    if (!answer.body.is_object()) return fail(Errc::internal, "the server's preheat is no object");
    const auto path = "swarm/preheats/" + field_text(answer.body.as_object(), "id");
    TRY(const auto ended, wait_for(run, *api, path));
    run.print_object(ended, preheat_card);
    return field_text(ended.as_object(), "stage") == "done" ? ctl_exit::success : ctl_exit::failure;
}

Result<int> show(CtlRun& run)
{
    TRY(const auto path, run.path("swarm/preheats/{id}"));
    if (run.has("nodes")) {
        CHECK(run.print_list(path + "/nodes", node_columns));
        return ctl_exit::success;
    }
    TRY(auto* const api, run.api());
    TRY(const auto preheat, api->get(path));
    run.print_object(preheat, preheat_card);
    return ctl_exit::success;
}

}  // namespace

std::vector<CtlCommand> preheat_commands()
{
    return {
        {.path = "preheat create",
         .text = "has nodes of the swarm fetch an image before anybody asks for it",
         .arguments = {{.name = "image", .text = "PROJECT/REPOSITORY:TAG or PROJECT/REPOSITORY@DIGEST"}},
         .options =
             {{.name = "platform",
               .value = "OS/ARCHITECTURE",
               .text = "of an index: this image of it; default: linux/amd64",
               .field = "platform"},
              {.name = "zones", .value = "ZONE,…", .text = "nodes of these zones; default: of all"},
              {.name = "nodes", .value = "NAME,…", .text = "nodes of these names; default: all"},
              {.name = "percent",
               .value = "NUMBER",
               .text = "so many of these, 1 to 100; default: 100",
               .field = "percent",
               .kind = CtlValue::integer},
              {.name = "deadline", .value = "TIME", .text = "until when, from now: 2h, 3d; default: 24h"},
              {.name = "rate",
               .value = "SIZE",
               .text = "at most so many bytes a second on each node: 100MB; default: no limit",
               .field = "rate",
               .kind = CtlValue::size},
              {.name = "wait", .text = "waits until it has ended; the exit code is 0 if all of the nodes have it"}},
         .traits = ctl_showing,
         .run = create,
         .more = "It takes the right to pull the image, which the nodes use as long as it runs. That an image is on a "
                 "node lets nobody there pull it who may not anyhow.",
         .example = "entrepot ctl preheat create shop/web:2.1 --zones fra1,fra2 --percent 50 --deadline 2h --wait"},
        {.path = "preheat list",
         .text = "lists preheats, the newest first",
         .traits = ctl_listing,
         .run = list_of("swarm/preheats", preheat_columns)},
        {.path = "preheat show",
         .text = "shows a preheat and how many of its nodes have the image, or each of them",
         .arguments = {id},
         .options = {{.name = "nodes", .text = "lists its nodes and how they get on"}},
         .traits = ctl_listing,
         .run = show},
        {.path = "preheat cancel",
         .text = "ends a preheat: nodes stop fetching; what they have stays",
         .arguments = {id},
         .traits = ctl_deleting,
         .run = delete_at("swarm/preheats/{id}", "the preheat {id}", "preheat {id}: cancelled")},
    };
}

}  // namespace entrepot
