#include "api/management/scrub_api.hpp"

#include "access/require.hpp"
#include "api/management/api_values.hpp"
#include "upkeep/scrub/scrub_options.hpp"

#include <boost/json/array.hpp>

#include <utility>

namespace entrepot {
namespace {

namespace json = boost::json;

const Permission list_findings = need(ObjectKind::platform, "scrub", "list");

json::object finding_json(const Finding& finding)
{
    json::object object{
        {"id", finding.id},
        {"kind", name_of(finding.kind)},
        {"state", name_of(finding.state)},
        {"subject", finding.subject},
        {"size", finding.size},
        {"note", finding.note},
        {"first_seen", rfc3339(finding.first_seen)},
        {"last_seen", rfc3339(finding.last_seen)},
    };
    if (finding.closed_at != 0) object["closed_time"] = rfc3339(finding.closed_at);
    json::array repositories;
    for (const auto& name : finding.repositories) repositories.emplace_back(name);
    object["repositories"] = std::move(repositories);
    return object;
}

// Only what was given is kept, so that a schedule follows the configuration for the rest.
Result<json::object> scrub_parameters(const JsonBody& given)
{
    CHECK(ScrubOptions::read(given.raw(), {}));
    json::object parameters;
    for (const auto* name : {"verify", "rate", "orphans", "min_age", "heal"}) {
        if (const auto* value = given.raw().if_contains(name)) parameters[name] = *value;
    }
    return parameters;
}

void add_counts(json::object& parameters, const json::object& result)
{
    for (const auto& [name, value] : result) parameters[name] = value;
}

}  // namespace

SystemJob scrub_job()
{
    return {
        .path = "system/scrub",
        .id = "scrub_id",
        .kind = "scrub",
        .resource = "scrub",
        .parameters = scrub_parameters,
        .add_outcome = add_counts,
    };
}

void ScrubApi::add_to(ApiRouter& router)
{
    router.get("system/scrub/findings", [this](ApiCall call) { return findings(std::move(call)); });
}

Task<Response> ScrubApi::findings(ApiCall call)
{
    CO_CHECK(require(policy_, call.caller, list_findings, the_platform));
    CO_TRY(const auto query, list_query_of(call.query));
    CO_TRY(const auto page, co_await catalog_.findings(query));
    json::array items;
    for (const auto& finding : page.items) items.push_back(finding_json(finding));
    co_return list_response(call.request, std::move(items), query, page.total);
}

}  // namespace entrepot
