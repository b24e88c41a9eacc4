#include "api/management/system_api.hpp"

#include "access/require.hpp"
#include "api/management/api_values.hpp"
#include "api/management/json_append.hpp"
#include "api/management/project_json.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>

namespace entrepot {
namespace {

namespace json = boost::json;

const Permission read_volumes = need(ObjectKind::platform, "system-volumes", "read");

// Clients choose by it which of Harbor's fields and operations they may count on.
constexpr std::string_view harbor_version = "v2.14.0";

constexpr std::size_t longest_search = 255;

// Harbor's names for what we have of its parts, and ours (operations.hpp).
constexpr std::pair<std::string_view, std::string_view> components[] = {
    {"database", "database"}, {"registry", "store"}
};

json::object repository_json(const FoundRepository& repository)
{
    return {
        {"project_id", repository.project_id},
        {"project_name", repository.project_name},
        {"project_public", repository.project_public},
        {"repository_name", repository.name},
        {"pull_count", repository.pull_count},
        {"artifact_count", repository.artifact_count},
    };
}

}  // namespace

void SystemApi::add_to(ApiRouter& router)
{
    const auto open = ApiAudience::anyone;
    router.get("ping", [this](ApiCall call) { return ping(std::move(call)); }, open);
    router.get("health", [this](ApiCall call) { return health(std::move(call)); }, open);
    router.get("systeminfo", [this](ApiCall call) { return info(std::move(call)); }, open);
    router.get("systeminfo/volumes", [this](ApiCall call) { return volumes(std::move(call)); });
    router.get("systeminfo/getcert", [this](ApiCall call) { return certificate(std::move(call)); }, open);
    router.get("statistics", [this](ApiCall call) { return statistics(std::move(call)); });
    router.get("search", [this](ApiCall call) { return search(std::move(call)); }, open);
}

Task<Response> SystemApi::ping(ApiCall)
{
    Response pong;
    pong.add("Content-Type", "text/plain; charset=utf-8");
    pong.body = std::string{"Pong"};
    co_return pong;
}

Task<Response> SystemApi::health(ApiCall)
{
    const auto failures = co_await needs_.operations.check();
    json::array parts{json::object{{"name", "core"}, {"status", "healthy"}}};
    for (const auto& [name, ours] : components) {
        const auto failed = std::ranges::find(failures, ours, &Readiness::Failure::part);
        json::object part{{"name", name}, {"status", failed == failures.end() ? "healthy" : "unhealthy"}};
        if (failed != failures.end()) part["error"] = failed->error.message();
        parts.push_back(std::move(part));
    }
    co_return json_response(
        json::object{{"status", failures.empty() ? "healthy" : "unhealthy"}, {"components", std::move(parts)}}
    );
}

Task<Response> SystemApi::info(ApiCall call)
{
    const auto& settings = needs_.settings;
    json::object info{
        {"auth_mode", settings.auth_mode()},
        {"primary_auth_mode", settings.primary_auth_mode()},
        {"self_registration", settings.self_registration()},
        {"banner_message", settings.banner_message()},
        {"harbor_version", harbor_version},
    };
    if (!call.identity().anonymous()) {
        const auto& origin = call.request.origin();
        const auto asked_for = (origin.secure ? "https://" : "http://") + origin.authority;
        const auto url = needs_.external_url.empty() ? asked_for : needs_.external_url;
        info["entrepot_version"] = needs_.version;
        info["external_url"] = url;
        info["registry_url"] = url.substr(url.find("://") + 3);
        info["current_time"] = rfc3339(needs_.clock.now());
        info["project_creation_restriction"] = settings.everyone_creates_projects() ? "everyone" : "adminonly";
        info["read_only"] = settings.read_only();
        info["notification_enable"] = settings.notifications();
        info["has_ca_root"] = false;
        info["registry_storage_provider_name"] = "filesystem";
    }
    co_return json_response(info);
}

Task<Response> SystemApi::volumes(ApiCall call)
{
    CO_CHECK(require(needs_.policy, call.caller, read_volumes, the_platform));
    CO_TRY(const auto space, co_await needs_.storage.space());
    json::array storage{json::object{{"total", space.total}, {"free", space.free}}};
    co_return json_response(json::object{{"storage", std::move(storage)}});
}

// We sign no certificates, so there is none of a root to hand out.
Task<Response> SystemApi::certificate(ApiCall)
{
    co_return fail(Errc::not_found, "there is no root certificate");
}

Task<Response> SystemApi::statistics(ApiCall call)
{
    CO_TRY(const auto totals, co_await needs_.overview.totals(call.caller));
    const auto& counts = totals.counts;
    json::object object{
        {"public_project_count", counts.public_projects},
        {"private_project_count", counts.private_projects},
        {"public_repo_count", counts.public_repositories},
        {"private_repo_count", counts.private_repositories},
        {"total_project_count", counts.public_projects + counts.private_projects},
        {"total_repo_count", counts.public_repositories + counts.private_repositories},
    };
    // What others store is not everybody's to know.
    if (totals.everything) object["total_storage_consumption"] = counts.bytes;
    co_return json_response(object);
}

Task<Response> SystemApi::search(ApiCall call)
{
    CO_TRY(auto part, call.query.plain("q"));
    if (part.size() > longest_search) co_return fail(Errc::bad_request, "q is too long");
    CO_TRY(const auto found, co_await needs_.overview.search(call.caller, std::move(part)));
    const auto append = [&](std::string& out, const Project& project) {
        append_project(
            out,
            project,
            {.role_id = needs_.projects.role_of(call.caller, project.id),
             .togglable = needs_.projects.may_change(call.caller, project.id)}
        );
    };
    json::array repositories;
    for (const auto& repository : found.repositories) repositories.push_back(repository_json(repository));
    co_return json_text(
        R"({"project":)" + json_list(found.projects, 0, append) + R"(,"repository":)" + json::serialize(repositories) +
        R"(,"chart":[]})"
    );
}

}  // namespace entrepot
