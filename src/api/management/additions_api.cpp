#include "api/management/additions_api.hpp"

#include "api/management/api_values.hpp"
#include "api/management/repository_of_call.hpp"

namespace entrepot {
namespace {

Result<Reference> reference_in(const ApiCall& call)
{
    auto reference = Reference::parse(call.path.at(2));
    // Nothing has such a name.
    if (!reference) return fail(Errc::not_found, "there is no such artifact");
    return reference;
}

}  // namespace

void AdditionsApi::add_to(ApiRouter& router)
{
    constexpr auto anyone = ApiAudience::anyone;
    router.get(
        "projects/{project_name}/repositories/{repository_name}/artifacts/{reference}/additions/{addition}",
        [this](ApiCall call) { return read(std::move(call)); },
        anyone
    );
    router.get(
        "projects/{project_name}/repositories/{repository_name}/artifacts/{reference}/additions/vulnerabilities",
        [this](ApiCall call) { return vulnerabilities(std::move(call)); },
        anyone
    );
    router.get("icons/{digest}", [this](ApiCall call) { return icon(std::move(call)); }, anyone);
}

Task<Response> AdditionsApi::read(ApiCall call)
{
    CO_TRY(auto name, repository_of_call(call, policy_));
    CO_TRY(auto reference, reference_in(call));
    CO_TRY(
        auto addition, co_await additions_.read(call.caller, std::move(name), std::move(reference), call.path.at(3))
    );
    Response response;
    response.add("Content-Type", addition.content_type);
    // A stranger wrote it, and a browser may ask for it.
    response.add("X-Content-Type-Options", "nosniff");
    response.add("Content-Security-Policy", "default-src 'none'; sandbox");
    response.body = std::move(addition.body);
    co_return response;
}

// Without a scanner there are no reports, of any artifact that is there.
Task<Response> AdditionsApi::vulnerabilities(ApiCall call)
{
    CO_TRY(auto name, repository_of_call(call, policy_));
    CO_TRY(auto reference, reference_in(call));
    CO_CHECK(co_await additions_.require_artifact(call.caller, std::move(name), std::move(reference)));
    co_return json_response(boost::json::object{});
}

Task<Response> AdditionsApi::icon(ApiCall call)
{
    auto digest = Digest::parse(call.path.at(0));
    if (!digest) co_return fail(Errc::bad_request, "this is no digest");
    CO_TRY(const auto icon, co_await icons_.find(call.caller, *std::move(digest)));
    co_return json_response(
        boost::json::object{{"content-type", icon.content_type}, {"content", to_base64(as_bytes(icon.bytes))}}
    );
}

}  // namespace entrepot
