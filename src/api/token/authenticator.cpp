#include "api/token/authenticator.hpp"

#include "api/token/password.hpp"

#include <openssl/crypto.h>

#include <algorithm>

namespace entrepot {
namespace {

constexpr std::size_t remembered_tokens = 20'000;
constexpr std::size_t remembered_token_bytes = 32U << 20U;
// After this a token's user is looked at again, for changes that were made on another instance.
constexpr Micros between_account_checks = 60'000'000;

Caller caller_of(const KnownAccount& known)
{
    return {.identity = known.identity, .scopes = nullptr, .credential_version = known.account.credential_version};
}

std::unexpected<Error> wrong_password()
{
    return fail(Errc::unauthorized, "wrong user name or password");
}

}  // namespace

Authenticator::Authenticator(
    AccountCatalog& accounts, KeyRing& keys, const TokenSettings& settings, const Clock& clock, Random& random
)
    : accounts_{accounts},
      clock_{clock},
      random_{random},
      settings_{settings},
      signer_{keys, settings},
      cache_{accounts, clock},
      tokens_{remembered_tokens, remembered_token_bytes},
      passwords_{clock, random},
      throttle_{clock},
      checker_{throttle_}
{
}

std::optional<Caller> Authenticator::peek(std::optional<std::string_view> authorization) noexcept
{
    if (!authorization) return Caller{.identity = anonymous(), .scopes = nullptr};
    const auto [scheme, value] = split_authorization(*authorization);
    if (scheme == Authorization::Scheme::bearer) return tokens_.find(value, clock_.now());
    if (scheme != Authorization::Scheme::basic) return std::nullopt;
    const auto credentials = parse_basic(value);
    const auto known = credentials ? peek_password(*credentials) : nullptr;
    if (!known) return std::nullopt;
    return caller_of(*known);
}

Task<Caller> Authenticator::authenticate(std::string authorization, std::string client)
{
    const auto [scheme, value] = split_authorization(authorization);
    if (scheme == Authorization::Scheme::bearer) co_return co_await verify_token(std::string{value});
    if (scheme != Authorization::Scheme::basic) {
        co_return fail(Errc::unauthorized, "authentication by Basic or Bearer is required");
    }
    auto credentials = parse_basic(value);
    if (!credentials) co_return fail(Errc::unauthorized, "the Basic credentials are malformed");
    CO_TRY(const auto known, co_await check_password(*std::move(credentials), std::move(client)));
    co_return caller_of(*known);
}

Authenticator::Known Authenticator::peek_password(const BasicCredentials& credentials)
{
    auto known = cache_.fresh(credentials.user);
    if (!known) return nullptr;
    const auto tag = passwords_.tag(credentials.user, credentials.password, known->account.credential_version);
    return passwords_.knows(tag) ? known : nullptr;
}

// A password is hashed for names that don't exist as well, so that the time tells nothing.
Task<Authenticator::Known> Authenticator::check_password(BasicCredentials credentials, std::string client)
{
    auto read = co_await cache_.read(credentials.user);
    if (!read && read.error().code() != Errc::not_found) co_return std::unexpected{std::move(read).error()};
    const auto known = read ? *read : nullptr;
    const auto version = known ? known->account.credential_version : 0;
    const auto tag = passwords_.tag(credentials.user, credentials.password, version);
    if (known && passwords_.knows(tag)) co_return known;

    PasswordChecker::Check check;
    check.user = std::move(credentials.user);
    check.source = throttled_source(client);
    check.password = std::move(credentials.password);
    check.encoded = known ? known->account.password_hash : std::string{};
    check.tag = tag;
    CO_TRY(const auto right, co_await checker_.check(std::move(check)));
    if (!right || !known) co_return wrong_password();
    passwords_.remember(tag, known->account.id);
    co_return known;
}

Task<Authenticator::Known> Authenticator::account_of(std::int64_t user_id, std::int64_t credential_version)
{
    auto read = co_await cache_.read(user_id);
    if (!read && read.error().code() != Errc::not_found) co_return std::unexpected{std::move(read).error()};
    if (!read || (*read)->account.credential_version != credential_version) {
        co_return fail(Errc::unauthorized, "the token is not valid", "the user or its password has changed");
    }
    co_return *std::move(read);
}

Task<Caller> Authenticator::verify_token(std::string token)
{
    const auto now = clock_.now();
    CO_TRY(auto claims, co_await signer_.verify(token, now));
    auto until = (claims.expires_at + settings_.leeway.count()) * 1'000'000;
    Caller caller{.identity = anonymous(), .scopes = std::make_shared<const TokenScopes>(std::move(claims.scopes))};
    if (claims.user_id != 0) {
        CO_TRY(const auto known, co_await account_named(claims.subject));
        const auto& account = known->account;
        if (account.id != claims.user_id || account.credential_version != claims.credential_version) {
            co_return fail(Errc::unauthorized, "the token is not valid", "the user or its password has changed");
        }
        caller.identity = known->identity;
        caller.credential_version = account.credential_version;
        until = std::min(until, now + between_account_checks);
    }
    tokens_.remember(std::move(token), caller, until);
    co_return caller;
}

// While the database is away a token goes on with what was known of its user last.
Task<Authenticator::Known> Authenticator::account_named(std::string name)
{
    if (auto known = cache_.fresh(name)) co_return known;
    auto read = co_await cache_.read(name);
    if (read) co_return *std::move(read);
    if (read.error().code() == Errc::not_found) {
        co_return fail(Errc::unauthorized, "the token is not valid", "its user is gone");
    }
    if (auto known = cache_.any(name)) co_return known;
    co_return std::unexpected{std::move(read).error()};
}

Task<> Authenticator::set_password(std::int64_t user_id, std::string password)
{
    CO_CHECK(check_password_policy(password));
    CO_TRY(auto encoded, co_await checker_.run([this, password = std::move(password)]() mutable {
        auto hash = hash_password(password, random_);
        OPENSSL_cleanse(password.data(), password.size());
        return hash;
    }));
    CO_CHECK(co_await accounts_.set_password(user_id, std::move(encoded)));
    forget_user(user_id);
    co_return Result<>{};
}

void Authenticator::forget_user(std::int64_t user_id)
{
    cache_.forget_user(user_id);
    passwords_.forget_user(user_id);
    tokens_.forget_user(user_id);
}

void Authenticator::stop()
{
    checker_.stop();
}

// Without a count of owners: on the hot path every loop would write to that one word.
std::shared_ptr<const Identity> Authenticator::anonymous()
{
    static const Identity nobody;
    return {std::shared_ptr<const void>{}, &nobody};
}

}  // namespace entrepot
