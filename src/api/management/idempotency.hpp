#pragma once

#include "api/token/master_key.hpp"
#include "core/clock.hpp"
#include "core/random.hpp"
#include "core/task.hpp"
#include "http/message.hpp"
#include "ports/idempotency_catalog.hpp"

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

namespace entrepot {

// Requests that may be repeated without being carried out again (draft-ietf-httpapi-idempotency-key-header): for a day
// the same caller's same key with the same request gets the answer that the first one got. Only successes are kept;
// after anything else a repetition is a new request. Answers may hold secrets that are shown once, so they are sealed
// at rest. An instance that ends in the middle of a request leaves its key taken for five minutes. Safe from any
// thread.
class Idempotency {
public:
    static constexpr std::chrono::hours kept{24};
    static constexpr std::chrono::minutes longest_request{5};
    static constexpr std::string_view replayed = "Idempotency-Replayed";  // header of an answer that was kept

    Idempotency(IdempotencyCatalog& catalog, MasterKey key, Random& random, const Clock& clock)
        : catalog_{catalog}, master_key_{std::move(key)}, random_{random}, clock_{clock}
    {
    }

    // bad_request for a key that is none: 1 to 255 visible ASCII characters.
    static Result<> check_key(std::string_view key);

    struct Claim {
        std::int64_t user_id = 0;
        std::string key;
        std::string request;  // fingerprint: path, query, credential and body
    };
    // The kept answer, or what `carry_out` answers. conflict while the first request is under way; unprocessable when
    // the key was used for another request.
    Task<Response> once(Claim claim, std::function<Task<Response>()> carry_out);

    Task<> remove_expired();

private:
    std::string sealed(const Claim& claim, const Response& response);
    Result<Response> unsealed(const Claim& claim, const IdempotencyCatalog::Entry& entry) const;

    IdempotencyCatalog& catalog_;
    const MasterKey master_key_;
    Random& random_;
    const Clock& clock_;
};

}  // namespace entrepot
