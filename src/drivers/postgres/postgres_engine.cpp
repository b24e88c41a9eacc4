#include "drivers/postgres/postgres_engine.hpp"

#include "core/log.hpp"

#include <algorithm>
#include <utility>

namespace entrepot {

namespace {

constexpr int most_attempts = 6;

}  // namespace

PostgresEngine::PostgresEngine(
    const std::string& url,
    unsigned connections,
    std::chrono::milliseconds patience,
    const Clock& clock,
    std::function<void()> on_event
)
    : patience_{patience}, clock_{clock}, on_event_{std::move(on_event)}
{
    for (unsigned i = 0; i < std::max(connections, 1U); ++i) {
        connections_.push_back(std::make_unique<PostgresConnection>(url, clock));
    }
    for (const auto& connection : connections_) {
        threads_.emplace_back([this, own = connection.get()] { work_until_stopped(*own); });
    }
}

void PostgresEngine::stop()
{
    {
        const std::lock_guard lock{mutex_};
        stopping_ = true;
    }
    waiting_.notify_all();
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
    connections_.clear();
}

void PostgresEngine::submit_read(std::unique_ptr<SqlWork> work)
{
    submit(Kind::read, std::move(work));
}

void PostgresEngine::submit_write(Durability durability, std::unique_ptr<SqlWork> work)
{
    submit(durability == Durability::durable ? Kind::durable_write : Kind::process_write, std::move(work));
}

void PostgresEngine::submit(Kind kind, std::unique_ptr<SqlWork> work)
{
    {
        const std::lock_guard lock{mutex_};
        if (!stopping_) queue_.push_back({kind, clock_.steady() + patience_, std::move(work)});
    }
    if (work) return work->finish(fail(Errc::unavailable, "the metadata store is shutting down"));
    waiting_.notify_one();
}

void PostgresEngine::work_until_stopped(PostgresConnection& connection)
{
    std::unique_lock lock{mutex_};
    while (true) {
        waiting_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
        if (queue_.empty()) return;
        Item item = std::move(queue_.front());
        queue_.pop_front();
        lock.unlock();
        Result<> outcome = serve(connection, item);
        const bool wrote_event = connection.take_event_note() && outcome;
        item.work->finish(std::move(outcome));
        if (wrote_event && on_event_) on_event_();
        lock.lock();
    }
}

Result<> PostgresEngine::serve(PostgresConnection& connection, Item& item)
{
    connection.set_deadline(item.deadline);
    if (clock_.steady() >= item.deadline) {
        return fail(Errc::unavailable, "the metadata store is busy", "no connection was free in time");
    }
    for (int attempts = 1;; ++attempts) {
        CHECK(ensure_connected(connection));
        Attempt attempt = try_once(connection, item);
        const bool late = clock_.steady() >= item.deadline;
        if (!attempt.again || attempts == most_attempts || late) return std::move(attempt.outcome);
    }
}

Result<> PostgresEngine::ensure_connected(PostgresConnection& connection)
{
    if (connection.connected()) return {};
    if (!reconnection_.may_try(clock_.steady())) {
        return fail(Errc::unavailable, "the metadata store does not answer", "PostgreSQL was away a moment ago");
    }
    auto connected = connection.connect();
    if (connected) {
        reconnection_.succeeded();
    } else {
        reconnection_.failed(clock_.steady());
        log::failure(log::Level::warning, "connecting to PostgreSQL", connected.error());
    }
    return connected;
}

PostgresEngine::Attempt PostgresEngine::try_once(PostgresConnection& connection, Item& item)
{
    if (item.kind != Kind::read) return try_transaction(connection, item);
    Result<> outcome = item.work->run(connection);
    const bool again = !outcome && !connection.connected();
    return {std::move(outcome), again};
}

PostgresEngine::Attempt PostgresEngine::try_transaction(PostgresConnection& connection, Item& item)
{
    auto begun = connection.begin(item.kind == Kind::durable_write ? Durability::durable : Durability::process);
    if (!begun) return {std::move(begun), !connection.connected()};
    Result<> outcome = item.work->run(connection);
    if (outcome) return {connection.commit(), connection.worth_repeating()};
    const bool again = !connection.connected() || connection.worth_repeating();
    connection.rollback();
    return {std::move(outcome), again};
}

}  // namespace entrepot
