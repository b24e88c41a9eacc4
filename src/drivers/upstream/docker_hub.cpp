#include "drivers/upstream/docker_hub.hpp"

#include "core/ascii.hpp"
#include "core/json_text.hpp"
#include "core/percent.hpp"
#include "drivers/upstream/remote_problem.hpp"
#include "oci/json_fields.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

namespace entrepot::docker_hub {
namespace {

constexpr std::int64_t largest_page = 100;
constexpr auto token_life = std::chrono::minutes{9};  // of ten

bool is_hub(std::string_view host)
{
    static constexpr std::array<std::string_view, 5> names{
        "docker.io", "hub.docker.com", "index.docker.io", "registry.hub.docker.com", "registry-1.docker.io"
    };
    return std::ranges::find(names, host) != names.end();
}

std::string api_url(const RegistryCalls& calls)
{
    const auto& registry = calls.registry();
    if (is_hub(registry.host)) return "https://hub.docker.com";
    return (registry.tls ? "https://" : "http://") + registry.authority();
}

Task<boost::json::object> ask(RegistryCalls& calls, ClientRequest request)
{
    auto sending = calls.client().send(std::move(request));
    CO_TRY(const auto answer, co_await std::move(sending));
    if (answer.status != 200) co_return std::unexpected{remote_error(answer, answer.body, Errc::name_unknown)};
    auto object = parse_object(answer.body);
    if (!object) co_return fail(Errc::unavailable, "Docker Hub answers with something else than JSON", answer.url);
    co_return *std::move(object);
}

// For the API, which wants another token than the registry.
Task<RegistryPass> log_in(AdapterCalls site)
{
    ClientRequest request{.method = "POST", .url = api_url(site.calls) + "/v2/auth/token", .follow = false};
    request.fields.push_back({"Content-Type", "application/json"});
    request.body = "{\"identifier\":";
    append_json_text(request.body, site.endpoint.access_key);
    request.body += ",\"secret\":";
    append_json_text(request.body, site.endpoint.access_secret);
    request.body += "}";
    auto asking = ask(site.calls, std::move(request));
    CO_TRY(const auto answer, co_await std::move(asking));
    const std::string token{find_text(answer, "access_token")};
    const bool sendable = std::ranges::all_of(token, [](char c) { return c > ' ' && c < 0x7f; });
    if (token.empty() || !sendable) co_return fail(Errc::unavailable, "Docker Hub's log-in gives no token");
    co_return RegistryPass{"Bearer " + token, site.calls.clock().steady() + token_life};
}

Task<boost::json::object> get(AdapterCalls site, std::string authorization, std::string path)
{
    ClientRequest request{.url = api_url(site.calls) + path};
    request.fields.push_back({"Authorization", std::move(authorization), true});
    co_return co_await ask(site.calls, std::move(request));
}

// The first of the account's namespaces, in the order of their names, that comes after `name`, or at it.
Task<std::string> namespace_from(AdapterCalls site, std::string authorization, std::string name, bool after)
{
    CO_TRY(const auto answer, co_await get(site, std::move(authorization), "/v2/repositories/namespaces"));
    std::vector<std::string> names;
    if (const auto* found = find_array(answer, "namespaces")) {
        for (const auto& each : *found) {
            if (each.is_string()) names.emplace_back(each.get_string());
        }
    }
    std::ranges::sort(names);
    const auto place = after ? std::ranges::upper_bound(names, name) : std::ranges::lower_bound(names, name);
    co_return place == names.end() ? std::string{} : *place;
}

}  // namespace

HttpUrl registry_url(HttpUrl entered)
{
    if (!is_hub(entered.host)) return entered;
    return {.tls = true, .host = "registry-1.docker.io", .port = 443, .target = "/"};
}

std::string remote_name(const RepositoryName& repository)
{
    return repository.text().contains('/') ? repository.text() : "library/" + repository.text();
}

// A place in the list is "<namespace> <page>".
Task<CopySource::Listing> repositories(AdapterCalls site, PageRequest page)
{
    if (site.endpoint.access_secret.empty())
        co_return fail(Errc::unsupported, "Docker Hub lists repositories for accounts alone");
    const auto blank = std::min(page.last.find(' '), page.last.size());
    auto space = page.last.substr(0, blank);
    std::uint64_t number = 1;
    if (!page.last.empty()) {
        const auto kept = parse_decimal(std::string_view{page.last}.substr(std::min(blank + 1, page.last.size())));
        if (!kept) co_return fail(Errc::page_invalid, "that is no place in this list");
        number = *kept;
    }
    CO_TRY(const auto authorization, co_await site.calls.api_pass([site] { return log_in(site); }));
    CO_TRY(auto found, co_await namespace_from(site, authorization, space, false));
    CopySource::Listing listing;
    if (found.empty()) co_return listing;
    if (found != space) number = 1;
    space = std::move(found);
    const auto path = "/v2/repositories/" + percent_encoded(space) + "/?page=" + std::to_string(number) +
                      "&page_size=" + std::to_string(largest_page);
    CO_TRY(const auto answer, co_await get(site, authorization, path));
    if (const auto* results = find_array(answer, "results")) {
        for (const auto& each : *results) {
            const auto name = each.is_object() ? find_text(each.get_object(), "name") : std::string_view{};
            if (!name.empty()) listing.names.push_back(space + "/" + std::string{name});
        }
    }
    if (!find_text(answer, "next").empty()) {
        listing.next = space + " " + std::to_string(number + 1);
        co_return listing;
    }
    CO_TRY(const auto following, co_await namespace_from(site, authorization, space, true));
    if (!following.empty()) listing.next = following + " 1";
    co_return listing;
}

}  // namespace entrepot::docker_hub
