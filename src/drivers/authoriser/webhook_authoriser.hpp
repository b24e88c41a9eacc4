#pragma once

#include "client/http_client.hpp"
#include "core/clock.hpp"
#include "ports/external_authoriser.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>

namespace entrepot {

struct WebhookAuthoriserOptions {
    std::string url;      // http(s)://…
    std::string ca_file;  // PEM; empty: the system's
    std::string token;    // sent as Bearer where it is not empty; secret
    std::chrono::milliseconds patience{2000};
    std::chrono::milliseconds remembered_for{10'000};  // an answer may shorten it: "ttl_seconds"
    bool refuse_when_away = true;
    std::size_t most_remembered = 100'000;
};

// Asks a service by POST of {"user":{"id","name"},"action","object","client","request_id"}; 200 with
// {"allowed":true|false,"reason"?,"ttl_seconds"?} is an answer, everything else is none. After three failures in a row
// it is left alone for a second at a time, so a dead service costs no request its patience.
class WebhookAuthoriser final : public ExternalAuthoriser {
public:
    static Result<std::unique_ptr<WebhookAuthoriser>> create(WebhookAuthoriserOptions options, const Clock& clock);

    std::optional<bool>
    remembered(std::int64_t user_id, std::string_view action, std::string_view object) const noexcept override;
    Task<> ask(AuthorisationQuestion question) override;

    std::uint64_t asked() const noexcept { return asked_; }
    std::uint64_t failed() const noexcept { return failed_; }

private:
    using TimePoint = std::chrono::steady_clock::time_point;
    struct Key {
        std::int64_t user_id = 0;
        std::string action;
        std::string object;
    };
    struct KeyView {
        std::int64_t user_id = 0;
        std::string_view action;
        std::string_view object;
    };
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(const KeyView& key) const noexcept;
        std::size_t operator()(const Key& key) const noexcept;
    };
    struct Equal {
        using is_transparent = void;
        template <class Left, class Right>
        bool operator()(const Left& left, const Right& right) const noexcept
        {
            return left.user_id == right.user_id && left.action == right.action && left.object == right.object;
        }
    };
    struct Answer {
        bool allowed = false;
        std::string reason;
        std::chrono::milliseconds keep{0};
        TimePoint until;
    };

    WebhookAuthoriser(HttpClient client, WebhookAuthoriserOptions options, const Clock& clock)
        : client_{std::move(client)}, options_{std::move(options)}, clock_{clock}
    {
    }

    std::optional<Result<>> known(const AuthorisationQuestion& question) const;
    static Result<> verdict(const Answer& answer);
    Task<Answer> fetch(AuthorisationQuestion question);
    void remember(const AuthorisationQuestion& question, const Answer& answer);
    bool is_resting() const;
    void count_failure();
    Result<> when_away(const Error& why) const;

    HttpClient client_;
    WebhookAuthoriserOptions options_;
    const Clock& clock_;
    mutable std::mutex mutex_;
    std::unordered_map<Key, Answer, Hash, Equal> answers_;
    unsigned failures_in_a_row_ = 0;
    TimePoint rests_until_;
    std::atomic<std::uint64_t> asked_ = 0;
    std::atomic<std::uint64_t> failed_ = 0;
};

}  // namespace entrepot
