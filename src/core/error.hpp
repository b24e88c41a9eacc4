#pragma once

#include <chrono>
#include <expected>
#include <source_location>
#include <string>
#include <string_view>
#include <utility>

namespace entrepot {

// What can go wrong, in the registry's own words. HTTP is not mentioned here: api/error_answer.cpp is the one
// table that turns a word into a status and a code of the distribution specification.
enum class Errc {
    // values that could not be parsed
    bad_request,
    name_invalid,
    tag_invalid,
    digest_invalid,
    size_invalid,
    range_invalid,
    manifest_invalid,
    page_invalid,
    upload_invalid,
    upload_offset,  // a chunk that does not start where the upload stands
    digest_mismatch,
    manifest_too_large,
    payload_too_large,
    too_many_tags,
    // things that are not there, or that the caller must not know of
    not_found,
    name_unknown,
    manifest_unknown,
    manifest_blob_unknown,
    blob_unknown,
    upload_unknown,
    gone,  // it was there, and isn't kept any more
    // things that may not be done
    unauthorized,
    denied,
    unsupported,
    method_not_allowed,
    conflict,
    blob_in_use,
    precondition_failed,  // the object is not (or no longer) in the state that the request asks for
    unprocessable,        // understood, but it makes no sense here
    quota_exceeded,       // more than the project or its tenant may use
    // the token endpoint's words (RFC 6749 section 5.2)
    oauth_invalid_request,
    oauth_invalid_client,
    oauth_invalid_grant,
    oauth_unsupported_grant,
    oauth_invalid_scope,
    // the state of the world
    too_many_requests,
    request_timeout,
    connection_lost,
    storage_full,
    unavailable,  // a store that we need does not answer; trying again later may work
    corrupt,      // what is stored is not what was stored
    cancelled,
    internal,
};

// The word itself, for logs: "blob_unknown".
std::string_view name_of(Errc code) noexcept;

// A failure on its way up. `message` may be shown to a client; `detail` is for the log only.
class Error {
public:
    Error(
        Errc code,
        std::string message,
        std::string detail = {},
        std::source_location where = std::source_location::current()
    )
        : code_{code}, message_{std::move(message)}, detail_{std::move(detail)}, where_{where}
    {
    }

    Errc code() const noexcept { return code_; }
    const std::string& message() const noexcept { return message_; }
    const std::string& detail() const noexcept { return detail_; }
    const std::source_location& where() const noexcept { return where_; }

    // When trying again may help; 0: nobody knows.
    std::chrono::seconds retry_after() const noexcept { return retry_after_; }
    Error& set_retry_after(std::chrono::seconds wait) noexcept
    {
        retry_after_ = wait;
        return *this;
    }

private:
    Errc code_;
    std::string message_;
    std::string detail_;
    std::source_location where_;
    std::chrono::seconds retry_after_{0};
};

template <class T = void>
using Result = std::expected<T, Error>;

inline std::unexpected<Error> fail(
    Errc code,
    std::string message,
    std::string detail = {},
    std::source_location where = std::source_location::current()
)
{
    return std::unexpected{Error{code, std::move(message), std::move(detail), where}};
}

}  // namespace entrepot

#define ENTREPOT_JOIN_(a, b) a##b
#define ENTREPOT_JOIN(a, b) ENTREPOT_JOIN_(a, b)
#define ENTREPOT_TRY_(slot, declaration, leave, ...)           \
    auto slot = __VA_ARGS__;                                   \
    if (!slot) leave std::unexpected{std::move(slot).error()}; \
    declaration = *std::move(slot)
// clang-format off: it takes the braces for a block.
#define ENTREPOT_CHECK_(slot, leave, ...) \
    if (auto slot = __VA_ARGS__; !slot) leave std::unexpected{std::move(slot).error()}
// clang-format on

// TRY(auto blob, store.stat(digest)) binds the value or returns the error; CO_TRY is the same inside a coroutine.
// CHECK and CO_CHECK are for results without a value.
#define TRY(declaration, ...) ENTREPOT_TRY_(ENTREPOT_JOIN(try_, __COUNTER__), declaration, return, __VA_ARGS__)
#define CO_TRY(declaration, ...) ENTREPOT_TRY_(ENTREPOT_JOIN(try_, __COUNTER__), declaration, co_return, __VA_ARGS__)
#define CHECK(...) ENTREPOT_CHECK_(ENTREPOT_JOIN(check_, __COUNTER__), return, __VA_ARGS__)
#define CO_CHECK(...) ENTREPOT_CHECK_(ENTREPOT_JOIN(check_, __COUNTER__), co_return, __VA_ARGS__)
