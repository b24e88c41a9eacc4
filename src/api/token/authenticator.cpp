#include "api/token/authenticator.hpp"

#include "access/token_text.hpp"
#include "api/token/password.hpp"
#include "core/bytes.hpp"

#include <openssl/crypto.h>

#include <algorithm>

namespace entrepot {
namespace {

constexpr std::size_t remembered_tokens = 20'000;
constexpr std::size_t remembered_token_bytes = 32U << 20U;
// After this a token's user is looked at again, whatever the policy has heard.
constexpr Micros between_account_checks = 60'000'000;

std::unexpected<Error> wrong_password()
{
    return fail(Errc::unauthorized, "wrong user name or password");
}

std::unexpected<Error> invalid_token(std::string detail)
{
    return fail(Errc::unauthorized, "the token is not valid", std::move(detail));
}

}  // namespace

Authenticator::Authenticator(Parts parts, const TokenSettings& settings)
    : policy_{parts.policy},
      directory_{parts.directory},
      clock_{parts.clock},
      random_{parts.random},
      settings_{settings},
      signer_{parts.keys, settings},
      cache_{parts.accounts, parts.policy, parts.clock},
      access_tokens_{parts.access_tokens, parts.accounts, parts.clock},
      uses_{parts.access_tokens},
      tokens_{remembered_tokens, remembered_token_bytes},
      passwords_{parts.clock, parts.random},
      throttle_{parts.clock},
      checker_{throttle_}
{
}

std::optional<Caller> Authenticator::peek(std::optional<std::string_view> authorization) noexcept
{
    auto caller = recall(authorization);
    return caller && policy_.is_current(*caller) ? caller : std::nullopt;
}

std::optional<Caller> Authenticator::recall(std::optional<std::string_view> authorization) noexcept
{
    if (!authorization) return Caller{.identity = anonymous(), .scopes = nullptr};
    const auto [scheme, value] = split_authorization(*authorization);
    if (scheme == Authorization::Scheme::bearer) {
        return value.starts_with(access_token_prefix) ? peek_access_token(value) : tokens_.find(value, clock_.now());
    }
    if (scheme != Authorization::Scheme::basic) return std::nullopt;
    const auto credentials = parse_basic(value);
    return credentials ? peek_basic(*credentials) : std::nullopt;
}

Task<Caller> Authenticator::authenticate(std::string authorization, std::string client)
{
    const auto [scheme, value] = split_authorization(authorization);
    if (scheme == Authorization::Scheme::bearer && value.starts_with(access_token_prefix)) {
        co_return co_await check_access_token(std::string{value});
    }
    if (scheme == Authorization::Scheme::bearer) co_return co_await verify_token(std::string{value});
    if (scheme != Authorization::Scheme::basic) {
        co_return fail(Errc::unauthorized, "authentication by Basic or Bearer is required");
    }
    auto credentials = parse_basic(value);
    if (!credentials) co_return fail(Errc::unauthorized, "the Basic credentials are malformed");
    co_return co_await check_basic(*std::move(credentials), std::move(client));
}

std::optional<Caller> Authenticator::peek_basic(const BasicCredentials& credentials) noexcept
{
    if (is_access_token(credentials.password)) {
        auto caller = peek_access_token(credentials.password);
        return caller && caller->identity->name == credentials.user ? caller : std::nullopt;
    }
    const auto known = cache_.fresh(credentials.user);
    if (!known) return std::nullopt;
    const auto proof = proof_of(known.get(), PasswordPurpose::any_request, credentials.user);
    const bool right =
        is_made_secret(proof, credentials.password) || (proof.hashed && passwords_.knows(tag(proof, credentials)));
    if (!right) return std::nullopt;
    auto caller = caller_for(*known);
    return policy_.is_current(caller) ? std::optional{std::move(caller)} : std::nullopt;
}

Task<Caller> Authenticator::check_basic(BasicCredentials credentials, std::string client)
{
    if (is_access_token(credentials.password)) {
        auto caller = co_await check_access_token(credentials.password);
        if (!caller && caller.error().code() != Errc::unauthorized) co_return caller;
        if (!caller || caller->identity->name != credentials.user) co_return wrong_password();
        co_return caller;
    }
    co_return co_await check_password(PasswordPurpose::any_request, std::move(credentials), std::move(client));
}

std::optional<Caller> Authenticator::peek_access_token(std::string_view text) noexcept
{
    if (!is_access_token(text)) return std::nullopt;
    const auto known = access_tokens_.fresh(secret_hash(text));
    if (!known || known->expired(clock_.now())) return std::nullopt;
    auto caller = caller_for(*known);
    return policy_.is_current(caller) ? std::optional{std::move(caller)} : std::nullopt;
}

// Nobody guesses 256 bits: failures are not counted, and no password is hashed whatever the owner's name.
Task<Caller> Authenticator::check_access_token(std::string text)
{
    if (!is_access_token(text)) co_return invalid_token("malformed access token");
    const auto known = co_await access_tokens_.find(secret_hash(text));
    if (!known && known.error().code() == Errc::not_found) co_return invalid_token("no such access token");
    if (!known) co_return std::unexpected{known.error()};
    if ((*known)->expired(clock_.now())) co_return invalid_token("the access token has expired");
    co_return co_await current(caller_for(**known));
}

Task<Caller> Authenticator::log_in(BasicCredentials credentials, std::string client)
{
    co_return co_await check_password(PasswordPurpose::log_in, std::move(credentials), std::move(client));
}

// Names that don't exist, disabled ones and robots with a wrong secret cost the same hashes as a wrong password, so
// that neither the answer nor the time tells them apart.
Task<Caller> Authenticator::check_password(PasswordPurpose purpose, BasicCredentials credentials, std::string client)
{
    CO_TRY(const auto known, co_await account_if_any(credentials.user));
    const auto proof = proof_of(known.get(), purpose, credentials.user);
    if (is_made_secret(proof, credentials.password)) co_return co_await current(caller_for(*known));
    const auto tagged = tag(proof, credentials);
    if (!proof.hashed || !passwords_.knows(tagged)) {
        PasswordChecker::Check check;
        check.user = std::move(credentials.user);
        check.source = throttled_source(client);
        check.password = std::move(credentials.password);
        check.encoded = proof.encoded;
        check.alternative = proof.alternative;
        check.tag = tagged;
        CO_TRY(const auto right, co_await checker_.check(std::move(check)));
        if (!right || !proof.hashed) co_return wrong_password();
        passwords_.remember(tagged);
    }
    co_return co_await current(caller_for(*known));
}

Task<Caller> Authenticator::caller_of(std::int64_t user_id, std::int64_t credential_version)
{
    const auto read = co_await cache_.read(user_id);
    if (!read && read.error().code() != Errc::not_found) co_return std::unexpected{read.error()};
    if (!read || (*read)->account.disabled || (*read)->account.credential_version != credential_version) {
        co_return invalid_token("the user or its password has changed");
    }
    co_return co_await current(caller_for(**read));
}

Task<Caller> Authenticator::verify_token(std::string token)
{
    const auto now = clock_.now();
    CO_TRY(auto claims, co_await signer_.verify(token, now));
    auto until = (claims.expires_at + settings_.leeway.count()) * 1'000'000;
    Caller caller{.identity = anonymous(), .scopes = nullptr};
    if (claims.access_token_id != 0) {
        const auto known = co_await access_tokens_.find_by_id(claims.access_token_id);
        if (!known && known.error().code() != Errc::not_found) co_return std::unexpected{known.error()};
        const bool stands = known && (*known)->owner->user_id == claims.user_id && !(*known)->expired(now);
        if (!stands) co_return invalid_token("the access token it was made from has ended");
        caller = caller_for(**known);
        if ((*known)->expires_at != 0) until = std::min(until, (*known)->expires_at);
    } else if (claims.user_id != 0) {
        CO_TRY(const auto known, co_await account_named(claims.subject));
        const auto& account = known->account;
        const bool same = account.id == claims.user_id && account.credential_version == claims.credential_version;
        if (!same || account.disabled) co_return invalid_token("the user or its password has changed");
        caller = caller_for(*known);
    }
    CO_TRY(caller, co_await current(std::move(caller)));
    if (claims.user_id != 0) until = std::min(until, now + between_account_checks);
    caller.scopes = std::make_shared<const TokenScopes>(std::move(claims.scopes));
    tokens_.remember(std::move(token), caller, until);
    co_return caller;
}

// A credential that the store knows and the policy doesn't is new, or gone by now: the policy looks again.
Task<Caller> Authenticator::current(Caller caller)
{
    if (policy_.is_current(caller)) co_return caller;
    CO_CHECK(co_await directory_.catch_up());
    if (policy_.is_current(caller)) co_return caller;
    co_return wrong_password();
}

// While the database is away a token goes on with what was known of its user last.
Task<Authenticator::Known> Authenticator::account_named(std::string name)
{
    if (auto known = cache_.fresh(name)) co_return known;
    auto read = co_await cache_.read(name);
    if (read) co_return *std::move(read);
    if (read.error().code() == Errc::not_found) co_return invalid_token("its user is gone");
    if (auto known = cache_.any(name)) co_return known;
    co_return std::unexpected{std::move(read).error()};
}

// Null for names that don't exist and for disabled accounts.
Task<Authenticator::Known> Authenticator::account_if_any(std::string name)
{
    auto read = co_await cache_.read(std::move(name));
    if (!read && read.error().code() == Errc::not_found) co_return Known{};
    if (read && (*read)->account.disabled) co_return Known{};
    co_return read;
}

// What the account can be proven with now. A robot's secrets that people chose are hashed as passwords are, those that
// were made here need no slow hash.
Authenticator::Proof
Authenticator::proof_of(const KnownAccount* known, PasswordPurpose purpose, std::string_view user) const
{
    Proof proof{.purpose = purpose, .subject = std::string{user}};
    if (!known) return proof;
    const auto& account = known->account;
    const bool any = purpose == PasswordPurpose::any_request;
    if (account.kind == PrincipalKind::user) {
        proof.hashed = true;
        proof.version = account.credential_version;
        proof.encoded = account.password_hash;
        if (any) proof.alternative = account.cli_hash;
        return proof;
    }
    const auto& robot = account.robot;
    const auto now = clock_.now();
    const bool ended = account.disabled || (robot.expires_at > 0 && robot.expires_at <= now);
    if (account.kind != PrincipalKind::robot || ended || !any) return proof;
    const auto take = [](std::string_view secret, std::string_view& hashed, std::string_view& made) {
        (is_password_hash(secret) ? hashed : made) = secret;
    };
    take(robot.current, proof.encoded, proof.made);
    if (robot.previous_until > now) take(robot.previous, proof.alternative, proof.made_before);
    proof.hashed = !proof.encoded.empty() || !proof.alternative.empty();
    proof.version = account.credential_version;
    // A secret before ends without a new version: what is remembered holds for just these hashes. No name has a
    // newline.
    if (proof.hashed) proof.subject.append("\n").append(proof.encoded).append("\n").append(proof.alternative);
    return proof;
}

bool Authenticator::is_made_secret(const Proof& proof, std::string_view secret)
{
    if (proof.made.empty() && proof.made_before.empty()) return false;
    const auto hash = secret_hash(secret);
    return equal_in_constant_time(hash, proof.made) || equal_in_constant_time(hash, proof.made_before);
}

std::string Authenticator::tag(const Proof& proof, const BasicCredentials& credentials) const
{
    return passwords_.tag(proof.purpose, proof.subject, credentials.password, proof.version);
}

Caller Authenticator::caller_for(const KnownAccount& known)
{
    Caller caller{.identity = known.identity, .scopes = nullptr};
    caller.credential_version = known.account.credential_version;
    if (known.account.kind == PrincipalKind::robot) {
        uses_.note(CredentialUse::Kind::robot, known.account.id, clock_.now());
    }
    return caller;
}

Caller Authenticator::caller_for(const KnownAccessToken& known)
{
    Caller caller{.identity = known.owner, .scopes = nullptr};
    caller.limit = known.limit;
    caller.credential_version = known.credential_version;
    caller.access_token_id = known.id;
    uses_.note(CredentialUse::Kind::access_token, known.id, clock_.now());
    return caller;
}

Task<std::string> Authenticator::hash(std::string password)
{
    CO_CHECK(check_password_policy(password));
    co_return co_await checker_.run([this, password = std::move(password)]() mutable {
        auto encoded = hash_password(password, random_);
        OPENSSL_cleanse(password.data(), password.size());
        return encoded;
    });
}

Task<> Authenticator::check(std::string user, std::string password, std::string client)
{
    auto credentials = make_credentials(std::move(user), std::move(password));
    if (!credentials) co_return wrong_password();
    CO_CHECK(co_await log_in(*std::move(credentials), std::move(client)));
    co_return Result<>{};
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
