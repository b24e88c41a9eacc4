#include "drivers/upstream/aws_ecr.hpp"

#include "core/ascii.hpp"
#include "core/json_text.hpp"
#include "drivers/upstream/aws_signature.hpp"
#include "drivers/upstream/remote_problem.hpp"
#include "oci/json_fields.hpp"

#include <algorithm>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

namespace entrepot::aws_ecr {
namespace {

constexpr std::string_view api_prefix = "AmazonEC2ContainerRegistry_V20150921.";
constexpr std::int64_t largest_page = 1'000;
constexpr std::string_view usual_region = "us-east-1";
constexpr auto pass_margin = std::chrono::minutes{10};
constexpr auto longest_life = std::chrono::hours{12};

// Where the API is: beside the registry's name, or the registry's own address where that is none of Amazon's.
std::string api_url(const HttpUrl& registry)
{
    const auto region = region_of(registry.host);
    if (!region) return (registry.tls ? "https://" : "http://") + registry.authority() + "/";
    const bool china = registry.host.ends_with(".cn");
    return "https://api.ecr." + *region + ".amazonaws.com" + (china ? ".cn" : "") + "/";
}

// Signed by the endpoint's key. The answer as it came.
Task<ClientResponse>
call_api(HttpClient& client, RegistryEndpoint endpoint, std::string operation, std::string body, const Clock& clock)
{
    CO_TRY(const auto registry, parse_http_url(endpoint.url));
    CO_TRY(const auto url, parse_http_url(api_url(registry)));
    ClientRequest request{.method = "POST", .url = url.text(), .body = std::move(body), .follow = false};
    request.fields = {
        {"Content-Type", "application/x-amz-json-1.1"},
        {"X-Amz-Target", std::string{api_prefix} + operation},
    };
    const AwsCredentials credentials{
        endpoint.access_key,
        endpoint.access_secret,
        region_of(registry.host).value_or(std::string{usual_region}),
        "ecr",
    };
    for (auto& field : aws_signature(credentials, "POST", url, request.fields, request.body, clock.now()))
        request.fields.push_back(std::move(field));
    co_return co_await client.send(std::move(request));
}

Error api_error(const ClientResponse& answer)
{
    const auto problem = parse_remote_problem(answer.body);
    const auto error = remote_error(answer, answer.body, Errc::unavailable);
    struct Row {
        std::string_view code;
        Errc errc;
    };
    // docs.aws.amazon.com, Amazon ECR API Reference, "Common Errors", and those of the operations.
    static constexpr std::array<Row, 8> table{{
        {"ACCESSDENIEDEXCEPTION", Errc::denied},
        {"UNRECOGNIZEDCLIENTEXCEPTION", Errc::denied},
        {"INVALIDSIGNATUREEXCEPTION", Errc::denied},
        {"INCOMPLETESIGNATURE", Errc::denied},
        {"EXPIREDTOKENEXCEPTION", Errc::denied},
        {"THROTTLINGEXCEPTION", Errc::too_many_requests},
        {"LIMITEXCEEDEDEXCEPTION", Errc::quota_exceeded},
        {"REPOSITORYNOTFOUNDEXCEPTION", Errc::name_unknown},
    }};
    const auto* found = std::ranges::find(table, problem.code, &Row::code);
    return found == table.end() ? error : Error{found->errc, error.message(), error.detail()};
}

}  // namespace

std::optional<std::string> region_of(std::string_view host)
{
    constexpr std::string_view marker = ".dkr.ecr.";
    constexpr std::string_view fips = ".dkr.ecr-fips.";
    for (const auto each : {marker, fips}) {
        const auto at = host.find(each);
        if (at == std::string_view::npos) continue;
        const auto rest = host.substr(at + each.size());
        const auto end = rest.find('.');
        const auto domain = end == std::string_view::npos ? std::string_view{} : rest.substr(end);
        if (domain == ".amazonaws.com" || domain == ".amazonaws.com.cn") return std::string{rest.substr(0, end)};
    }
    return std::nullopt;
}

Result<RegistryPass> parse_authorization(std::string_view body, const Clock& clock)
{
    const auto object = parse_object(body);
    const auto* data = object ? find_array(*object, "authorizationData") : nullptr;
    const auto* first = data != nullptr && !data->empty() ? data->front().if_object() : nullptr;
    const auto token = first != nullptr ? find_text(*first, "authorizationToken") : std::string_view{};
    const bool sendable = std::ranges::all_of(token, [](char c) { return c > ' ' && c < 0x7f; });
    if (token.empty() || !sendable) return fail(Errc::unavailable, "Amazon ECR gives no authorization token");
    std::chrono::microseconds left = longest_life;
    if (const auto* at = first->if_contains("expiresAt"); at != nullptr && at->is_number()) {
        const auto seconds = at->to_number<double>();
        const auto now = static_cast<double>(clock.now()) / 1e6;
        const auto most = std::chrono::duration<double>{longest_life}.count();
        left = std::chrono::microseconds{static_cast<std::int64_t>(std::clamp(seconds - now, 0.0, most) * 1e6)};
    }
    left = std::max<std::chrono::microseconds>(left - pass_margin, std::chrono::minutes{1});
    return RegistryPass{"Basic " + std::string{token}, clock.steady() + left};
}

Task<RegistryPass> pass(HttpClient& client, RegistryEndpoint endpoint, const Clock& clock)
{
    auto calling = call_api(client, std::move(endpoint), "GetAuthorizationToken", "{}", clock);
    CO_TRY(const auto answer, co_await std::move(calling));
    if (answer.status != 200) co_return std::unexpected{api_error(answer)};
    co_return parse_authorization(answer.body, clock);
}

Task<CopySource::Listing> repositories(AdapterCalls site, PageRequest page)
{
    std::string body = "{\"maxResults\":" + std::to_string(std::clamp<std::int64_t>(page.limit, 1, largest_page));
    if (!page.last.empty()) {
        body += ",\"nextToken\":";
        append_json_text(body, page.last);
    }
    auto calling = call_api(site.calls.client(), site.endpoint, "DescribeRepositories", body + "}", site.calls.clock());
    CO_TRY(const auto answer, co_await std::move(calling));
    if (answer.status != 200) co_return std::unexpected{api_error(answer)};
    const auto object = parse_object(answer.body);
    const auto* found = object ? find_array(*object, "repositories") : nullptr;
    if (found == nullptr) co_return fail(Errc::unavailable, "Amazon ECR answers with something else than a list");
    CopySource::Listing listing;
    for (const auto& each : *found) {
        const auto name = each.is_object() ? find_text(each.get_object(), "repositoryName") : std::string_view{};
        if (!name.empty()) listing.names.emplace_back(name);
    }
    listing.next = find_text(*object, "nextToken");
    co_return listing;
}

Task<> prepare(AdapterCalls site, RepositoryName repository)
{
    std::string body = "{\"repositoryName\":";
    append_json_text(body, repository.text());
    auto calling = call_api(site.calls.client(), site.endpoint, "CreateRepository", body + "}", site.calls.clock());
    CO_TRY(const auto answer, co_await std::move(calling));
    const bool there = parse_remote_problem(answer.body).code == "REPOSITORYALREADYEXISTSEXCEPTION";
    if (answer.status == 200 || there) co_return Result<>{};
    co_return std::unexpected{api_error(answer)};
}

}  // namespace entrepot::aws_ecr
