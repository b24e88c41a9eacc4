#include "drivers/sql/sql_schedules.hpp"

#include "drivers/sql/list_statement.hpp"

#include <optional>
#include <utility>

namespace entrepot {

namespace {

#define SCHEDULE_COLUMNS                                                                                         \
    "id, kind, subject_id, tenant_id, project_id, type, cron, parameters, priority, most_attempts, unique_key, " \
    "missed, next_at, last_at, last_job, user_id, created_at, updated_at"

constexpr const char* columns = SCHEDULE_COLUMNS;
constexpr ListColumn fields[] = {
    {"id", "id", ListColumn::Type::integer},
    {"kind", "kind"},
    {"subject_id", "subject_id", ListColumn::Type::integer},
    {"project_id", "project_id", ListColumn::Type::integer},
};

constexpr SqlStatement put_schedule{
    "INSERT INTO schedules (kind, subject_id, tenant_id, project_id, type, cron, parameters, priority, most_attempts, "
    "unique_key, missed, next_at, user_id, created_at, updated_at) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $14) "
    "ON CONFLICT (kind, subject_id) DO UPDATE SET tenant_id = excluded.tenant_id, project_id = excluded.project_id, "
    "type = excluded.type, cron = excluded.cron, parameters = excluded.parameters, priority = excluded.priority, "
    "most_attempts = excluded.most_attempts, unique_key = excluded.unique_key, missed = excluded.missed, "
    "next_at = excluded.next_at, user_id = excluded.user_id, updated_at = excluded.updated_at "
    "RETURNING " SCHEDULE_COLUMNS
};
constexpr SqlStatement find_schedule{"SELECT " SCHEDULE_COLUMNS " FROM schedules WHERE kind = $1 AND subject_id = $2"};
constexpr SqlStatement delete_schedule{"DELETE FROM schedules WHERE kind = $1 AND subject_id = $2 RETURNING id"};
constexpr SqlStatement select_due{"SELECT " SCHEDULE_COLUMNS
                                  " FROM schedules WHERE next_at > 0 AND next_at <= $1 ORDER BY next_at LIMIT $2"};
constexpr SqlStatement move_schedule{
    "UPDATE schedules SET next_at = $3 WHERE id = $1 AND next_at = $2 AND next_at > 0 RETURNING " SCHEDULE_COLUMNS
};
constexpr SqlStatement note_job{"UPDATE schedules SET last_at = $2, last_job = $3 WHERE id = $1"};

#undef SCHEDULE_COLUMNS

constexpr std::string_view runs_once = "once";
constexpr std::string_view skips = "skip";

Schedule schedule_of(SqlRow& row)
{
    return Schedule{
        .id = row.integer(0),
        .kind = row.take_text(1),
        .subject_id = row.integer(2),
        .tenant_id = row.integer(3),
        .project_id = row.integer(4),
        .type = row.take_text(5),
        .cron = row.take_text(6),
        .parameters = row.take_text(7),
        .priority = static_cast<std::int32_t>(row.integer(8)),
        .most_attempts = static_cast<std::int32_t>(row.integer(9)),
        .unique_key = row.take_text(10),
        .runs_missed = row.text(11) == runs_once,
        .next_at = row.integer(12),
        .last_at = row.integer(13),
        .last_job = row.integer(14),
        .actor = {row.integer(15), row.integer(17)},
        .created_at = row.integer(16),
    };
}

NewJob job_of(const Schedule& schedule, Micros at)
{
    return NewJob{
        .kind = schedule.kind,
        .subject_id = schedule.subject_id,
        .tenant_id = schedule.tenant_id,
        .project_id = schedule.project_id,
        .priority = schedule.priority,
        .trigger = "schedule",
        .parameters = schedule.parameters,
        .unique_key = schedule.unique_key,
        .most_attempts = schedule.most_attempts,
        .actor = {schedule.actor.user_id, at},
    };
}

Result<Schedule> put_row(SqlSession& session, const Schedule& schedule)
{
    TRY(auto rows,
        session.run(
            put_schedule,
            {schedule.kind,
             schedule.subject_id,
             schedule.tenant_id,
             schedule.project_id,
             schedule.type,
             schedule.cron,
             schedule.parameters,
             std::int64_t{schedule.priority},
             std::int64_t{schedule.most_attempts},
             schedule.unique_key,
             schedule.runs_missed ? runs_once : skips,
             schedule.next_at,
             schedule.actor.user_id,
             schedule.actor.at}
        ));
    return schedule_of(rows.at(0));
}

Result<ListPage<Schedule>> list_schedules(SqlSession& session, const ListQuery& query)
{
    ListStatement statement{columns, "schedules", fields};
    CHECK(statement.apply(query));
    statement.order_by("id");
    return statement.list(session, schedule_of);
}

// The kind when a job was added, empty when this time is skipped; nullopt: another instance was faster.
Result<std::optional<std::string>> fire_row(SqlSession& session, const ScheduleCatalog::Firing& firing)
{
    TRY(auto rows, session.run(move_schedule, {firing.id, firing.was_due, firing.next_at}));
    if (rows.empty()) return std::nullopt;
    if (firing.skips) return std::string{};
    auto schedule = schedule_of(rows.front());
    TRY(const auto ids, add_jobs(session, {job_of(schedule, firing.at)}));
    CHECK(session.run(note_job, {firing.id, firing.at, ids.front()}));
    return std::move(schedule.kind);
}

}  // namespace

Task<Schedule> SqlSchedules::put(Schedule schedule)
{
    const auto work = [schedule = std::move(schedule)](SqlSession& session) { return put_row(session, schedule); };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<Schedule> SqlSchedules::find(std::string kind, std::int64_t subject_id)
{
    const auto work = [kind = std::move(kind), subject_id](SqlSession& session) -> Result<Schedule> {
        TRY(auto rows, session.run(find_schedule, {kind, subject_id}));
        if (rows.empty()) return fail(Errc::not_found, "there is no schedule");
        return schedule_of(rows.front());
    };
    co_return co_await engine_.read(work);
}

Task<ListPage<Schedule>> SqlSchedules::list(ListQuery query)
{
    const auto work = [query = std::move(query)](SqlSession& session) { return list_schedules(session, query); };
    co_return co_await engine_.read(work);
}

Task<> SqlSchedules::remove(std::string kind, std::int64_t subject_id)
{
    const auto work = [kind = std::move(kind), subject_id](SqlSession& session) -> Result<> {
        TRY(const auto removed, session.run(delete_schedule, {kind, subject_id}));
        if (removed.empty()) return fail(Errc::not_found, "there is no schedule");
        return {};
    };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<std::vector<Schedule>> SqlSchedules::due(Micros now, std::int64_t limit)
{
    const auto work = [now, limit](SqlSession& session) -> Result<std::vector<Schedule>> {
        TRY(auto rows, session.run(select_due, {now, limit}));
        std::vector<Schedule> schedules;
        for (auto& row : rows) schedules.push_back(schedule_of(row));
        return schedules;
    };
    co_return co_await engine_.read(work);
}

Task<bool> SqlSchedules::fire(Firing firing)
{
    const auto work = [firing](SqlSession& session) { return fire_row(session, firing); };
    CO_TRY(const auto fired, co_await engine_.write(Durability::durable, work));
    if (fired && !fired->empty()) bell_.ring(*fired);
    co_return fired.has_value();
}

}  // namespace entrepot
