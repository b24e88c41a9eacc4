#pragma once

#include "client/test_peer.hpp"
#include "core/run_to_end.hpp"
#include "drivers/upstream/registry_site.hpp"

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace entrepot {

// For tests: a registry that answers each request as a function says; empty text closes the connection.
class ScriptedRegistry {
public:
    using Reply = std::function<std::string(const std::string& request)>;

    explicit ScriptedRegistry(Reply reply, boost::asio::ssl::context* context = nullptr)
        : reply_{std::move(reply)}, peer_{[this](int, TestPeer::Link& link) { talk(link); }, context}
    {
    }

    std::string url(std::string_view path = {}, std::string_view host = "127.0.0.1") const
    {
        return peer_.url(path, host);
    }
    std::vector<std::string> asked()
    {
        const std::lock_guard lock{mutex_};
        return asked_;
    }
    // How many requests began so.
    std::size_t count(std::string_view start)
    {
        std::size_t found = 0;
        for (const auto& each : asked()) found += each.starts_with(start) ? 1U : 0U;
        return found;
    }
    int connections() const { return peer_.connections(); }

private:
    void talk(TestPeer::Link& link)
    {
        for (auto request = link.request(); !request.empty(); request = link.request()) {
            {
                const std::lock_guard lock{mutex_};
                asked_.push_back(request);
            }
            const auto answer = reply_(request);
            if (answer.empty()) return;
            link.say(answer);
            if (answer.contains("\r\nConnection: close\r\n")) return;
        }
    }

    std::mutex mutex_;
    std::vector<std::string> asked_;
    Reply reply_;
    TestPeer peer_;
};

// "HTTP/1.1 200 OK" with fields ("Name: value\r\n" each) and a body.
inline std::string answer_of(std::string_view status, std::string_view body = {}, std::string_view fields = {})
{
    return "HTTP/1.1 " + std::string{status} + "\r\n" + std::string{fields} +
           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string{body};
}

// The value of a request's field, empty when it isn't there.
inline std::string field_of(const std::string& request, const std::string& name)
{
    const auto at = request.find("\r\n" + name + ": ");
    if (at == std::string::npos) return {};
    const auto start = at + name.size() + 4;
    return request.substr(start, request.find("\r\n", start) - start);
}

inline RegistryEndpoint endpoint_at(std::string url, std::string type = "docker-registry")
{
    RegistryEndpoint endpoint;
    endpoint.type = std::move(type);
    endpoint.url = std::move(url);
    return endpoint;
}

inline RegistryEndpoint with_account(RegistryEndpoint endpoint)
{
    endpoint.access_key = "user";
    endpoint.access_secret = "secret";
    return endpoint;
}

inline std::shared_ptr<RegistrySite>
open_site(RegistryEndpoint endpoint, std::shared_ptr<const OutboundRules> rules = nullptr)
{
    static const SystemClock clock;
    return RegistrySite::create({.endpoint = std::move(endpoint), .rules = std::move(rules)}, clock).value();
}

inline RepositoryName repository_of(std::string_view name = "shop/web")
{
    return RepositoryName::parse(name).value();
}

inline Reference tag_of(std::string_view name = "v1")
{
    return Reference{Tag::parse(name).value()};
}

}  // namespace entrepot
