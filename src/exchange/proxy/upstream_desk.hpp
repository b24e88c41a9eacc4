#pragma once

#include "exchange/proxy/breaker.hpp"
#include "exchange/proxy/proxy_settings.hpp"
#include "ports/proxy_catalog.hpp"
#include "ports/upstreams.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace entrepot {

// A registry that is asked on behalf of others, with what is known of its health.
struct Upstream {
    std::int64_t registry_id = 0;
    std::string name;
    Breaker breaker;
    std::atomic<Micros> rests_until{0};
    std::atomic<std::uint64_t> bytes{0};  // of blobs and manifests that came from it
};

// A proxy cache, ready to be asked.
struct OpenProxy {
    std::int64_t project_id = 0;
    ProxySettings settings;
    std::string type;
    std::shared_ptr<CopySite> site;
    std::shared_ptr<Upstream> upstream;
};
using OpenProxyPtr = std::shared_ptr<const OpenProxy>;

// Opens what projects cache, and keeps watch over who is asked. Settings and endpoints that changed are noticed within
// two seconds. Safe from any loop.
class UpstreamDesk {
public:
    UpstreamDesk(ProxyCatalog& catalog, Upstreams& upstreams, const Clock& clock)
        : catalog_{catalog}, upstreams_{upstreams}, clock_{clock}
    {
    }

    // not_found: no proxy cache. unavailable, denied.
    Task<OpenProxyPtr> open(std::int64_t project_id);

    // The same from memory; null: it has to be opened (again). Never blocks.
    OpenProxyPtr peek(std::int64_t project_id) const;

    // Asks, where the upstream may be asked now: unavailable while its breaker is open, too_many_requests while it
    // rests.
    template <class Ask>
    auto ask(OpenProxyPtr proxy, Ask question) -> std::invoke_result_t<Ask&, CopySite&>;

    // Those that were asked since the start.
    std::vector<std::shared_ptr<Upstream>> upstreams() const;

private:
    struct Entry {
        OpenProxyPtr proxy;
        std::chrono::steady_clock::time_point read_at;
    };
    // An admitted call that ends without an outcome (cancelled) keeps no probe.
    class Admission;

    Result<> admit(const OpenProxy& proxy) const;
    void settle(const OpenProxy& proxy, const Error* error) const;
    std::shared_ptr<Upstream> upstream(std::int64_t registry_id, const std::string& name);

    ProxyCatalog& catalog_;
    Upstreams& upstreams_;
    const Clock& clock_;
    mutable std::mutex mutex_;
    std::unordered_map<std::int64_t, Entry> open_;
    std::unordered_map<std::int64_t, std::shared_ptr<Upstream>> known_;
};

class UpstreamDesk::Admission {
public:
    explicit Admission(Breaker& breaker) : breaker_{&breaker} {}
    ~Admission()
    {
        if (breaker_ != nullptr) breaker_->abandon();
    }
    Admission(const Admission&) = delete;
    Admission& operator=(const Admission&) = delete;
    void settled() noexcept { breaker_ = nullptr; }

private:
    Breaker* breaker_;
};

template <class Ask>
auto UpstreamDesk::ask(OpenProxyPtr proxy, Ask question) -> std::invoke_result_t<Ask&, CopySite&>
{
    CO_CHECK(admit(*proxy));
    Admission admission{proxy->upstream->breaker};
    auto answer = co_await question(*proxy->site);
    admission.settled();
    settle(*proxy, answer ? nullptr : &answer.error());
    co_return answer;
}

// What a client is told of an upstream's failure.
Error told_of(const Upstream& upstream, const Error& error);

}  // namespace entrepot
