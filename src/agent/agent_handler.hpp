#pragma once

#include "agent/blob_answers.hpp"
#include "agent/passed_manifests.hpp"
#include "http/message.hpp"

#include <functional>
#include <set>
#include <string>

namespace entrepot {

// The registry on the node's loopback, to be read only: GET and HEAD of /v2/, and /healthz. Safe from any loop.
class AgentHandler final : public Handler {
public:
    struct Needs {
        RegistryClient& registry;
        PassedManifests& manifests;
        BlobAnswers& blobs;
        // The registry's names, lower-case, as `ns` of a query may have them.
        std::set<std::string> names;
        // The body of /healthz.
        std::function<std::string()> health;
    };
    explicit AgentHandler(Needs needs) : needs_{std::move(needs)} {}

    std::optional<Response> peek(const Request&) noexcept override { return std::nullopt; }
    asio::awaitable<Response> handle(const Request& request, ByteSource& body) override;

private:
    asio::awaitable<Response> registry_answer(const Request& request);
    asio::awaitable<Response> pass(const Request& request, std::string target, std::optional<RepositoryName> image);

    const Needs needs_;
};

// GET and HEAD of /metrics and /healthz, for a listener of their own.
class AgentMetricsHandler final : public Handler {
public:
    AgentMetricsHandler(std::function<std::string()> metrics, std::function<std::string()> health)
        : metrics_{std::move(metrics)}, health_{std::move(health)}
    {
    }

    std::optional<Response> peek(const Request&) noexcept override { return std::nullopt; }
    asio::awaitable<Response> handle(const Request& request, ByteSource& body) override;

private:
    const std::function<std::string()> metrics_;
    const std::function<std::string()> health_;
};

}  // namespace entrepot
