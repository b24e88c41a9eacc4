#include "core/json_text.hpp"
#include "core/percent.hpp"
#include "drivers/upstream/registry_site.hpp"
#include "drivers/upstream/remote_problem.hpp"

#include <utility>

namespace entrepot {

// Other registries know of no homes: whoever writes there last is right.
Task<> RegistrySite::announce(std::string project)
{
    if (!claim_ || endpoint_.type != "entrepot") co_return Result<>{};
    CO_TRY(auto inside, RepositoryName::parse(project + "/any"));
    CO_CHECK(co_await prepare(std::move(inside)));
    std::string body = "{\"epoch\":" + std::to_string(claim_->epoch) + ",\"home\":";
    append_json_text(body, claim_->home);
    body += "}";
    co_return co_await tell_home("PUT", std::move(project), std::move(body));
}

Task<> RegistrySite::dismiss(std::string project)
{
    if (!claim_ || endpoint_.type != "entrepot") co_return Result<>{};
    auto told = co_await tell_home("DELETE", std::move(project), {});
    if (!told && (is_unknown(told.error().code()) || told.error().code() == Errc::conflict)) co_return Result<>{};
    co_return told;
}

Task<> RegistrySite::tell_home(std::string method, std::string project, std::string body)
{
    RegistryCall call{
        .method = std::move(method),
        .url = base_ + "/api/v2.0/projects/" + percent_encoded(project) + "/synchronisation/home",
    };
    call.plain_login = true;
    call.lane = EndpointLimiter::Lane::writes;
    if (!body.empty()) call.fields.push_back({"Content-Type", "application/json"});
    call.fields.push_back({"Entrepot-Home-Epoch", std::to_string(claim_->epoch)});
    call.fields.push_back({"Entrepot-Home", claim_->home});
    call.body = std::move(body);
    CO_TRY(const auto answer, co_await calls_.send(std::move(call)));
    if (answer.status < 300) co_return Result<>{};
    co_return std::unexpected{remote_error(answer, answer.body, Errc::name_unknown)};
}

}  // namespace entrepot
