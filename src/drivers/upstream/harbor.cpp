#include "drivers/upstream/harbor.hpp"

#include "core/ascii.hpp"
#include "core/json_text.hpp"
#include "core/percent.hpp"
#include "drivers/upstream/remote_problem.hpp"
#include "oci/json_fields.hpp"

#include <algorithm>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

namespace entrepot::harbor {
namespace {

namespace json = boost::json;

constexpr std::int64_t largest_page = 100;

std::string api_url(const RegistryCalls& calls, std::string_view rest)
{
    auto url = calls.registry().text();
    while (url.ends_with('/')) url.pop_back();
    return url + "/api/v2.0" + std::string{rest};
}

}  // namespace

RegistryCall api_call(const RegistryCalls& calls, std::string_view method, std::string_view rest)
{
    RegistryCall call{.method = std::string{method}, .url = api_url(calls, rest)};
    call.plain_login = true;
    call.lane = method == "GET" ? EndpointLimiter::Lane::reads : EndpointLimiter::Lane::writes;
    return call;
}

// Sorted by name, so that what comes and goes meanwhile moves little; the place in the list is its page and the page's
// size, since both must stay the same.
Task<CopySource::Listing> repositories(AdapterCalls site, PageRequest page)
{
    std::uint64_t number = 1;
    auto size = static_cast<std::uint64_t>(page.limit > 0 ? std::min(page.limit, largest_page) : largest_page);
    if (!page.last.empty()) {
        const auto colon = std::min(page.last.find(':'), page.last.size());
        const auto kept_number = parse_decimal(std::string_view{page.last}.substr(0, colon));
        const auto kept_size = parse_decimal(std::string_view{page.last}.substr(std::min(colon + 1, page.last.size())));
        if (!kept_number || !kept_size || *kept_size < 1 || *kept_size > largest_page)
            co_return fail(Errc::page_invalid, "that is no place in this list");
        number = *kept_number;
        size = *kept_size;
    }
    const auto query = "/repositories?sort=name&page=" + std::to_string(number) + "&page_size=" + std::to_string(size);
    CO_TRY(const auto answer, co_await site.calls.send(api_call(site.calls, "GET", query)));
    if (answer.status != 200) co_return std::unexpected{remote_error(answer, answer.body, Errc::unsupported)};
    boost::system::error_code error;
    const auto value = json::parse(answer.body, error);
    if (error || !value.is_array())
        co_return fail(Errc::unavailable, "the registry answers with something else than a list", answer.url);
    CopySource::Listing listing;
    for (const auto& each : value.get_array()) {
        const auto name = each.is_object() ? find_text(each.get_object(), "name") : std::string_view{};
        if (!name.empty()) listing.names.emplace_back(name);
    }
    // A page that is not full is the last one.
    if (value.get_array().size() >= size) listing.next = std::to_string(number + 1) + ":" + std::to_string(size);
    co_return listing;
}

Task<> prepare(AdapterCalls site, RepositoryName repository)
{
    const std::string project{repository.project()};
    auto asking = api_call(site.calls, "HEAD", "/projects?project_name=" + percent_encoded(project));
    CO_TRY(const auto known, co_await site.calls.send(std::move(asking)));
    if (known.status == 200) co_return Result<>{};
    auto call = api_call(site.calls, "POST", "/projects");
    call.fields.push_back({"Content-Type", "application/json"});
    call.body = "{\"project_name\":";
    append_json_text(call.body, project);
    call.body += ",\"metadata\":{\"public\":\"false\"}}";
    CO_TRY(const auto answer, co_await site.calls.send(std::move(call)));
    if (answer.status == 201 || answer.status == 409) co_return Result<>{};
    co_return std::unexpected{remote_error(answer, answer.body, Errc::unsupported)};
}

Task<> remove_tag(AdapterCalls site, RepositoryName repository, Tag tag)
{
    const std::string project{repository.project()};
    const auto rest = repository.text().substr(std::min(project.size() + 1, repository.text().size()));
    // The API wants a repository's name encoded twice.
    const auto path = "/projects/" + percent_encoded(project) + "/repositories/" +
                      percent_encoded(percent_encoded(rest)) + "/artifacts/" + percent_encoded(tag.text()) + "/tags/" +
                      percent_encoded(tag.text());
    CO_TRY(const auto answer, co_await site.calls.send(api_call(site.calls, "DELETE", path)));
    if (answer.status < 300) co_return Result<>{};
    co_return std::unexpected{remote_error(answer, answer.body, Errc::manifest_unknown)};
}

}  // namespace entrepot::harbor
