#pragma once

#include "core/completion.hpp"
#include "drivers/sql/sql_session.hpp"

#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace entrepot {

// What an acknowledged write has survived: the loss of power, or only the end of this process.
enum class Durability { durable, process };

// A transaction on its way through an engine's threads. An engine calls run() inside a transaction, again when the
// transaction must be repeated, and then finish() exactly once, after COMMIT or when all has failed.
class SqlWork {
public:
    virtual ~SqlWork() = default;
    virtual Result<> run(SqlSession& session) = 0;
    virtual void finish(Result<> outcome) = 0;
};

// A database with its own threads. read() and write() run a plain callable Result<T>(SqlSession&) in one transaction on
// such a thread and resume the caller on its own executor. The callable owns what it captures, doesn't use it up (it
// may run again), and changes nothing but the database.
class SqlEngine {
public:
    virtual ~SqlEngine() = default;

    template <class Work>
    auto read(Work work) -> Task<typename std::invoke_result_t<Work&, SqlSession&>::value_type>;

    // `settled` runs on the engine's thread when the outcome is known and before the caller hears of it, whatever the
    // outcome was: a COMMIT that failed may yet have happened.
    template <class Work, class Settled>
    auto write(Durability durability, Work work, Settled settled)
        -> Task<typename std::invoke_result_t<Work&, SqlSession&>::value_type>;

    template <class Work>
    auto write(Durability durability, Work work)
    {
        return write(durability, std::move(work), [] {});
    }

    // Finishes what is under way and ends the threads; later work answers unavailable.
    virtual void stop() = 0;

    // Whether ids of a table are given in the order in which transactions commit.
    virtual bool commits_in_order() const noexcept = 0;

private:
    virtual void submit_read(std::unique_ptr<SqlWork> work) = 0;
    virtual void submit_write(Durability durability, std::unique_ptr<SqlWork> work) = 0;
};

namespace detail {

template <class T, class Work, class Settled>
class AwaitedWork final : public SqlWork {
public:
    AwaitedWork(Work work, Settled settled, Completion<T> completion)
        : work_{std::move(work)}, settled_{std::move(settled)}, completion_{std::move(completion)}
    {
    }

    Result<> run(SqlSession& session) override
    {
        try {
            result_.emplace(work_(session));
        } catch (const std::exception& thrown) {
            result_.emplace(fail(Errc::internal, "the metadata store failed", thrown.what()));
        }
        if (!*result_) return std::unexpected{result_->error()};
        return {};
    }

    void finish(Result<> outcome) override
    {
        settled_();
        if (!outcome) {
            completion_.complete(std::unexpected{std::move(outcome).error()});
        } else {
            completion_.complete(*std::move(result_));
        }
    }

private:
    Work work_;
    Settled settled_;
    Completion<T> completion_;
    std::optional<Result<T>> result_;
};

}  // namespace detail

template <class Work>
auto SqlEngine::read(Work work) -> Task<typename std::invoke_result_t<Work&, SqlSession&>::value_type>
{
    using T = typename std::invoke_result_t<Work&, SqlSession&>::value_type;
    const auto nothing = [] {};
    using Awaited = detail::AwaitedWork<T, Work, std::remove_const_t<decltype(nothing)>>;
    return completed_by<T>([this, nothing, work = std::move(work)](Completion<T> completion) mutable {
        submit_read(std::make_unique<Awaited>(std::move(work), nothing, std::move(completion)));
    });
}

template <class Work, class Settled>
auto SqlEngine::write(Durability durability, Work work, Settled settled)
    -> Task<typename std::invoke_result_t<Work&, SqlSession&>::value_type>
{
    using T = typename std::invoke_result_t<Work&, SqlSession&>::value_type;
    using Awaited = detail::AwaitedWork<T, Work, Settled>;
    return completed_by<T>([this, durability, work = std::move(work), settled = std::move(settled)](
                               Completion<T> completion
                           ) mutable {
        submit_write(durability, std::make_unique<Awaited>(std::move(work), std::move(settled), std::move(completion)));
    });
}

}  // namespace entrepot
