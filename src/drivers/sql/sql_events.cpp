#include "drivers/sql/sql_events.hpp"

#include "drivers/sql/event_rows.hpp"

#include <algorithm>
#include <memory>

namespace entrepot {
namespace {

constexpr std::int64_t numbered_at_once = 5'000;
constexpr std::int64_t removed_at_once = 500;

constexpr SqlStatement select_range{"SELECT COALESCE((SELECT sequence FROM event_log ORDER BY sequence LIMIT 1), 1), "
                                    "COALESCE((SELECT sequence FROM event_log ORDER BY sequence DESC LIMIT 1), 0)"};

constexpr SqlStatement select_events{
    "SELECT sequence, type, tenant_id, project_id, project, repository, digest, tag, media_type, size, user_id, "
    "user_name, occurred_at, count, details FROM event_log WHERE sequence > $1 ORDER BY sequence LIMIT $2"
};

// Only where ids are not in the order of commits: of rows that are visible now, none can come before one that has a
// number already, since numbers are given under the lock of event_order's row.
constexpr SqlStatement any_without_number{"SELECT id FROM events WHERE sequence IS NULL LIMIT 1"};
constexpr SqlStatement lock_order{"SELECT newest FROM event_order WHERE one = 1", "FOR UPDATE"};
constexpr SqlStatement give_numbers{
    "UPDATE events SET sequence = n.sequence FROM (SELECT id, $1 + ROW_NUMBER() OVER (ORDER BY id) AS sequence "
    "FROM events WHERE sequence IS NULL ORDER BY id LIMIT $2) n WHERE events.id = n.id RETURNING events.id"
};
constexpr SqlStatement move_newest{"UPDATE event_order SET newest = newest + $1 WHERE one = 1"};

constexpr SqlStatement find_cursor{"SELECT sequence FROM event_consumers WHERE name = $1"};
constexpr SqlStatement insert_cursor{
    "INSERT INTO event_consumers (name, sequence) SELECT $1, COALESCE(MAX(sequence), 0) FROM event_log WHERE 1 = 1 "
    "ON CONFLICT (name) DO NOTHING"
};

// From the front of the log on, and never all of it: the newest keeps the place.
constexpr SqlStatement delete_oldest{
    "DELETE FROM events WHERE id IN (SELECT o.id FROM (SELECT id, sequence, occurred_at FROM event_log "
    "ORDER BY sequence LIMIT $3) o WHERE o.sequence < (SELECT MAX(sequence) FROM event_log) AND (o.occurred_at < $2 OR "
    "(o.occurred_at < $1 AND NOT EXISTS (SELECT 1 FROM event_consumers c WHERE c.sequence < o.sequence)))) "
    "RETURNING id"
};

Event event_of(SqlRow& row)
{
    return {
        .sequence = row.integer(0),
        .type = row.take_text(1),
        .tenant_id = row.integer(2),
        .project_id = row.integer(3),
        .project = row.take_text(4),
        .repository = row.take_text(5),
        .digest = row.take_text(6),
        .tag = row.take_text(7),
        .media_type = row.take_text(8),
        .size = row.integer(9),
        .user_id = row.integer(10),
        .user = row.take_text(11),
        .at = row.integer(12),
        .count = row.integer(13),
        .details = row.take_text(14),
    };
}

Result<bool> has_unnumbered(SqlSession& session)
{
    TRY(const auto rows, session.run(any_without_number));
    return !rows.empty();
}

// True when there are more.
Result<bool> number(SqlSession& session)
{
    TRY(const auto order, session.run(lock_order));
    if (order.empty()) return fail(Errc::corrupt, "the order of events is gone");
    TRY(const auto numbered, session.run(give_numbers, {order.front().integer(0), numbered_at_once}));
    const auto count = static_cast<std::int64_t>(numbered.size());
    if (count > 0) CHECK(session.run(move_newest, {count}));
    return count == numbered_at_once;
}

Result<EventRange> range_of(SqlSession& session)
{
    TRY(const auto rows, session.run(select_range));
    return EventRange{rows.front().integer(0), rows.front().integer(1)};
}

}  // namespace

Task<EventRange> SqlEvents::settle()
{
    bool more = false;
    if (!engine_.commits_in_order()) {
        CO_TRY(more, co_await engine_.read([](SqlSession& session) { return has_unnumbered(session); }));
    }
    // Readers go by these numbers from now on: they must not be given anew after a power failure.
    while (more) {
        CO_TRY(more, co_await engine_.write(Durability::durable, [](SqlSession& session) { return number(session); }));
    }
    co_return co_await engine_.read([](SqlSession& session) { return range_of(session); });
}

Task<std::vector<Event>> SqlEvents::read(std::int64_t after, std::int64_t limit)
{
    const auto work = [after, limit](SqlSession& session) -> Result<std::vector<Event>> {
        TRY(auto rows, session.run(select_events, {after, limit}));
        std::vector<Event> events;
        events.reserve(rows.size());
        for (auto& row : rows) events.push_back(event_of(row));
        return events;
    };
    co_return co_await engine_.read(work);
}

Task<> SqlEvents::add(std::vector<Event> events)
{
    const auto shared = std::make_shared<const std::vector<Event>>(std::move(events));
    const auto work = [shared](SqlSession& session) -> Result<> {
        for (const auto& event : *shared) CHECK(record_event(session, event));
        return {};
    };
    co_return co_await engine_.write(Durability::process, work);
}

Task<std::int64_t> SqlEvents::cursor(std::string consumer)
{
    const auto find = [consumer](SqlSession& session) -> Result<std::optional<std::int64_t>> {
        TRY(const auto rows, session.run(find_cursor, {consumer}));
        if (rows.empty()) return std::nullopt;
        return rows.front().integer(0);
    };
    CO_TRY(auto found, co_await engine_.read(find));
    if (found) co_return *found;
    const auto insert = [consumer](SqlSession& session) -> Result<> {
        CHECK(session.run(insert_cursor, {consumer}));
        return {};
    };
    CO_CHECK(co_await engine_.write(Durability::durable, insert));
    CO_TRY(found, co_await engine_.read(find));
    co_return found.value_or(0);
}

Task<> SqlEvents::advance(std::string consumer, std::int64_t from, std::int64_t to, std::vector<NewJob> jobs)
{
    const auto added = std::make_shared<const std::vector<NewJob>>(std::move(jobs));
    const auto work = [consumer, from, to, added](SqlSession& session) -> Result<> {
        CHECK(advance_consumer(session, consumer, from, to));
        if (!added->empty()) CHECK(add_jobs(session, *added));
        return {};
    };
    CO_CHECK(co_await engine_.write(Durability::durable, work));
    bell_.ring(*added);
    co_return Result<>{};
}

Task<std::int64_t> SqlEvents::remove(Micros read_by_all, Micros in_any_case)
{
    const auto work = [read_by_all, in_any_case](SqlSession& session) -> Result<std::int64_t> {
        TRY(const auto rows, session.run(delete_oldest, {read_by_all, in_any_case, removed_at_once}));
        return static_cast<std::int64_t>(rows.size());
    };
    co_return co_await engine_.write(Durability::process, work);
}

}  // namespace entrepot
