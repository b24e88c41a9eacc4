#include "agent/registry_client.hpp"

#include "client/http_url.hpp"
#include "swarm/hex32.hpp"

#include <utility>

namespace entrepot {
namespace {

constexpr std::size_t most_connections_kept = 16;

void add_field(ClientRequest& request, std::string_view name, std::string_view value)
{
    if (!value.empty()) request.fields.push_back({.name = std::string{name}, .value = std::string{value}});
}

void authorize(ClientRequest& request, const std::optional<std::string>& authorization)
{
    if (authorization) request.fields.push_back({.name = "Authorization", .value = *authorization, .secret = true});
}

}  // namespace

Result<std::unique_ptr<RegistryClient>> RegistryClient::create(RegistryClientOptions options, AgentCounters& counters)
{
    TRY(const auto url, parse_http_url(options.url));
    if (url.target != "/") return fail(Errc::bad_request, "the registry's address has a path: " + options.url);
    HttpClientOptions wanted{
        .ca_file = options.ca_file,
        .insecure = options.insecure,
        .user_agent = "entrepot-agent",
        .exchange_patience = options.head_patience,
        .idle_patience = options.idle_patience,
        .most_idle = most_connections_kept,
    };
    TRY(auto asking, HttpClient::create(wanted));
    wanted.exchange_patience = options.bundle_patience;
    wanted.longest_body = longest_bundle;
    TRY(auto bundles, HttpClient::create(std::move(wanted)));
    auto origin = url.text();
    origin.pop_back();  // its slash
    return std::unique_ptr<RegistryClient>{
        new RegistryClient{std::move(origin), url.authority(), std::move(asking), std::move(bundles), counters}
    };
}

void RegistryClient::settled(bool answered) noexcept
{
    reachable_ = answered ? 1 : 0;
    if (!answered) counters_.registry_failures.fetch_add(1, std::memory_order_relaxed);
}

Task<ClientStream> RegistryClient::open(RegistryRequest request)
{
    ClientRequest asked{.method = request.head ? "HEAD" : "GET", .url = origin_ + request.target};
    authorize(asked, request.authorization);
    add_field(asked, "Accept", request.accept);
    add_field(asked, "If-None-Match", request.if_none_match);
    add_field(asked, "Range", request.range);
    auto opening = asking_.open(std::move(asked));
    auto opened = co_await std::move(opening);
    settled(opened.has_value());
    co_return opened;
}

Task<BundleAnswer> RegistryClient::bundle(
    RepositoryName repository,
    Digest manifest,
    Puller puller,
    std::optional<std::string> node,
    std::optional<SwarmId> known
)
{
    ClientRequest asked{
        .method = "GET", .url = origin_ + "/swarm/v1/images/" + repository.text() + "/" + manifest.text()
    };
    if (node) asked.url += "?node=" + *node;
    authorize(asked, puller.authorization());
    if (known) add_field(asked, "If-None-Match", '"' + hex_of(*known) + '"');
    auto sending = bundles_.send(std::move(asked));
    auto response = co_await std::move(sending);
    settled(response.has_value());
    if (!response) co_return std::unexpected{std::move(response).error()};
    co_return read_bundle(response->status, response->field("Entrepot-Ticket"), response->body);
}

std::optional<bool> RegistryClient::reachable() const noexcept
{
    const auto last = reachable_.load();
    return last < 0 ? std::nullopt : std::optional{last == 1};
}

std::string RegistryClient::blob_target(const RepositoryName& repository, const Digest& digest)
{
    return "/v2/" + repository.text() + "/blobs/" + digest.text();
}

std::string RegistryClient::range_text(const ByteRange& range)
{
    return "bytes=" + std::to_string(range.offset) + "-" + std::to_string(range.offset + range.length - 1);
}

}  // namespace entrepot
