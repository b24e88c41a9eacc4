#include "cli/ctl_generic.hpp"
#include "cli/ctl_tables.hpp"
#include "cli/filter_words.hpp"
#include "core/percent.hpp"

#include <boost/json/array.hpp>

#include <algorithm>
#include <iterator>
#include <string>

namespace entrepot {
namespace {

namespace json = boost::json;

const CtlColumns registry_columns{
    {"ID", "id"},
    {"NAME", "name"},
    {"TYPE", "type"},
    {"URL", "url"},
    {"STATUS", "status"},
    {"WHY", "status_detail"},
};
const CtlColumns health_columns{
    {"TIME", "at"},
    {"STATUS", "status"},
    {"WHY", "detail"},
};
const CtlColumns policy_columns{
    {"ID", "id"},
    {"NAME", "name"},
    {"ENABLED", "enabled"},
    {"FROM", "src_registry.name"},
    {"TO", "dest_registry.name"},
    {"TRIGGER", "trigger.type"},
    {"CRON", "trigger.trigger_settings.cron"},
};
const CtlColumns execution_columns{
    {"ID", "id"},
    {"POLICY", "policy_id"},
    {"STATUS", "status"},
    {"TRIGGER", "trigger"},
    {"BEGUN", "start_time"},
    {"TASKS", "total"},
    {"DONE", "succeed"},
    {"FAILED", "failed"},
};
const CtlColumns task_columns{
    {"ID", "id"},
    {"STATUS", "status"},
    {"WHAT", "operation"},
    {"FROM", "src_resource"},
    {"TO", "dst_resource"},
    {"BYTES", "bytes"},
    {"ERROR", "error"},
};
const CtlColumns lag_columns{
    {"POLICY", "policy_id"},
    {"SECONDS", "seconds"},
    {"ARTIFACTS", "artifacts"},
    {"BYTES", "bytes"},
    {"FAILED", "failed"},
};
const CtlColumns pending_columns{
    {"REPOSITORY", "repository"},
    {"REFERENCE", "reference"},
    {"WHAT", "operation"},
    {"SINCE", "since"},
    {"FAILURES", "failures"},
    {"ERROR", "last_error"},
};

const CtlArgument registry{.name = "registry", .text = "the endpoint's name"};
const CtlArgument policy{.name = "policy", .text = "the policy's name"};
const CtlArgument execution{.name = "execution", .text = "its id, as `replication runs` shows it"};

constexpr std::string_view one_policy = "replication/policies/{policy:replication}";

const std::vector<CtlOption> registry_options{
    {.name = "description", .value = "TEXT", .text = "what it is for", .field = "description"},
    {.name = "user", .value = "NAME", .text = "who we are over there", .field = "access_key"},
    {.name = "password", .text = "with a password, which is asked for"},
    {.name = "password-stdin", .text = "the password is read from standard input"},
    {.name = "any-certificate", .text = "whatever certificate it has"},
    {.name = "pin", .value = "sha256:HEX", .text = "the one certificate that it may have", .field = "certificate_pin"},
    {.name = "rate",
     .value = "SIZE",
     .text = "at most so many bytes a second from each instance; 0: as fast as it goes",
     .field = "bytes_per_second",
     .kind = CtlValue::size},
    {.name = "requests",
     .value = "COUNT",
     .text = "at most so many requests at once from each instance; 0: any number",
     .field = "requests_at_once",
     .kind = CtlValue::integer},
};

// A list that comes without pages.
CtlHandler whole_list(std::string_view pattern, CtlColumns columns)
{
    return [pattern, columns = std::move(columns)](CtlRun& run) -> Result<int> {
        TRY(const auto path, run.path(pattern));
        TRY(auto* const api, run.api());
        TRY(const auto list, api->get(path));
        if (!list.is_array()) return fail(Errc::internal, "the answer is no list");
        CHECK(run.print_rows(list.as_array(), columns));
        return ctl_exit::success;
    };
}

// By the place of the page before, as rows go while somebody reads.
Result<int> list_pending(CtlRun& run)
{
    constexpr std::size_t on_page = 100;
    TRY(const auto base, run.path("replication/policies/{policy:replication}/pending?page_size=100"));
    TRY(auto* const api, run.api());
    json::array rows;
    auto path = base;
    while (true) {
        TRY(const auto list, api->get(path));
        if (!list.is_array()) return fail(Errc::internal, "the answer is no list");
        const auto& page = list.as_array();
        rows.insert(rows.end(), page.begin(), page.end());
        if (page.size() < on_page || !page.back().is_object()) break;
        const auto& last = page.back().as_object();
        path = base + "&after_repository=" + percent_encoded(field_text(last, "repository")) +
               "&after_reference=" + percent_encoded(field_text(last, "reference"));
    }
    CHECK(run.print_rows(rows, pending_columns));
    return ctl_exit::success;
}

// What is said of an endpoint, with its secret asked for.
Result<json::object> registry_body(CtlRun& run)
{
    TRY(auto body, run.body());
    if (run.has("any-certificate")) body["insecure"] = true;
    if (run.has("user")) body["credential_type"] = "basic";
    if (run.has("password") || run.has("password-stdin")) {
        TRY(body["access_secret"], run.secret("password", "ENTREPOT_REGISTRY_PASSWORD", "Password over there: "));
    }
    return body;
}

Result<int> send_registry(CtlRun& run, std::string_view method, std::string_view pattern, std::string_view said)
{
    TRY(const auto body, registry_body(run));
    TRY(const auto path, run.path(pattern));
    TRY(auto* const api, run.api());
    TRY(const auto answer, api->call(method, path, body));
    CHECK(run.print_change(answer, said_text(run, said)));
    return ctl_exit::success;
}

std::vector<CtlCommand> registry_commands()
{
    auto changes = registry_options;
    changes.push_back({.name = "url", .value = "URL", .text = "where it is now", .field = "url"});
    return {
        {.path = "registry list",
         .text = "lists registries elsewhere, and how they are doing",
         .traits = ctl_listing,
         .run = list_of("registries", registry_columns)},
        {.path = "registry show",
         .text = "shows one",
         .arguments = {registry},
         .traits = ctl_showing,
         .run = show_of("registries/{registry:registry}", registry_columns)},
        {.path = "registry create",
         .text = "makes an endpoint of a registry elsewhere",
         .arguments =
             {{.name = "registry", .text = "the new endpoint's name", .field = "name"},
              {.name = "type", .text = "docker-registry, harbor, entrepot and others", .field = "type"},
              {.name = "url", .text = "such as https://registry.example.org", .field = "url"}},
         .options = registry_options,
         .traits = ctl_showing,
         .run = [](CtlRun& run) { return send_registry(run, "POST", "registries", "registry {registry}: created"); },
         .more = "The password can also come from ENTREPOT_REGISTRY_PASSWORD.",
         .example = "entrepot ctl registry create berlin entrepot https://berlin.example.org --user robot --password"},
        {.path = "registry update",
         .text = "changes an endpoint",
         .arguments = {registry},
         .options = changes,
         .traits = ctl_showing,
         .run =
             [](CtlRun& run) {
                 return send_registry(run, "PUT", "registries/{registry:registry}", "registry {registry}: changed");
             }},
        {.path = "registry ping",
         .text = "asks whether it answers and lets us in",
         .arguments = {registry},
         .traits = ctl_showing,
         .run = [](CtlRun& run) -> Result<int> {
             TRY(const auto shown, run.path("{registry:registry}"));
             TRY(auto* const api, run.api());
             const json::object body{{"id", std::stoll(shown)}};
             TRY(const auto answer, api->call("POST", "registries/ping", body));
             CHECK(run.print_change(answer, said_text(run, "registry {registry}: it answers")));
             return ctl_exit::success;
         }},
        {.path = "registry health",
         .text = "lists how it was found, the newest first",
         .arguments = {registry},
         .traits = ctl_showing,
         .run = whole_list("registries/{registry:registry}/health", health_columns)},
        {.path = "registry delete",
         .text = "removes an endpoint that nothing uses",
         .arguments = {registry},
         .traits = ctl_deleting,
         .run = delete_at("registries/{registry:registry}", "the registry {registry}", "registry {registry}: deleted")},
    };
}

Result<int> create_policy(CtlRun& run)
{
    TRY(auto body, run.body());
    const bool pulls = run.has("from");
    if (pulls == run.has("to")) return fail(Errc::bad_request, "one of --from and --to names the other registry");
    TRY(const auto there, run.path(pulls ? "{from:registry}" : "{to:registry}"));
    body[pulls ? "src_registry" : "dest_registry"] = json::object{{"id", std::stoll(there)}};
    json::array filters;
    for (const std::string_view type : {"name", "tag"}) {
        if (run.has(type)) filters.push_back(filter_in_words(type, run.value(type)));
    }
    body["filters"] = std::move(filters);
    const bool by_cron = run.has("cron");
    if (by_cron && run.has("on-push")) return fail(Errc::bad_request, "a policy has one trigger");
    json::object trigger{{"type", by_cron ? "scheduled" : run.has("on-push") ? "event_based" : "manual"}};
    if (by_cron) trigger["trigger_settings"] = json::object{{"cron", run.value("cron")}};
    body["trigger"] = std::move(trigger);
    for (const auto& [option, field] :
         {std::pair{"deletes", "replicate_deletion"}, {"signed-only", "signed_only"}, {"confirm-all", "confirm_all"}}) {
        if (run.has(option)) body[field] = true;
    }
    if (run.has("keep-existing")) body["override"] = false;
    TRY(auto* const api, run.api());
    TRY(const auto answer, api->call("POST", "replication/policies", body));
    CHECK(run.print_change(answer, said_text(run, "replication {policy}: created")));
    return ctl_exit::success;
}

Result<int> start_policy(CtlRun& run)
{
    TRY(const auto id, run.path("{policy:replication}"));
    const json::object body{{"policy_id", std::stoll(id)}};
    TRY(auto* const api, run.api());
    TRY(const auto answer, api->call("POST", "replication/executions", body));
    CHECK(
        run.print_change(answer, said_text(run, "replication {policy}: started; `replication runs` shows how it goes"))
    );
    return ctl_exit::success;
}

Result<int> list_runs(CtlRun& run)
{
    std::string path = "replication/executions";
    if (run.has("policy")) {
        TRY(const auto id, run.path("{policy:replication}"));
        path += "?policy_id=" + id;
    }
    CHECK(run.print_list(path, execution_columns));
    return ctl_exit::success;
}

std::vector<CtlOption> policy_options()
{
    return {
        {.name = "from", .value = "REGISTRY", .text = "pulls from there"},
        {.name = "to", .value = "REGISTRY", .text = "pushes to there"},
        {.name = "name",
         .value = "PATTERN",
         .text = "which repositories, with their projects; not:PATTERN for all others"},
        {.name = "tag", .value = "PATTERN", .text = "which tags; not:PATTERN for all others"},
        {.name = "versions",
         .value = "RANGE",
         .text = "which tags, as semantic versions: \">=1.2 <2\"",
         .field = "version_range"},
        {.name = "platform",
         .value = "OS/ARCH",
         .text = "only these of an index; several times for several",
         .field = "platforms",
         .repeated = true},
        {.name = "namespace",
         .value = "NAME",
         .text = "where it goes, in place of the project",
         .field = "dest_namespace"},
        {.name = "levels",
         .value = "COUNT",
         .text = "how many parts of the name that takes the place of: -1 all but the last, 0 none, 1 to 3",
         .field = "dest_namespace_replace_count",
         .kind = CtlValue::integer},
        {.name = "cron", .value = "CRON", .text = "when it runs by itself, six fields in UTC"},
        {.name = "on-push", .text = "runs when something is pushed (or, with --deletes, deleted)"},
        {.name = "deletes", .text = "what goes here goes there"},
        {.name = "keep-existing", .text = "a tag that is there already stays as it is"},
        {.name = "signed-only", .text = "what nobody has signed stays here"},
        {.name = "confirm-all", .text = "deletion without a filter is meant"},
        {.name = "priority",
         .value = "NUMBER",
         .text = "of its jobs: 0 first, 9 last",
         .field = "priority",
         .kind = CtlValue::integer},
        {.name = "rate",
         .value = "SIZE",
         .text = "at most so many bytes a second from each instance",
         .field = "bytes_per_second",
         .kind = CtlValue::size},
        {.name = "description", .value = "TEXT", .text = "what it is for", .field = "description"},
    };
}

std::vector<CtlCommand> policy_commands()
{
    return {
        {.path = "replication list",
         .text = "lists replication policies",
         .traits = ctl_listing,
         .run = list_of("replication/policies", policy_columns)},
        {.path = "replication show",
         .text = "shows a policy",
         .arguments = {policy},
         .traits = ctl_showing,
         .run = show_of(one_policy, policy_columns)},
        {.path = "replication create",
         .text = "makes a policy that copies to or from a registry elsewhere",
         .arguments = {{.name = "policy", .text = "the new policy's name", .field = "name"}},
         .options = policy_options(),
         .traits = ctl_showing,
         .run = create_policy,
         .example = "entrepot ctl replication create releases --to berlin --name 'shop/**' --tag 'v*' --on-push"},
        {.path = "replication enable",
         .text = "lets a policy work again",
         .arguments = {policy},
         .traits = ctl_showing,
         .run = change_at(one_policy, "replication {policy}: enabled", {{"enabled", true}})},
        {.path = "replication disable",
         .text = "lets a policy rest",
         .arguments = {policy},
         .traits = ctl_showing,
         .run = change_at(one_policy, "replication {policy}: disabled", {{"enabled", false}})},
        {.path = "replication delete",
         .text = "deletes a policy",
         .arguments = {policy},
         .traits = ctl_deleting,
         .run = delete_at(one_policy, "the replication policy {policy}", "replication {policy}: deleted")},
    };
}

std::vector<CtlCommand> run_commands()
{
    return {
        {.path = "replication start",
         .text = "runs a policy now",
         .arguments = {policy},
         .traits = ctl_showing,
         .run = start_policy},
        {.path = "replication runs",
         .text = "lists executions, the newest first",
         .options = {{.name = "policy", .value = "NAME", .text = "of one policy"}},
         .traits = ctl_listing,
         .run = list_runs},
        {.path = "replication tasks",
         .text = "lists what an execution copies",
         .arguments = {execution},
         .traits = ctl_listing,
         .run = list_of("replication/executions/{execution}/tasks", task_columns)},
        {.path = "replication log",
         .text = "shows what a task wrote",
         .arguments = {execution, {.name = "task", .text = "its id, as `replication tasks` shows it"}},
         .traits = ctl_showing,
         .run = text_of("replication/executions/{execution}/tasks/{task}/log")},
        {.path = "replication stop",
         .text = "stops an execution with its tasks",
         .arguments = {execution},
         .traits = ctl_showing,
         .run = send_to("PUT", "replication/executions/{execution}", "execution {execution}: stopped")},
        {.path = "replication lag",
         .text = "lists how far policies are behind",
         .traits = ctl_showing,
         .run = whole_list("replication/lag", lag_columns)},
        {.path = "replication pending",
         .text = "lists what a policy has still to do",
         .arguments = {policy},
         .traits = ctl_showing,
         .run = list_pending},
    };
}

}  // namespace

std::vector<CtlCommand> exchange_commands()
{
    auto commands = registry_commands();
    for (auto make : {policy_commands, run_commands}) {
        auto some = make();
        std::ranges::move(some, std::back_inserter(commands));
    }
    return commands;
}

}  // namespace entrepot
