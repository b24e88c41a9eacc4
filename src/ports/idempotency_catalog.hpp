#pragma once

#include "core/clock.hpp"
#include "core/task.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace entrepot {

// What was answered to requests that carried an Idempotency-Key, by the caller and their key. unavailable,
// storage_full.
class IdempotencyCatalog {
public:
    struct Entry {
        std::string request;  // its fingerprint
        unsigned status = 0;  // 0: the first request is still under way
        std::string answer;   // opaque here
    };
    struct Limits {
        Micros kept_since = 0;   // entries from before this count as not there
        Micros begun_since = 0;  // and those from before this that are still under way: who began them is gone
    };

    virtual ~IdempotencyCatalog() = default;
    // Claims the key: nullopt when it is the caller's to answer now, else what is there.
    virtual Task<std::optional<Entry>>
    begin(std::int64_t user_id, std::string key, std::string request, Micros now, Limits limits) = 0;
    virtual Task<> finish(std::int64_t user_id, std::string key, unsigned status, std::string answer) = 0;
    // Gives the key back: nothing came of the request.
    virtual Task<> abandon(std::int64_t user_id, std::string key) = 0;
    virtual Task<> remove_before(Micros time) = 0;
};

}  // namespace entrepot
