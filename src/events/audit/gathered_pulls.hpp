#pragma once

#include "access/policy.hpp"
#include "ports/audit_trail.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace entrepot {

// The same pulls of about a second.
struct GatheredPull {
    std::shared_ptr<const Identity> caller;
    std::string repository;
    std::string tag;
    std::string digest;
    std::string media_type;
    std::int64_t manifest_id = 0;
    std::int64_t size = 0;
    std::string client;
    std::int64_t count = 0;
    std::int64_t audited = 0;  // of them, those that the audit trail is to have
    Micros last = 0;
};

// Pulls between two flushes: one entry (about 400 bytes) for each caller, address and artifact, with a count; at most
// 65,536, beyond which a pull is dropped and counted. Nothing is formatted before take(). Safe from any thread.
class GatheredPulls {
public:
    explicit GatheredPulls(const Clock& clock) : clock_{clock} {}

    void add(const AuditPull& pull, bool audited) noexcept;
    // All that was gathered, oldest first.
    std::vector<GatheredPull> take();

    std::uint64_t dropped() const noexcept { return dropped_.load(std::memory_order_relaxed); }

private:
    struct View {
        std::int64_t user_id;
        std::int64_t manifest_id;
        std::string_view tag;
        std::string_view client;
        bool operator==(const View&) const = default;
    };
    struct Key {
        std::int64_t user_id;
        std::int64_t manifest_id;
        std::string tag;
        std::string client;
        View view() const noexcept { return {user_id, manifest_id, tag, client}; }
    };
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(const View& view) const noexcept;
        std::size_t operator()(const Key& key) const noexcept { return (*this)(key.view()); }
    };
    struct Equal {
        using is_transparent = void;
        bool operator()(const Key& left, const Key& right) const noexcept { return left.view() == right.view(); }
        bool operator()(const View& left, const Key& right) const noexcept { return left == right.view(); }
        bool operator()(const Key& left, const View& right) const noexcept { return left.view() == right; }
    };
    struct Sum {
        std::shared_ptr<const Identity> caller;
        std::string repository;
        std::string digest;
        std::string media_type;
        std::int64_t size = 0;
        std::int64_t count = 0;
        std::int64_t audited = 0;
        Micros last = 0;
    };
    struct alignas(64) Shard {
        std::mutex mutex;
        std::unordered_map<Key, Sum, Hash, Equal> sums;
    };
    static constexpr std::size_t most_per_shard = 4'096;
    const Clock& clock_;
    std::array<Shard, 16> shards_;
    std::atomic<std::uint64_t> dropped_{0};
};

// As the audit trail has it; the policy knows the projects.
AuditRecord record_of(const GatheredPull& pull, const AccessPolicy& policy);

}  // namespace entrepot
