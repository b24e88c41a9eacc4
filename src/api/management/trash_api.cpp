#include "api/management/trash_api.hpp"

#include "api/management/api_values.hpp"
#include "api/management/repository_of_call.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

namespace entrepot {
namespace {

namespace json = boost::json;

json::value text_or_null(const std::string& text)
{
    return text.empty() ? json::value(nullptr) : json::value(text);
}

json::object entry_json(const TrashEntry& entry)
{
    json::array tags;
    for (const auto& tag : entry.tags) tags.push_back(json::value(tag));
    const bool whole = entry.digest.empty();
    return {
        {"id", entry.id},
        {"kind", whole ? "repository" : "artifact"},
        {"repository", entry.repository.text()},
        {"digest", text_or_null(entry.digest)},
        {"media_type", text_or_null(entry.media_type)},
        {"artifact_type", text_or_null(entry.artifact_type)},
        {"size", entry.size},
        {"manifests", entry.manifests},
        {"tags", std::move(tags)},
        {"deleted_at", rfc3339(entry.deleted_at)},
        {"deleted_by", entry.deleted_by},
        {"deleted_by_name", entry.deleted_by_name},
        {"how", entry.how},
        {"expires_at", rfc3339(entry.expires_at)},
        {"restored_at", entry.restored_at == 0 ? json::value(nullptr) : json::value(rfc3339(entry.restored_at))},
    };
}

json::object restored_json(const RestoredTrash& restored)
{
    json::array digests;
    for (const auto& digest : restored.digests) digests.push_back(json::value(digest));
    json::array tags;
    json::array left;
    for (const auto& tag : restored.tags) {
        json::object told{{"tag", tag.tag}, {"digest", tag.digest}};
        if (!tag.reason.empty()) told["reason"] = tag.reason;
        (tag.reason.empty() ? tags : left).push_back(std::move(told));
    }
    return {{"digests", std::move(digests)}, {"tags", std::move(tags)}, {"tags_left", std::move(left)}};
}

std::string_view name_of(TagReturn::Step step) noexcept
{
    using Step = TagReturn::Step;
    switch (step) {
        case Step::stays: return "stays";
        case Step::moves: return "moves";
        case Step::returns: return "returns";
        case Step::leaves: return "leaves";
        case Step::lost: return "lost";
        case Step::immutable: return "immutable";
    }
    return "";
}

json::object return_json(const TagsAt& plan, bool dry_run)
{
    json::array tags;
    for (const auto& step : plan.tags) {
        tags.push_back(json::object{
            {"tag", step.tag},
            {"step", name_of(step.step)},
            {"digest", text_or_null(step.digest)},
            {"previous_digest", text_or_null(step.previous)},
        });
    }
    return {{"dry_run", dry_run}, {"truncated", plan.truncated}, {"tags", std::move(tags)}};
}

// A body may be left out.
Task<bool> force_of(ApiCall& call)
{
    if (call.body.size() == 0) co_return false;
    CO_TRY(const auto body, co_await JsonBody::read(call.body));
    CO_TRY(const auto force, body.optional_boolean("force_tags"));
    co_return force.value_or(false);
}

Result<Trash::Return> return_of(const JsonBody& body)
{
    TRY(const auto at, body.optional_text("at"));
    const auto time = at ? parse_time(*at) : std::nullopt;
    if (!time) return fail(Errc::bad_request, "\"at\" is not a time such as 2026-11-22T10:00:00Z");
    TRY(const auto exact, body.optional_boolean("exact"));
    TRY(const auto dry_run, body.optional_boolean("dry_run"));
    return Trash::Return{.time = *time, .exact = exact.value_or(false), .dry_run = dry_run.value_or(false)};
}

}  // namespace

void TrashApi::add_to(ApiRouter& router)
{
    constexpr auto all = "projects/{project_name}/trash";
    constexpr auto one = "projects/{project_name}/trash/{trash_id}";
    router.get(all, [this](ApiCall call) { return list(std::move(call)); });
    router.del(all, [this](ApiCall call) { return empty_all(std::move(call)); });
    router.get(one, [this](ApiCall call) { return get(std::move(call)); });
    router.del(one, [this](ApiCall call) { return empty(std::move(call)); });
    router.post("projects/{project_name}/trash/{trash_id}/restore", [this](ApiCall call) {
        return restore(std::move(call));
    });
    router.post("projects/{project_name}/repositories/{repository_name}/restore", [this](ApiCall call) {
        return go_back(std::move(call));
    });
}

Task<Response> TrashApi::list(ApiCall call)
{
    CO_TRY(const auto project, project_of_call(call, policy_));
    CO_TRY(const auto query, list_query_of(call.query));
    CO_TRY(const auto page, co_await trash_.list(call.caller, project->id, query));
    json::array listed;
    for (const auto& entry : page.items) listed.push_back(entry_json(entry));
    co_return list_response(call.request, std::move(listed), query, page.total);
}

Task<Response> TrashApi::get(ApiCall call)
{
    CO_TRY(const auto project, project_of_call(call, policy_));
    CO_TRY(const auto id, parse_id(call.path.at(1)));
    CO_TRY(const auto entry, co_await trash_.find(call.caller, project->id, id));
    co_return json_response(entry_json(entry));
}

Task<Response> TrashApi::restore(ApiCall call)
{
    CO_TRY(const auto project, project_of_call(call, policy_));
    CO_TRY(const auto id, parse_id(call.path.at(1)));
    note_subject(call, policy_, "trash", project->name + "/" + std::to_string(id));
    CO_TRY(const bool force_tags, co_await force_of(call));
    CO_TRY(const auto restored, co_await trash_.restore(call.caller, project->id, id, force_tags));
    const auto answer = restored_json(restored);
    if (call.audit) call.audit->after = json::serialize(answer);
    co_return json_response(answer);
}

Task<Response> TrashApi::empty(ApiCall call)
{
    CO_TRY(const auto project, project_of_call(call, policy_));
    CO_TRY(const auto id, parse_id(call.path.at(1)));
    note_subject(call, policy_, "trash", project->name + "/" + std::to_string(id));
    CO_CHECK(co_await trash_.empty(call.caller, project->id, id));
    co_return Response{};
}

Task<Response> TrashApi::empty_all(ApiCall call)
{
    CO_TRY(const auto project, project_of_call(call, policy_));
    note_subject(call, policy_, "trash", project->name + "/");
    CO_TRY(const auto entries, co_await trash_.empty_all(call.caller, project->id));
    co_return json_response(json::object{{"entries", entries}});
}

Task<Response> TrashApi::go_back(ApiCall call)
{
    CO_TRY(const auto name, repository_of_call(call, policy_));
    note_subject(call, policy_, "repository", name.text());
    CO_TRY(const auto body, co_await JsonBody::read(call.body));
    CO_TRY(const auto to, return_of(body));
    CO_TRY(const auto done, co_await trash_.go_back(call.caller, name, to));
    if (call.audit)
        call.audit->after =
            json::serialize(json::object{{"at", rfc3339(to.time)}, {"exact", to.exact}, {"dry_run", to.dry_run}});
    co_return json_response(return_json(done, to.dry_run));
}

}  // namespace entrepot
