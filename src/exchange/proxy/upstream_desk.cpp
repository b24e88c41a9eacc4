#include "exchange/proxy/upstream_desk.hpp"

#include "core/log.hpp"

#include <algorithm>

namespace entrepot {
namespace {

constexpr std::chrono::seconds believed_for{2};
constexpr Micros usual_rest = 10'000'000;  // after a refusal that doesn't say until when
constexpr std::size_t most_open = 10'000;

std::chrono::seconds seconds_until(Micros then, Micros now)
{
    return std::chrono::seconds{std::max<Micros>(1, (then - now + 999'999) / 1'000'000)};
}

}  // namespace

Task<OpenProxyPtr> UpstreamDesk::open(std::int64_t project_id)
{
    if (auto known = peek(project_id)) co_return known;
    CO_TRY(auto found, co_await catalog_.proxy(project_id));
    auto proxy = std::make_shared<OpenProxy>();
    proxy->project_id = project_id;
    // They were checked when they were set; a newer version's must not stop pulls.
    proxy->settings = proxy_settings_in(found.metadata);
    if (auto settings = parse_proxy_settings(found.settings, proxy->settings)) proxy->settings = *std::move(settings);
    proxy->type = std::move(found.registry_type);
    CO_TRY(proxy->site, co_await upstreams_.open(found.registry_id));
    proxy->upstream = upstream(found.registry_id, found.registry_name);
    const std::lock_guard guard{mutex_};
    if (open_.size() >= most_open) open_.clear();
    open_[project_id] = {proxy, clock_.steady()};
    co_return proxy;
}

OpenProxyPtr UpstreamDesk::peek(std::int64_t project_id) const
{
    const std::lock_guard guard{mutex_};
    const auto place = open_.find(project_id);
    if (place == open_.end() || clock_.steady() - place->second.read_at >= believed_for) return nullptr;
    return place->second.proxy;
}

std::shared_ptr<Upstream> UpstreamDesk::upstream(std::int64_t registry_id, const std::string& name)
{
    const std::lock_guard guard{mutex_};
    auto& known = known_[registry_id];
    if (!known || known->name != name) {
        known = std::make_shared<Upstream>();
        known->registry_id = registry_id;
        known->name = name;
    }
    return known;
}

Result<> UpstreamDesk::admit(const OpenProxy& proxy) const
{
    const auto now = clock_.now();
    const auto rests = std::max(proxy.upstream->rests_until.load(), proxy.site->rests_until());
    if (rests > now) {
        Error error{Errc::too_many_requests, "the upstream registry wants no requests for a while"};
        error.set_retry_after(seconds_until(rests, now));
        return std::unexpected{std::move(error)};
    }
    return proxy.upstream->breaker.admit(now);
}

void UpstreamDesk::settle(const OpenProxy& proxy, const Error* error) const
{
    const auto now = clock_.now();
    auto& upstream = *proxy.upstream;
    const bool outage = error != nullptr && is_outage(error->code());
    upstream.breaker.settle(!outage, now);
    if (error == nullptr) return;
    if (error->code() == Errc::too_many_requests) {
        const Micros wait = error->retry_after().count() * 1'000'000;
        upstream.rests_until = now + (wait > 0 ? wait : usual_rest);
    }
    if (outage) log::failure(log::Level::warning, "asking the upstream " + upstream.name, *error);
}

std::vector<std::shared_ptr<Upstream>> UpstreamDesk::upstreams() const
{
    const std::lock_guard guard{mutex_};
    std::vector<std::shared_ptr<Upstream>> all;
    for (const auto& [id, upstream] : known_) all.push_back(upstream);
    return all;
}

Error told_of(const Upstream& upstream, const Error& error)
{
    const auto who = "the upstream registry " + upstream.name;
    switch (error.code()) {
        case Errc::manifest_unknown:
        case Errc::name_unknown:
        case Errc::blob_unknown:
        case Errc::quota_exceeded:
        case Errc::storage_full:
        case Errc::cancelled: return error;
        case Errc::denied:
        case Errc::unauthorized: return {Errc::denied, who + " refuses: " + error.message(), error.detail()};
        case Errc::too_many_requests: {
            Error told{Errc::too_many_requests, who + " allows no more requests for the moment", error.detail()};
            told.set_retry_after(error.retry_after());
            return told;
        }
        default: {
            Error told{Errc::unavailable, who + " does not answer as it should: " + error.message(), error.detail()};
            told.set_retry_after(error.retry_after());
            return told;
        }
    }
}

}  // namespace entrepot
