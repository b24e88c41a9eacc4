#pragma once

#include "agent/agent_counters.hpp"
#include "agent/registry_blob.hpp"
#include "http/message.hpp"

#include <atomic>
#include <chrono>
#include <memory>

namespace entrepot {

// A stretch of a blob straight from the registry, kept by nobody. What breaks off is asked for again from there on.
class PassedBody final : public ArrivingBody {
public:
    struct Needs {
        RegistryClient& registry;
        AgentCounters& counters;
        TaskGroup& tasks;
        std::chrono::milliseconds give_up;  // without a byte
    };

    // `opened`: the stretch's bytes, to be read on `where`.
    PassedBody(
        Needs needs,
        PulledBlob blob,
        ByteRange stretch,
        const asio::any_io_executor& where,
        std::unique_ptr<ByteSource> opened
    );
    ~PassedBody() override { stream_->stop(); }

    std::uint64_t length() const noexcept override { return stretch_.length; }
    Task<Part> part(std::uint64_t offset) override;
    void stop() noexcept override { stopped_ = true; }

private:
    const Needs needs_;
    const PulledBlob blob_;
    const ByteRange stretch_;
    std::shared_ptr<RegistryStream> stream_;
    std::atomic<bool> stopped_{false};
};

}  // namespace entrepot
