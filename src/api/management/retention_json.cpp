#include "api/management/retention_json.hpp"

#include "api/management/job_json.hpp"
#include "api/management/selector_json.hpp"
#include "oci/json_fields.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

namespace entrepot {
namespace {

namespace json = boost::json;

constexpr std::string_view untagged_extras = R"({"untagged":true})";

json::object params_json(const RetentionRule& rule)
{
    json::object params;
    if (rule.keeps == RetentionTemplate::versions) {
        params[name_of(rule.keeps)] = rule.range ? rule.range->text() : std::string{};
    } else if (rule.keeps != RetentionTemplate::always) {
        params[name_of(rule.keeps)] = rule.number;
    }
    return params;
}

json::object rule_json(const RetentionRule& rule, std::size_t index)
{
    return {
        {"id", index + 1},
        {"priority", 0},
        {"disabled", rule.disabled},
        {"action", "retain"},
        {"template", name_of(rule.keeps)},
        {"params", params_json(rule)},
        {"tag_selectors", tag_selectors_json(rule.tags, rule.untagged ? untagged_extras : R"({"untagged":false})")},
        {"scope_selectors", scope_selectors_json(rule.repositories)},
    };
}

Result<> read_params(RetentionRule& rule, const JsonBody& body)
{
    if (rule.keeps == RetentionTemplate::always) return {};
    const auto name = name_of(rule.keeps);
    TRY(const auto params, body.optional_object("params"));
    if (!params || !params->has(name)) {
        return fail(Errc::bad_request, "\"params\" lacks \"" + std::string{name} + "\"");
    }
    if (rule.keeps == RetentionTemplate::versions) {
        TRY(const auto text, params->text(name));
        TRY(rule.range, VersionRange::parse(text));
        return {};
    }
    TRY(const auto number, params->optional_integer(name));
    rule.number = number.value_or(-1);
    return {};
}

// Harbor's clients write it as JSON in a text.
Result<bool> untagged_of(const JsonBody& rule)
{
    TRY(const auto selectors, rule.objects("tag_selectors"));
    for (const auto& selector : selectors) {
        TRY(const auto extras, selector.optional_text("extras"));
        const auto object = parse_object(extras.value_or(""));
        const auto* untagged = object ? object->if_contains("untagged") : nullptr;
        if (untagged != nullptr && untagged->is_bool() && untagged->get_bool()) return true;
    }
    return false;
}

Result<RetentionRule> rule_of_body(const JsonBody& body)
{
    TRY(const auto action, body.optional_text("action"));
    if (action.value_or("retain") != "retain") {
        return fail(Errc::bad_request, "the action of a retention rule is retain");
    }
    TRY(const auto text, body.text("template"));
    const auto keeps = retention_template_named(text);
    if (!keeps) return fail(Errc::bad_request, "there is no template \"" + text + "\"");
    TRY(auto repositories, scope_selectors_of(body));
    TRY(auto tags, tag_selectors_of(body));
    TRY(const auto disabled, body.optional_boolean("disabled"));
    RetentionRule rule{
        .disabled = disabled.value_or(false),
        .keeps = *keeps,
        .repositories = std::move(repositories),
        .tags = std::move(tags),
    };
    TRY(rule.untagged, untagged_of(body));
    CHECK(read_params(rule, body));
    return rule;
}

Result<std::string> cron_of(const JsonBody& body)
{
    TRY(const auto trigger, body.optional_object("trigger"));
    if (!trigger) return std::string{};
    TRY(const auto kind, trigger->optional_text("kind"));
    if (kind.value_or("Schedule") != "Schedule") {
        return fail(Errc::bad_request, "the kind of a trigger is Schedule");
    }
    TRY(const auto settings, trigger->optional_object("settings"));
    if (!settings) return std::string{};
    TRY(auto cron, settings->optional_text("cron"));
    return std::move(cron).value_or("");
}

bool is_dry(const Job& job)
{
    const auto parameters = parse_object(job.parameters);
    const auto* flag = parameters ? parameters->if_contains("dry_run") : nullptr;
    return flag != nullptr && flag->is_bool() && flag->get_bool();
}

std::string time_or_empty(Micros time)
{
    return time == 0 ? std::string{} : rfc3339(time);
}

json::object template_json(RetentionTemplate keeps, std::string_view text, std::string_view type, std::string_view unit)
{
    json::array params;
    if (!type.empty()) params.push_back(json::object{{"type", type}, {"unit", unit}, {"required", true}});
    return {
        {"rule_template", name_of(keeps)},
        {"display_text", text},
        {"action", "retain"},
        {"params", std::move(params)},
    };
}

json::array selector_kinds(std::string_view text, std::string_view matches, std::string_view excludes)
{
    json::array list;
    list.push_back(
        json::object{{"display_text", text}, {"kind", "doublestar"}, {"decorations", json::array{matches, excludes}}}
    );
    return list;
}

}  // namespace

json::object policy_json(const RetentionPolicy& policy)
{
    json::array rules;
    for (std::size_t i = 0; i < policy.rules.size(); ++i) rules.push_back(rule_json(policy.rules[i], i));
    return {
        {"id", policy.id},
        {"algorithm", "or"},
        {"rules", std::move(rules)},
        {"trigger", {{"kind", "Schedule"}, {"settings", {{"cron", policy.cron}}}, {"references", json::object{}}}},
        {"scope", {{"level", "project"}, {"ref", policy.project_id}}},
        {"confirm_all", policy.confirm_all},
    };
}

Result<RetentionPolicy> policy_of_body(const JsonBody& body)
{
    TRY(const auto algorithm, body.optional_text("algorithm"));
    if (algorithm.value_or("or") != "or") return fail(Errc::bad_request, "the algorithm of a policy is or");
    TRY(const auto scope, body.optional_object("scope"));
    if (!scope) return fail(Errc::bad_request, "\"scope\" is missing");
    TRY(const auto level, scope->optional_text("level"));
    if (level.value_or("project") != "project") return fail(Errc::bad_request, "the level of a scope is project");
    TRY(const auto project_id, scope->optional_integer("ref"));
    RetentionPolicy policy{.project_id = project_id.value_or(0)};
    TRY(const auto rules, body.objects("rules"));
    for (const auto& each : rules) {
        TRY(auto rule, rule_of_body(each));
        policy.rules.push_back(std::move(rule));
    }
    TRY(policy.cron, cron_of(body));
    TRY(const auto confirm_all, body.optional_boolean("confirm_all"));
    policy.confirm_all = confirm_all.value_or(false);
    return policy;
}

json::object retention_execution_json(const Job& job)
{
    return {
        {"id", job.id},
        {"policy_id", job.subject_id},
        {"start_time", rfc3339(job.started_at == 0 ? job.created_at : job.started_at)},
        {"end_time", time_or_empty(job.ended_at)},
        {"status", harbor_status(job.state)},
        {"trigger", job.trigger == "schedule" ? "Schedule" : "Manual"},
        {"dry_run", is_dry(job)},
        {"result", job.result},
    };
}

json::object retention_task_json(const RetentionTask& task, const Job& execution)
{
    constexpr int running = 2;
    constexpr int success = 3;
    const bool ended = execution.state != JobState::running;
    return {
        {"id", task.id},
        {"execution_id", task.execution_id},
        {"repository", task.repository},
        {"job_id", std::to_string(task.execution_id)},
        {"status", ended ? "Success" : "Running"},
        {"status_code", ended ? success : running},
        {"status_revision", 0},
        {"start_time", rfc3339(task.started_at)},
        {"end_time", time_or_empty(task.ended_at)},
        {"total", task.removed + task.retained},
        {"retained", task.retained},
    };
}

json::object retention_metadata_json()
{
    using enum RetentionTemplate;
    json::array templates{
        template_json(latest_pushed, "the most recently pushed # artifacts", "int", "COUNT"),
        template_json(latest_pulled, "the most recently pulled # artifacts", "int", "COUNT"),
        template_json(days_since_push, "pushed within the last # days", "int", "DAYS"),
        template_json(days_since_pull, "pulled within the last # days", "int", "DAYS"),
        template_json(days_since_creation, "created within the last # days", "int", "DAYS"),
        template_json(versions, "semantic versions within a range", "string", "RANGE"),
        template_json(latest_patches, "the newest # patches of each minor version", "int", "COUNT"),
        template_json(always, "always", "", ""),
    };
    return {
        {"templates", std::move(templates)},
        {"scope_selectors", selector_kinds("Repositories", "repoMatches", "repoExcludes")},
        {"tag_selectors", selector_kinds("Tags", "matches", "excludes")},
    };
}

}  // namespace entrepot
