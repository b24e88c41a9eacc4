#include "drivers/sqlite/sqlite_engine.hpp"

#include "core/log.hpp"

#include <algorithm>
#include <utility>

namespace entrepot {

namespace {

constexpr int pages_to_move = 2000;  // 8 MB: the log is moved into the database

constexpr SqlStatement open_savepoint{"SAVEPOINT work"};
constexpr SqlStatement keep_savepoint{"RELEASE work"};
constexpr SqlStatement undo_savepoint{"ROLLBACK TO work"};
constexpr SqlStatement begin_reading{"BEGIN"};
constexpr SqlStatement end_reading{"COMMIT"};

std::unexpected<Error> stopped()
{
    return fail(Errc::unavailable, "the metadata store is shutting down");
}

}  // namespace

SqliteEngine::SqliteEngine(const std::string& file, unsigned readers)
    : file_{file}, writer_{std::make_unique<SqliteConnection>(file, SqliteConnection::Use::writing)}
{
    for (unsigned i = 0; i < std::max(readers, 1U); ++i) {
        readers_.push_back(std::make_unique<SqliteConnection>(file, SqliteConnection::Use::reading));
    }
}

SqliteEngine::~SqliteEngine()
{
    stop();
}

void SqliteEngine::start(std::function<void()> on_event)
{
    on_event_ = std::move(on_event);
    threads_.emplace_back([this] { write_until_stopped(); });
    for (const auto& reader : readers_) {
        threads_.emplace_back([this, connection = reader.get()] { read_until_stopped(*connection); });
    }
}

void SqliteEngine::stop()
{
    {
        const std::lock_guard lock{mutex_};
        stopping_ = true;
    }
    writes_wait_.notify_all();
    reads_wait_.notify_all();
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
    readers_.clear();
    writer_.reset();
}

void SqliteEngine::submit_read(std::unique_ptr<SqlWork> work)
{
    {
        const std::lock_guard lock{mutex_};
        if (!stopping_) reads_.push_back(std::move(work));
    }
    if (work) return work->finish(stopped());
    reads_wait_.notify_one();
}

void SqliteEngine::submit_write(Durability durability, std::unique_ptr<SqlWork> work)
{
    {
        const std::lock_guard lock{mutex_};
        if (!stopping_) writes_.push_back({durability, std::move(work), {}});
    }
    if (work) return work->finish(stopped());
    writes_wait_.notify_one();
}

void SqliteEngine::read_until_stopped(SqliteConnection& connection)
{
    std::unique_lock lock{mutex_};
    while (true) {
        reads_wait_.wait(lock, [this] { return stopping_ || !reads_.empty(); });
        if (reads_.empty()) return;
        const std::unique_ptr<SqlWork> work = std::move(reads_.front());
        reads_.pop_front();
        lock.unlock();
        Result<> outcome;
        if (auto begun = connection.run(begin_reading, {}); !begun) outcome = std::unexpected{begun.error()};
        if (outcome) outcome = work->run(connection);
        if (connection.in_transaction() && !connection.run(end_reading, {})) connection.rollback();
        work->finish(std::move(outcome));
        lock.lock();
    }
}

void SqliteEngine::write_until_stopped()
{
    while (true) {
        std::vector<Write> group = next_group();
        if (group.empty()) return;
        write_group(group);
    }
}

// Empty when the engine stops and nothing is left to write.
std::vector<SqliteEngine::Write> SqliteEngine::next_group()
{
    std::unique_lock lock{mutex_};
    writes_wait_.wait(lock, [this] { return stopping_ || !writes_.empty(); });
    std::vector<Write> group;
    const std::size_t count = std::min(writes_.size(), most_in_group);
    group.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        group.push_back(std::move(writes_.front()));
        writes_.pop_front();
    }
    return group;
}

void SqliteEngine::write_group(std::vector<Write>& group)
{
    const auto committed = run_group(group);
    const bool was_full = !committed && committed.error().code() == Errc::storage_full;
    if (!committed) {
        writer_->rollback();
        log::failure(log::Level::error, "writing metadata", committed.error());
    }
    for (Write& write : group) {
        // A work that was refused for its own reasons hears of those, even when the group failed.
        if (!committed && write.outcome) write.outcome = std::unexpected{committed.error()};
        write.work->finish(std::move(write.outcome));
    }
    if (writer_->take_event_note() && on_event_) on_event_();
    tidy_log(was_full);
}

Result<> SqliteEngine::run_group(std::vector<Write>& group)
{
    const bool durable =
        std::ranges::any_of(group, [](const Write& write) { return write.durability == Durability::durable; });
    CHECK(set_synchronous(durable ? Durability::durable : Durability::process));
    CHECK(writer_->begin());
    for (Write& write : group) {
        write.outcome = run_one(*write.work);
        if (!writer_->in_transaction()) {
            if (!write.outcome) return std::unexpected{write.outcome.error()};
            return fail(Errc::unavailable, "the metadata store gave the transaction up");
        }
    }
    return writer_->commit();
}

Result<> SqliteEngine::run_one(SqlWork& work)
{
    CHECK(writer_->run(open_savepoint, {}));
    auto outcome = work.run(*writer_);
    if (!writer_->in_transaction()) return outcome;
    if (!outcome) CHECK(writer_->run(undo_savepoint, {}));
    CHECK(writer_->run(keep_savepoint, {}));
    return outcome;
}

Result<> SqliteEngine::set_synchronous(Durability durability)
{
    if (synchronous_ == durability) return {};
    CHECK(writer_->run_script(
        durability == Durability::durable ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL"
    ));
    synchronous_ = durability;
    return {};
}

// After the callers were answered: nobody waits for it but the next group.
void SqliteEngine::tidy_log(bool was_full)
{
    const int pages = writer_->log_pages();
    if (was_full || pages >= most_pages_) {
        writer_->checkpoint(true);
        // A reader that stays, such as a backup, holds it up: then not every group waits for it.
        most_pages_ = writer_->log_pages() + most_pages_of_log;
    } else if (pages >= pages_to_move) {
        writer_->checkpoint(false);
    }
}

}  // namespace entrepot
