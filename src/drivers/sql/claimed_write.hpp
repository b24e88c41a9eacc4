#pragma once

#include "drivers/sql/project_budget.hpp"
#include "drivers/sql/sql_engine.hpp"
#include "oci/names.hpp"

#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>

namespace entrepot {

// The projects in which a write found a limit, so that the next one makes its claim beforehand. Safe from any thread.
class LimitedProjects {
public:
    bool holds(const RepositoryName& repository) const
    {
        const std::scoped_lock lock{mutex_};
        return names_.contains(std::string{repository.project()});
    }
    void set(const RepositoryName& repository, bool limited)
    {
        const std::scoped_lock lock{mutex_};
        if (limited) {
            names_.insert(std::string{repository.project()});
        } else {
            names_.erase(std::string{repository.project()});
        }
    }

private:
    mutable std::mutex mutex_;
    std::set<std::string, std::less<>> names_;
};

// A write's own claim on its project's quota.
struct WishedClaim {
    RepositoryName repository;
    std::string id;
    std::int64_t bytes = 0;
    std::int64_t artifacts = 0;
    Micros now = 0;
};

// Makes the claim in a transaction of its own, which holds the project's row for moments and not until its commit is on
// disk. Answers whether there is a limit at all. quota_exceeded.
inline Task<bool> claim_beforehand(SqlEngine& engine, std::shared_ptr<const WishedClaim> wish)
{
    constexpr Micros lifetime = 60'000'000;
    const auto work = [wish](SqlSession& session) -> Result<bool> {
        TRY(const auto place, find_place(session, wish->repository));
        if (!place || !place->limited) return false;
        const Claim claim{wish->id, wish->bytes, wish->artifacts, wish->now + lifetime};
        CHECK(make_claim(session, *place, claim, wish->now));
        return true;
    };
    co_return co_await engine.write(Durability::process, work);
}

// A durable write whose work (Result<std::optional<T>>(SqlSession&)) answers nullopt, having changed nothing, when it
// needs the claim first. What is here already needs none, so a claim that is refused is not the last word.
template <class T, class Work, class Settled>
Task<T> claimed_write(SqlEngine& engine, LimitedProjects& limited, WishedClaim wished, Work work, Settled settled)
{
    const auto wish = std::make_shared<const WishedClaim>(std::move(wished));
    constexpr int most_attempts = 3;
    bool claims = limited.holds(wish->repository);
    for (int attempt = 0; attempt < most_attempts; ++attempt) {
        Result<bool> claimed{false};
        if (claims) claimed = co_await claim_beforehand(engine, wish);
        if (claims && claimed) limited.set(wish->repository, *claimed);
        CO_TRY(auto done, co_await engine.write(Durability::durable, work, settled));
        if (done) co_return *std::move(done);
        if (!claimed) co_return std::unexpected{std::move(claimed).error()};
        claims = true;
    }
    co_return fail(Errc::unavailable, "the project's quota changed meanwhile, try again");
}

}  // namespace entrepot
