#include "api/management/synchronisations_api.hpp"

#include "api/management/api_values.hpp"
#include "api/management/project_of.hpp"
#include "core/ascii.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

namespace entrepot {
namespace {

namespace json = boost::json;

constexpr std::string_view path = "projects/{project_name_or_id}/synchronisation";
constexpr std::string_view home_path = "projects/{project_name_or_id}/synchronisation/home";

void note(const ApiCall& call, const ProjectAccess& project)
{
    call.audit->resource_type = "project";
    call.audit->resource = project.name;
    call.audit->project_id = project.id;
    call.audit->tenant_id = project.tenant_id;
}

json::object synchronisation_json(const Synchronisation& one)
{
    json::object object{
        {"project_id", one.project_id}, {"role", text_of(one.role)}, {"epoch", one.epoch}, {"home", one.home}
    };
    if (one.role != SiteRole::home) return object;
    json::array sites;
    for (const auto& site : one.sites) {
        sites.push_back(json::object{
            {"registry_id", site.registry_id},
            {"registry", site.registry},
            {"project", site.project},
            {"knows_home", site.followed_epoch == one.epoch},
            {"lacking", site.lacking},
            {"lacking_since", site.oldest == 0 ? json::value(nullptr) : json::value(rfc3339(site.oldest))},
            {"last_error", site.last_error},
        });
    }
    object["sites"] = std::move(sites);
    object["required"] = one.required;
    object["when_fewer"] = one.degrades ? "degrade" : "refuse";
    object["timeout"] = one.patience;
    return object;
}

Result<Synchronisation> synchronisation_of(const JsonBody& body, std::int64_t project_id)
{
    Synchronisation wanted{.project_id = project_id};
    TRY(const auto sites, body.objects("sites"));
    for (const auto& entry : sites) {
        TRY(const auto id, entry.optional_integer("registry_id"));
        if (!id) return fail(Errc::bad_request, "a site has a registry_id");
        TRY(auto project, entry.optional_text("project"));
        wanted.sites.push_back({.registry_id = *id, .project = std::move(project).value_or("")});
    }
    TRY(const auto required, body.optional_integer("required"));
    wanted.required = required.value_or(std::ssize(wanted.sites));
    TRY(const auto when_fewer, body.optional_text("when_fewer"));
    if (when_fewer && *when_fewer != "refuse" && *when_fewer != "degrade") {
        return fail(Errc::bad_request, "when_fewer is refuse or degrade");
    }
    wanted.degrades = when_fewer == "degrade";
    TRY(const auto patience, body.optional_integer("timeout"));
    wanted.patience = patience.value_or(wanted.patience);
    TRY(auto home, body.optional_text("home"));
    wanted.home = std::move(home).value_or("");
    return wanted;
}

}  // namespace

void SynchronisationsApi::add_to(ApiRouter& router)
{
    router.get(path, [this](ApiCall call) { return read(std::move(call)); });
    router.put(path, [this](ApiCall call) { return set(std::move(call)); });
    router.del(path, [this](ApiCall call) { return stop(std::move(call)); });
    router.post("projects/{project_name_or_id}/synchronisation/takeover", [this](ApiCall call) {
        return take_over(std::move(call));
    });
    router.put(home_path, [this](ApiCall call) { return follow(std::move(call)); });
    router.del(home_path, [this](ApiCall call) { return leave(std::move(call)); });
}

Task<Response> SynchronisationsApi::read(ApiCall call)
{
    CO_TRY(const auto project, project_of(call, policy_, call.path.at(0)));
    CO_TRY(const auto found, co_await synchronisations_.find(call.caller, project->id));
    co_return json_response(synchronisation_json(found));
}

Task<Response> SynchronisationsApi::set(ApiCall call)
{
    CO_TRY(const auto project, project_of(call, policy_, call.path.at(0)));
    note(call, *project);
    CO_TRY(const auto body, co_await JsonBody::read(call.body));
    CO_TRY(auto wanted, synchronisation_of(body, project->id));
    CO_TRY(const auto made, co_await synchronisations_.set(call.caller, std::move(wanted)));
    call.audit->after = json::serialize(synchronisation_json(made));
    co_return json_response(synchronisation_json(made));
}

Task<Response> SynchronisationsApi::take_over(ApiCall call)
{
    CO_TRY(const auto project, project_of(call, policy_, call.path.at(0)));
    note(call, *project);
    call.audit->operation = "take over";
    CO_TRY(const auto body, co_await JsonBody::read(call.body));
    CO_TRY(auto wanted, synchronisation_of(body, project->id));
    CO_TRY(const auto made, co_await synchronisations_.take_over(call.caller, std::move(wanted)));
    call.audit->after = json::serialize(synchronisation_json(made));
    co_return json_response(synchronisation_json(made));
}

Task<Response> SynchronisationsApi::stop(ApiCall call)
{
    CO_TRY(const auto project, project_of(call, policy_, call.path.at(0)));
    note(call, *project);
    CO_TRY(const auto before, co_await synchronisations_.stop(call.caller, project->id));
    call.audit->before = json::serialize(synchronisation_json(before));
    co_return Response{};
}

Task<Response> SynchronisationsApi::follow(ApiCall call)
{
    CO_TRY(const auto project, project_of(call, policy_, call.path.at(0)));
    note(call, *project);
    CO_TRY(const auto body, co_await JsonBody::read(call.body));
    CO_TRY(const auto epoch, body.optional_integer("epoch"));
    CO_TRY(auto home, body.text("home"));
    HomeClaim claim{.epoch = epoch.value_or(0), .home = std::move(home)};
    CO_TRY(const auto now, co_await synchronisations_.follow(call.caller, project->id, std::move(claim)));
    call.audit->after = json::serialize(synchronisation_json(now));
    co_return json_response(synchronisation_json(now));
}

Task<Response> SynchronisationsApi::leave(ApiCall call)
{
    CO_TRY(const auto project, project_of(call, policy_, call.path.at(0)));
    note(call, *project);
    const auto epoch = parse_decimal(call.request.header("entrepot-home-epoch").value_or(""));
    if (!epoch) co_return fail(Errc::bad_request, "the header Entrepot-Home-Epoch says which home speaks");
    HomeClaim claim{
        .epoch = static_cast<std::int64_t>(*epoch),
        .home = std::string{call.request.header("entrepot-home").value_or("")},
    };
    CO_CHECK(co_await synchronisations_.leave(call.caller, project->id, std::move(claim)));
    co_return Response{};
}

}  // namespace entrepot
