#include "api/token/sessions.hpp"

#include "access/token_text.hpp"
#include "core/log.hpp"

#include <algorithm>

namespace entrepot {
namespace {

constexpr Micros longest_between_extensions = 60'000'000;

std::unexpected<Error> ended()
{
    return fail(Errc::unauthorized, "the session has ended: log in again");
}

}  // namespace

Task<std::string> Sessions::begin(Caller caller, std::string client)
{
    auto id = random_.base64url(32);
    LoginSession session;
    session.hash = secret_hash(id);
    session.user_id = caller.identity->user_id;
    session.credential_version = caller.credential_version;
    session.client = std::move(client);
    session.created_at = clock_.now();
    session.expires_at = session.created_at + idle();
    CO_CHECK(co_await catalog_.add(std::move(session)));
    co_return id;
}

Task<Caller> Sessions::find(std::string id)
{
    const auto hash = secret_hash(id);
    const auto now = clock_.now();
    Known known;
    {
        const std::lock_guard lock{mutex_};
        if (const auto* const before = known_.find(hash)) known = *before;
    }
    const bool fresh = known.caller.identity && now - known.read_at <= freshness;
    if (fresh && authenticator_.stands(known.caller)) co_return known.caller;
    const auto session = co_await catalog_.find(hash);
    if (!session && session.error().code() == Errc::not_found) co_return ended();
    if (!session) co_return std::unexpected{session.error()};
    if (session->expires_at <= now) co_return ended();
    auto caller = co_await authenticator_.caller_of(session->user_id, session->credential_version);
    if (!caller && caller.error().code() == Errc::unauthorized) co_return ended();
    if (!caller) co_return caller;
    CO_CHECK(co_await keep_alive(*session, now));
    const std::lock_guard lock{mutex_};
    known_.touch(hash) = {*caller, now};
    co_return caller;
}

// Written down once a minute at most: the time-out is that much coarser.
Task<> Sessions::keep_alive(const LoginSession& session, Micros now)
{
    const auto step = std::min(longest_between_extensions, idle() / 4);
    if (session.expires_at - now > idle() - step) co_return Result<>{};
    const auto extended = co_await catalog_.extend(session.hash, now + idle());
    if (!extended) log::failure(log::Level::warning, "a session was not extended", extended.error());
    co_return Result<>{};
}

Task<> Sessions::end(std::string id)
{
    const auto hash = secret_hash(id);
    auto removed = co_await catalog_.remove(hash);
    const std::lock_guard lock{mutex_};
    known_.remove(hash);
    co_return removed;
}

}  // namespace entrepot
