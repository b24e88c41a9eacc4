#include "api/management/checks_api.hpp"

#include "api/management/api_values.hpp"
#include "api/management/repository_of_call.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

namespace entrepot {
namespace {

namespace json = boost::json;

json::object check_json(const ArtifactCheck& check)
{
    return {
        {"name", check.name},
        {"state", name_of(check.state)},
        {"url", check.url},
        {"summary", check.summary},
        {"reporter", check.reporter},
        {"report_time", rfc3339(check.at)},
    };
}

Result<ArtifactCheck> check_of(std::string name, const JsonBody& body)
{
    TRY(const auto text, body.text("state"));
    const auto state = check_state_named(text);
    if (!state) return fail(Errc::bad_request, "a check's state is running, passed or failed");
    TRY(auto url, body.optional_text("url"));
    TRY(auto summary, body.optional_text("summary"));
    return ArtifactCheck{
        .name = std::move(name),
        .state = *state,
        .url = std::move(url).value_or(""),
        .summary = std::move(summary).value_or(""),
    };
}

}  // namespace

void ChecksApi::add_to(ApiRouter& router)
{
    constexpr auto all = "projects/{project_name}/repositories/{repository_name}/artifacts/{reference}/checks";
    constexpr auto one =
        "projects/{project_name}/repositories/{repository_name}/artifacts/{reference}/checks/{check_name}";
    router.get(all, [this](ApiCall call) { return list(std::move(call)); }, ApiAudience::anyone);
    router.put(one, [this](ApiCall call) { return report(std::move(call)); });
    router.del(one, [this](ApiCall call) { return remove(std::move(call)); });
}

Task<Response> ChecksApi::list(ApiCall call)
{
    CO_TRY(const auto name, repository_of_call(call, policy_));
    CO_TRY(const auto reference, reference_of(call.path.at(2)));
    CO_TRY(const auto query, list_query_of(call.query));
    CO_TRY(const auto page, co_await checks_.list(call.caller, name, reference, query));
    json::array listed;
    for (const auto& check : page.items) listed.push_back(check_json(check));
    co_return list_response(call.request, std::move(listed), query, page.total);
}

Task<Response> ChecksApi::report(ApiCall call)
{
    CO_TRY(const auto name, repository_of_call(call, policy_));
    CO_TRY(const auto reference, reference_of(call.path.at(2)));
    note_subject(call, policy_, "check", name_of(name, reference) + "#" + call.path.at(3));
    CO_TRY(const auto body, co_await JsonBody::read(call.body));
    CO_TRY(auto check, check_of(call.path.at(3), body));
    CO_TRY(const auto reported, co_await checks_.report(call.caller, name, reference, std::move(check)));
    if (call.audit) call.audit->after = json::serialize(check_json(reported));
    co_return json_response(check_json(reported));
}

Task<Response> ChecksApi::remove(ApiCall call)
{
    CO_TRY(const auto name, repository_of_call(call, policy_));
    CO_TRY(const auto reference, reference_of(call.path.at(2)));
    note_subject(call, policy_, "check", name_of(name, reference) + "#" + call.path.at(3));
    CO_CHECK(co_await checks_.remove(call.caller, name, reference, call.path.at(3)));
    co_return Response{};
}

}  // namespace entrepot
