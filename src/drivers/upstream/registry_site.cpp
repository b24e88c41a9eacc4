#include "drivers/upstream/registry_site.hpp"

#include "core/ascii.hpp"
#include "drivers/upstream/remote_problem.hpp"
#include "oci/digest.hpp"

#include <algorithm>
#include <utility>

namespace entrepot {
namespace {

constexpr std::chrono::seconds connect_patience{10};
constexpr std::chrono::seconds answer_patience{60};
constexpr std::chrono::seconds piece_patience{30};
constexpr std::size_t most_idle = 64;

// "sha256:<64 hexadecimal digits>".
bool is_pin(std::string_view text)
{
    const auto pin = Digest::parse(lowered(text));
    return pin && pin->algorithm() == DigestAlgorithm::sha256;
}

HttpClientOptions client_options(const RegistrySiteOptions& options, const HttpUrl& registry)
{
    HttpClientOptions http;
    http.ca_text = options.endpoint.ca_certificate;
    http.insecure = options.endpoint.insecure;
    http.certificate_pin = lowered(options.endpoint.certificate_pin);
    http.pinned_host = registry.host;
    http.connect_patience = connect_patience;
    http.exchange_patience = answer_patience;
    http.idle_patience = piece_patience;
    http.longest_body = RegistryCalls::longest_list;
    http.most_idle = most_idle;
    http.rules = options.rules;
    if (http.rules && options.endpoint.tenant_id != 0)
        http.rules = std::make_shared<const OutboundRules>(http.rules->without_private_networks());
    return http;
}

RegistryLoginOptions login_options(const RegistryEndpoint& endpoint, const Adapter& adapter, const HttpUrl& registry)
{
    RegistryLoginOptions login{.registry = registry, .token_hosts = adapter.token_hosts};
    if (!endpoint.token_host.empty()) login.token_hosts.push_back(lowered(endpoint.token_host));
    login.user = endpoint.access_key;
    login.secret = endpoint.access_secret;
    login.identity_token = endpoint.credential_type == "oauth";
    return login;
}

}  // namespace

Result<std::shared_ptr<RegistrySite>> RegistrySite::create(RegistrySiteOptions options, const Clock& clock)
{
    const auto* adapter = find_adapter(options.endpoint.type);
    if (adapter == nullptr) return fail(Errc::bad_request, "\"" + options.endpoint.type + "\" is no type of registry");
    TRY(auto registry, parse_http_url(options.endpoint.url));
    if (registry.target.contains('?')) return fail(Errc::bad_request, "the address of a registry has no query");
    if (!options.endpoint.certificate_pin.empty() && !is_pin(options.endpoint.certificate_pin))
        return fail(Errc::bad_request, "a certificate's pin is sha256:<64 hexadecimal digits>");
    if (adapter->registry_url != nullptr) registry = adapter->registry_url(std::move(registry));
    TRY(auto client, HttpClient::create(client_options(options, registry)));
    auto login = login_options(options.endpoint, *adapter, registry);
    return std::shared_ptr<RegistrySite>{new RegistrySite{
        std::move(client),
        std::move(registry),
        std::move(login),
        std::move(options.endpoint),
        *adapter,
        std::move(options.claim),
        clock
    }};
}

RegistrySite::RegistrySite(
    HttpClient client,
    HttpUrl registry,
    RegistryLoginOptions login,
    RegistryEndpoint endpoint,
    const Adapter& adapter,
    std::optional<HomeClaim> claim,
    const Clock& clock
)
    : calls_{std::move(client), std::move(registry), std::move(login), endpoint.limits, clock},
      endpoint_{std::move(endpoint)},
      adapter_{adapter},
      claim_{std::move(claim)},
      base_{[this] {
          auto text = calls_.registry().text();
          while (text.ends_with('/')) text.pop_back();
          return text;
      }()}
{
    if (adapter_.pass != nullptr && !endpoint_.access_secret.empty()) {
        calls_.use_pass([this] { return adapter_.pass(calls_.client(), endpoint_, calls_.clock()); });
    }
}

std::string RegistrySite::remote(const RepositoryName& repository) const
{
    return adapter_.remote_name != nullptr ? adapter_.remote_name(repository) : repository.text();
}

std::string RegistrySite::url_of(const RepositoryName& repository, std::string_view rest) const
{
    return base_ + "/v2/" + remote(repository) + std::string{rest};
}

std::string RegistrySite::scope_of(const RepositoryName& repository, std::string_view actions) const
{
    return "repository:" + remote(repository) + ":" + std::string{actions};
}

RegistryCall
RegistrySite::call_of(const RepositoryName& repository, std::string_view method, std::string_view rest) const
{
    return {.method = std::string{method}, .url = url_of(repository, rest), .scope = scope_of(repository, "pull")};
}

RegistryCall RegistrySite::write_call(const RepositoryName& repository, std::string_view method, std::string url) const
{
    RegistryCall call{.method = std::string{method}, .url = std::move(url), .scope = scope_of(repository, "pull,push")};
    call.lane = EndpointLimiter::Lane::writes;
    if (claim_) {
        call.fields.push_back({"Entrepot-Home-Epoch", std::to_string(claim_->epoch)});
        call.fields.push_back({"Entrepot-Home", claim_->home});
    }
    return call;
}

Task<> RegistrySite::ping()
{
    CO_TRY(const auto answer, co_await calls_.send({.url = base_ + "/v2/"}));
    if (answer.status == 200 && !is_web_page(answer.field("content-type"))) co_return Result<>{};
    if (answer.status == 200 || answer.status == 404)
        co_return fail(Errc::unavailable, calls_.registry().authority() + " has no registry at this address");
    co_return std::unexpected{remote_error(answer, answer.body, Errc::unavailable)};
}

}  // namespace entrepot
