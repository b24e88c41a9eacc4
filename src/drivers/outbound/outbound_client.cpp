#include "drivers/outbound/outbound_client.hpp"

namespace entrepot {
namespace {

using namespace std::chrono_literals;

HttpClientOptions options_with(std::shared_ptr<const OutboundRules> rules, bool insecure)
{
    HttpClientOptions options;
    options.insecure = insecure;
    options.user_agent = "entrepot-webhook";
    options.connect_patience = 3s;
    options.exchange_patience = 10s;
    options.longest_body = std::size_t{64} << 10U;
    options.cut_long_bodies = true;
    options.most_redirects = 0;
    options.most_idle = 64;
    options.rules = std::move(rules);
    return options;
}

}  // namespace

Result<std::unique_ptr<OutboundClient>> OutboundClient::create(OutboundRules rules)
{
    const auto shared = std::make_shared<const OutboundRules>(std::move(rules));
    TRY(auto strict, HttpClient::create(options_with(shared, false)));
    TRY(auto trusting, HttpClient::create(options_with(shared, true)));
    return std::unique_ptr<OutboundClient>{new OutboundClient{shared, std::move(strict), std::move(trusting)}};
}

Task<> OutboundClient::check(std::string url)
{
    co_return co_await check_outbound(*rules_, std::move(url));
}

Task<OutboundAnswer> OutboundClient::post(OutboundPost request)
{
    ClientRequest sent;
    sent.method = "POST";
    sent.url = std::move(request.url);
    for (auto& [name, value] : request.fields) sent.fields.push_back({std::move(name), std::move(value), true});
    sent.body = std::move(request.body);
    auto& client = request.any_certificate ? trusting_ : strict_;
    CO_TRY(auto answer, co_await client.send(std::move(sent)));
    co_return OutboundAnswer{answer.status, std::move(answer.body)};
}

}  // namespace entrepot
