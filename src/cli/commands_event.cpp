#include "cli/ctl_generic.hpp"
#include "cli/ctl_tables.hpp"
#include "cli/sse_reader.hpp"
#include "core/percent.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <fmt/format.h>

namespace entrepot {
namespace {

namespace json = boost::json;

const CtlColumns event_columns{
    {"ID", "id"},
    {"TIME", "occurred_at"},
    {"TYPE", "type"},
    {"PROJECT", "project"},
    {"REPOSITORY", "repository"},
    {"TAG", "tag"},
    {"WHO", "user"},
};
const CtlColumns hook_columns{
    {"NAME", "name"},
    {"ENABLED", "enabled"},
    {"EVENTS", "event_types"},
    {"REPOSITORIES", "repositories"},
    {"TAGS", "tags"},
};
const CtlColumns hook_card{
    {"ID", "id"},
    {"NAME", "name"},
    {"DESCRIPTION", "description"},
    {"ENABLED", "enabled"},
    {"EVENTS", "event_types"},
    {"REPOSITORIES", "repositories"},
    {"TAGS", "tags"},
    {"CREATED", "creation_time"},
};
const CtlColumns delivery_columns{
    {"ID", "id"},
    {"EVENT", "extra_attrs.event_id"},
    {"TYPE", "extra_attrs.type"},
    {"STATUS", "status"},
    {"STARTED", "start_time"},
    {"ENDED", "end_time"},
    {"TO", "extra_attrs.address"},
};

const CtlOption of_type{
    .name = "type", .value = "TYPES", .text = "of these types, with commas; artifact.* for all of a kind"
};
const CtlOption of_project{.name = "project", .value = "NAME", .text = "of this project"};
const CtlOption of_repository{.name = "repository", .value = "PATTERN", .text = "of repositories of this full name"};
const CtlOption from_id{.name = "after", .value = "ID", .text = "after this one; 0: from the oldest that is kept"};
const CtlOption hook_project{
    .name = "project", .value = "NAME", .text = "a project's; without it, of the whole installation"
};
const CtlArgument hook{.name = "hook", .text = "the policy's name"};

constexpr std::int64_t page_size = 100;

// "events?limit=100&type=…" with what the line narrows by.
Result<std::string> events_path(CtlRun& run, std::string_view path)
{
    std::string full{path};
    for (const auto* name : {"type", "repository"}) {
        if (run.has(name)) full += fmt::format("&{}={}", name, percent_encoded(run.value(name)));
    }
    if (run.has("project")) {
        TRY(const auto project, run.path("&project_id={project:project_id}"));
        full += project;
    }
    return full;
}

Result<std::int64_t> number_of(CtlRun& run, std::string_view option, std::int64_t otherwise)
{
    if (!run.has(option)) return otherwise;
    TRY(const auto number, ctl_value({.name = option, .kind = CtlValue::integer}, run.value(option), 0));
    return number.as_int64();
}

Result<int> list_events(CtlRun& run)
{
    TRY(const auto path, events_path(run, fmt::format("events?limit={}", page_size)));
    TRY(auto after, number_of(run, "after", 0));
    TRY(const auto limit, number_of(run, "limit", 0));
    TRY(auto* const api, run.api());
    json::array rows;
    while (limit == 0 || static_cast<std::int64_t>(rows.size()) < limit) {
        TRY(const auto answer, api->call("GET", fmt::format("{}&after={}", path, after)));
        const auto* events = answer.body.if_array();
        if (events == nullptr) return fail(Errc::internal, "the events are no list");
        for (const auto& event : *events) {
            if (limit == 0 || static_cast<std::int64_t>(rows.size()) < limit) rows.push_back(event);
        }
        if (answer.next_cursor == after) break;
        after = answer.next_cursor;
    }
    CHECK(run.print_rows(rows, event_columns));
    return ctl_exit::success;
}

// A line for an event, as it comes.
Result<> print_event(CtlRun& run, const SseEvent& event, std::vector<std::size_t>& widths)
{
    boost::system::error_code error;
    const auto value = json::parse(event.data, error);
    if (error || !value.is_object()) return fail(Errc::internal, "an event is no object");
    if (event.name == "gap") {
        run.io().error("entrepot: events were removed before they could be shown\n");
    } else if (run.value("output") == "json") {
        run.io().out(json::serialize(value) + "\n");
    } else {
        const std::array rows{value.as_object()};
        run.io().out(table_text(event_columns, rows, false, widths));
    }
    return {};
}

// Until it is interrupted, or so many have come.
Result<int> follow_events(CtlRun& run)
{
    TRY(const auto path, events_path(run, "events/stream?"));
    TRY(const auto count, number_of(run, "count", 0));
    TRY(auto* const api, run.api());
    SseReader reader;
    std::int64_t seen = 0;
    std::vector<std::size_t> widths{6, 27, 18};
    std::string last{run.has("after") ? run.value("after") : std::string_view{}};
    while (count == 0 || seen < count) {
        Result<> printed;
        const auto take = [&](std::string_view bytes) {
            reader.take(bytes, [&](const SseEvent& event) {
                if (!printed || (count > 0 && seen == count)) return;
                printed = print_event(run, event, widths);
                if (event.name.empty()) ++seen;
            });
            return printed.has_value() && (count == 0 || seen < count);
        };
        CHECK(api->stream(path, last, take));
        CHECK(printed);
        if (!reader.last_id().empty()) last = reader.last_id();
    }
    return ctl_exit::success;
}

std::string hooks_base(const CtlRun& run)
{
    return run.has("project") ? "projects/{project}/webhook" : "system/webhook";
}

Result<std::string> hook_path(CtlRun& run, std::string_view more = {})
{
    return run.path(hooks_base(run) + "/policies/{hook:webhook}" + std::string{more});
}

Result<int> list_hooks(CtlRun& run)
{
    TRY(const auto path, run.path(hooks_base(run) + "/policies"));
    CHECK(run.print_list(path, hook_columns));
    return ctl_exit::success;
}

Result<int> show_hook(CtlRun& run)
{
    TRY(const auto path, hook_path(run));
    TRY(auto* const api, run.api());
    TRY(const auto object, api->get(path));
    run.print_object(object, hook_card);
    return ctl_exit::success;
}

Result<int> create_hook(CtlRun& run)
{
    TRY(auto body, run.body());
    json::object target{
        {"type", run.has("slack") ? "slack" : "http"},
        {"address", run.value("url")},
        {"payload_format", run.has("cloud-events") ? "CloudEvents" : "Default"},
        {"skip_cert_verify", run.has("any-certificate")},
    };
    if (run.has("sign")) {
        TRY(target["secret"],
            run.secret("secret", "ENTREPOT_WEBHOOK_SECRET", "Secret that deliveries are signed with: "));
    }
    body["targets"] = json::array{std::move(target)};
    TRY(const auto path, run.path(hooks_base(run) + "/policies"));
    TRY(auto* const api, run.api());
    TRY(const auto answer, api->call("POST", path, body));
    CHECK(run.print_change(answer, said_text(run, "webhook {hook}: created")));
    return ctl_exit::success;
}

Result<int> switch_hook(CtlRun& run, bool on)
{
    TRY(const auto path, hook_path(run));
    TRY(auto* const api, run.api());
    TRY(auto before, api->call("GET", path));
    if (!before.body.is_object()) return fail(Errc::internal, "the policy is no object");
    before.body.as_object()["enabled"] = on;
    TRY(const auto answer, api->call("PUT", path, before.body));
    CHECK(run.print_change(answer, said_text(run, on ? "webhook {hook}: enabled" : "webhook {hook}: disabled")));
    return ctl_exit::success;
}

Result<int> delete_hook(CtlRun& run)
{
    TRY(const auto path, hook_path(run));
    CHECK(run.confirm(said_text(run, "Delete the webhook {hook}")));
    TRY(auto* const api, run.api());
    CHECK(api->call("DELETE", path));
    run.say(said_text(run, "webhook {hook}: deleted"));
    return ctl_exit::success;
}

Result<int> list_deliveries(CtlRun& run)
{
    TRY(const auto path, hook_path(run, "/executions"));
    CHECK(run.print_list(path, delivery_columns));
    return ctl_exit::success;
}

Result<int> redeliver(CtlRun& run)
{
    TRY(const auto path, hook_path(run, "/executions/{delivery}/redelivery"));
    TRY(auto* const api, run.api());
    const json::object nothing;
    TRY(const auto answer, api->call("POST", path, nothing));
    CHECK(run.print_change(answer, said_text(run, "delivery {delivery}: sent again")));
    return ctl_exit::success;
}

std::vector<CtlCommand> hook_commands()
{
    return {
        {.path = "webhook list",
         .text = "lists webhook policies",
         .options = {hook_project},
         .traits = ctl_listing,
         .run = list_hooks},
        {.path = "webhook show",
         .text = "shows a webhook policy",
         .arguments = {hook},
         .options = {hook_project},
         .traits = ctl_showing,
         .run = show_hook,
         .more = "With -o json also its targets, and how they are doing."},
        {.path = "webhook create",
         .text = "makes a webhook policy with one target",
         .arguments =
             {{.name = "hook", .text = "the new policy's name", .field = "name"}, {.name = "url", .text = "where to"}},
         .options =
             {hook_project,
              {.name = "event",
               .value = "TYPE",
               .text = "what sets it off: PUSH_ARTIFACT, TAG_CREATED …; several times for several",
               .field = "event_types",
               .required = true,
               .repeated = true},
              {.name = "repositories",
               .value = "PATTERN",
               .text = "only of these, below the project",
               .field = "repositories"},
              {.name = "tags", .value = "PATTERN", .text = "only of these", .field = "tags"},
              {.name = "description", .value = "TEXT", .text = "what it is for", .field = "description"},
              {.name = "cloud-events", .text = "CloudEvents in place of Harbor's form"},
              {.name = "slack", .text = "to a Slack channel"},
              {.name = "any-certificate", .text = "whatever certificate the receiver has"},
              {.name = "sign", .text = "signs deliveries with a secret, which is asked for"},
              {.name = "secret-stdin", .text = "the secret is read from standard input"}},
         .traits = ctl_showing,
         .run = create_hook,
         .more = "The secret can also come from ENTREPOT_WEBHOOK_SECRET.",
         .example = "entrepot ctl webhook create ci https://ci.example.org/hook --project web --event PUSH_ARTIFACT"},
        {.path = "webhook enable",
         .text = "lets a webhook policy work again",
         .arguments = {hook},
         .options = {hook_project},
         .traits = ctl_showing,
         .run = [](CtlRun& run) { return switch_hook(run, true); }},
        {.path = "webhook disable",
         .text = "lets a webhook policy rest",
         .arguments = {hook},
         .options = {hook_project},
         .traits = ctl_showing,
         .run = [](CtlRun& run) { return switch_hook(run, false); }},
        {.path = "webhook delete",
         .text = "deletes a webhook policy",
         .arguments = {hook},
         .options = {hook_project},
         .traits = ctl_deleting,
         .run = delete_hook},
        {.path = "webhook deliveries",
         .text = "lists what a webhook policy has sent, the newest first",
         .arguments = {hook},
         .options = {hook_project},
         .traits = ctl_listing,
         .run = list_deliveries},
        {.path = "webhook redeliver",
         .text = "sends a delivery once more",
         .arguments = {hook, {.name = "delivery", .text = "its id"}},
         .options = {hook_project},
         .traits = ctl_showing,
         .run = redeliver},
    };
}

}  // namespace

std::vector<CtlCommand> event_commands()
{
    std::vector<CtlCommand> commands{
        {.path = "event list",
         .text = "lists what happened, in its order",
         .options =
             {of_type,
              of_project,
              of_repository,
              from_id,
              {.name = "limit", .value = "NUMBER", .text = "at most so many"}},
         .traits = ctl_showing,
         .run = list_events,
         .example = "entrepot ctl event list --type artifact.pushed --project web"},
        {.path = "event follow",
         .text = "shows what happens as it happens",
         .options =
             {of_type,
              of_project,
              of_repository,
              from_id,
              {.name = "count", .value = "NUMBER", .text = "ends after so many"}},
         .traits = ctl_showing,
         .run = follow_events,
         .more =
             "With -o json each event is a line of JSON. Where the connection is lost it goes on after the last event.",
         .example = "entrepot ctl event follow --type 'artifact.*' -o json"},
    };
    for (auto& command : hook_commands()) commands.push_back(std::move(command));
    return commands;
}

}  // namespace entrepot
