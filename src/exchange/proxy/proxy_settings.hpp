#pragma once

#include "core/clock.hpp"
#include "core/error.hpp"
#include "ports/project_catalog.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace entrepot {

// When a tag that is here is compared with the upstream's.
enum class Freshness : std::uint8_t { always, ttl, stale_while_revalidate, local_first };

// How a project caches its upstream.
struct ProxySettings {
    Freshness freshness = Freshness::always;
    Micros ttl = 300'000'000;          // of tags
    Micros negative_ttl = 10'000'000;  // how long it is remembered that something isn't there, or is not what it says
    Micros referrers_ttl = 300'000'000;
    bool local_on_not_found = false;          // a tag that the upstream has no more is still answered with what is here
    std::vector<std::string> repositories{};  // patterns (doublestar) of upstream repositories; none: all
    std::int64_t bytes_per_second = 0;        // from the upstream, by each instance; 0: as much as goes
    std::int32_t fetches_at_once = 16;        // of blobs, by each instance

    bool allows(std::string_view upstream_repository) const noexcept;
};

// What the metadata of a project say of it by Harbor's names: "proxy_speed_kb" (KiB a second), "max_upstream_conn",
// "proxy_cache_local_on_not_found", "proxy_cache_filter_pattern"; others, and what can't be read, say nothing.
ProxySettings proxy_settings_in(const ProjectMetadata& metadata);

// A JSON object with "freshness" ("always", "ttl", "stale_while_revalidate", "local_first"), "ttl", "negative_ttl",
// "referrers_ttl" (seconds), "local_on_not_found", "repositories", "bytes_per_second", "fetches_at_once"; what is left
// out, and an empty text, is as in `otherwise`. bad_request names the member.
Result<ProxySettings> parse_proxy_settings(std::string_view json, ProxySettings otherwise = {});

}  // namespace entrepot
