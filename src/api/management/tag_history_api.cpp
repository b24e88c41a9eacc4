#include "api/management/tag_history_api.hpp"

#include "api/management/api_values.hpp"
#include "api/management/repository_of_call.hpp"

#include <boost/json/array.hpp>

namespace entrepot {
namespace {

namespace json = boost::json;

json::value text_or_null(const std::string& text)
{
    return text.empty() ? json::value(nullptr) : json::value(text);
}

json::object change_json(const TagChange& change)
{
    return {
        {"id", change.id},
        {"tag", change.tag},
        {"digest", text_or_null(change.digest)},
        {"previous_digest", text_or_null(change.previous)},
        {"time", rfc3339(change.at)},
        {"user_id", change.user_id},
        {"username", change.user_name},
        {"how", change.how},
        {"available", change.available},
    };
}

json::array changes_json(const std::vector<TagChange>& changes)
{
    json::array list;
    for (const auto& change : changes) list.push_back(change_json(change));
    return list;
}

Result<Tag> tag_of(const std::string& text)
{
    auto tag = Tag::parse(text);
    // Nothing has such a name.
    if (!tag) return fail(Errc::not_found, "there is no such tag");
    return tag;
}

Result<Micros> time_of(std::string_view text)
{
    const auto time = parse_time(text);
    if (!time) return fail(Errc::bad_request, "\"at\" is not a time such as 2026-11-22T10:00:00Z");
    return *time;
}

// {"digest": …} or {"at": …}
Result<TagHistoryCatalog::Moment> moment_of(const JsonBody& body)
{
    TRY(const auto digest, body.optional_text("digest"));
    TRY(const auto at, body.optional_text("at"));
    if (digest.has_value() == at.has_value()) {
        return fail(Errc::bad_request, "say either the \"digest\" or the time \"at\" to go back to");
    }
    if (at) {
        TRY(const auto time, time_of(*at));
        return TagHistoryCatalog::Moment{time};
    }
    auto parsed = Digest::parse(*digest);
    if (!parsed) return fail(Errc::bad_request, "\"digest\" is not a digest");
    return TagHistoryCatalog::Moment{*std::move(parsed)};
}

}  // namespace

void TagHistoryApi::add_to(ApiRouter& router)
{
    router.get("projects/{project_name}/repositories/{repository_name}/tags", [this](ApiCall call) {
        return list(std::move(call));
    });
    router.get("projects/{project_name}/repositories/{repository_name}/tags/{tag_name}/history", [this](ApiCall call) {
        return of_tag(std::move(call));
    });
    router.post("projects/{project_name}/repositories/{repository_name}/tags/{tag_name}/restore", [this](ApiCall call) {
        return restore(std::move(call));
    });
}

Task<Response> TagHistoryApi::list(ApiCall call)
{
    CO_TRY(auto name, repository_of_call(call, policy_));
    CO_TRY(const auto query, list_query_of(call.query));
    std::optional<Micros> time;
    if (const auto at = call.query.first("at")) {
        CO_TRY(time, time_of(*at));
    }
    CO_TRY(const auto page, co_await history_.at(call.caller, std::move(name), time, query));
    co_return list_response(call.request, changes_json(page.items), query, page.total);
}

Task<Response> TagHistoryApi::of_tag(ApiCall call)
{
    CO_TRY(auto name, repository_of_call(call, policy_));
    CO_TRY(auto tag, tag_of(call.path.at(2)));
    CO_TRY(const auto query, list_query_of(call.query));
    CO_TRY(const auto page, co_await history_.of_tag(call.caller, std::move(name), std::move(tag), query));
    co_return list_response(call.request, changes_json(page.items), query, page.total);
}

Task<Response> TagHistoryApi::restore(ApiCall call)
{
    CO_TRY(const auto name, repository_of_call(call, policy_));
    CO_TRY(const auto tag, tag_of(call.path.at(2)));
    note_subject(call, policy_, "tag", name.text() + ":" + tag.text());
    CO_TRY(const auto body, co_await JsonBody::read(call.body));
    CO_TRY(auto moment, moment_of(body));
    CO_TRY(const auto digest, co_await history_.restore(call.caller, name, tag, std::move(moment)));
    json::object answer{{"tag", tag.text()}, {"digest", digest.text()}};
    if (call.audit) call.audit->after = R"({"digest":")" + digest.text() + R"("})";
    co_return json_response(answer);
}

}  // namespace entrepot
