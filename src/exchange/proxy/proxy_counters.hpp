#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>

namespace entrepot {

// How requests to proxy caches ended: from here, from the upstream, from here although the upstream should have been
// asked, or not at all.
enum class ProxyResult : std::uint8_t { hit, miss, revalidated, stale, passed, not_found, error };

class ProxyCounters {
public:
    static constexpr std::array<std::string_view, 7> words{
        "hit", "miss", "revalidated", "stale", "passed", "not_found", "error"
    };
    void count(ProxyResult result) noexcept
    {
        counts_[static_cast<std::size_t>(result)].fetch_add(1, std::memory_order_relaxed);
    }
    std::uint64_t count_of(std::size_t index) const noexcept
    {
        return counts_.at(index).load(std::memory_order_relaxed);
    }

private:
    std::array<std::atomic<std::uint64_t>, words.size()> counts_{};
};

}  // namespace entrepot
