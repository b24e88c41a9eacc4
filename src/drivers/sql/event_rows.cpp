#include "drivers/sql/event_rows.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

namespace entrepot {
namespace {

constexpr SqlStatement insert_event{
    "INSERT INTO events (type, tenant_id, project_id, project, repository, digest, tag, media_type, size, user_id, "
    "user_name, occurred_at, count, details) VALUES ($1, "
    "COALESCE(NULLIF($2, 0), (SELECT tenant_id FROM projects WHERE id = $3), 0), $3, "
    "COALESCE(NULLIF($4, ''), (SELECT name FROM projects WHERE id = $3), ''), $5, $6, $7, $8, $9, $10, "
    "COALESCE(NULLIF($11, ''), (SELECT name FROM users WHERE id = $10), ''), $12, $13, $14)"
};

constexpr SqlStatement find_artifact{
    "SELECT digest, media_type, artifact_type, size FROM artifacts WHERE manifest_id = $1"
};
constexpr SqlStatement select_tags{"SELECT name FROM tags WHERE manifest_id = $1 ORDER BY name LIMIT 100"};

constexpr SqlStatement move_cursor{
    "UPDATE event_consumers SET sequence = $3 WHERE name = $1 AND sequence = $2 RETURNING sequence"
};

}  // namespace

Event event_by(std::string_view type, const Actor& actor)
{
    Event event;
    event.type = type;
    event.user_id = actor.user_id;
    event.at = actor.at;
    return event;
}

Event event_in_project(std::string_view type, const Actor& actor, std::int64_t project_id)
{
    auto event = event_by(type, actor);
    event.project_id = project_id;
    return event;
}

Event event_about(std::string_view type, const Actor& actor, std::int64_t id, std::string_view name)
{
    auto event = event_by(type, actor);
    set_details(event, {{"id", id}, {"name", name}});
    return event;
}

void set_details(Event& event, const boost::json::object& details)
{
    event.details = boost::json::serialize(details);
}

Result<> record_event(SqlSession& session, const Event& event)
{
    const auto project = event.project.empty() && !event.repository.empty()
                             ? std::string_view{event.repository}.substr(0, event.repository.find('/'))
                             : std::string_view{event.project};
    CHECK(session.run(
        insert_event,
        {event.type,
         event.tenant_id,
         event.project_id,
         project,
         event.repository,
         event.digest,
         event.tag,
         event.media_type,
         event.size,
         event.user_id,
         event.user,
         event.at,
         event.count,
         event.details}
    ));
    session.note_event();
    return {};
}

Result<> record_in_tenant(
    SqlSession& session,
    std::string_view type,
    std::int64_t tenant_id,
    std::int64_t id,
    std::string_view name,
    const Actor& actor
)
{
    auto event = event_about(type, actor, id, name);
    event.tenant_id = tenant_id;
    return record_event(session, event);
}

Result<>
record_tag(SqlSession& session, Event event, std::string_view repository, std::string_view tag, std::string_view digest)
{
    event.repository = repository;
    event.tag = tag;
    event.digest = digest;
    return record_event(session, event);
}

Result<> record_removal(
    SqlSession& session, Event event, std::string_view repository, std::int64_t manifest_id, std::string_view with
)
{
    TRY(auto artifacts, session.run(find_artifact, {manifest_id}));
    if (artifacts.empty()) return fail(Errc::corrupt, "a manifest has no row that lists show");
    SqlRow& artifact = artifacts.front();
    TRY(const auto tags, session.run(select_tags, {manifest_id}));
    event.repository = repository;
    event.digest = artifact.take_text(0);
    event.media_type = artifact.take_text(1);
    event.size = artifact.integer(3);
    if (!tags.empty()) event.tag = tags.front().text(0);
    boost::json::array names;
    for (const auto& tag : tags) names.emplace_back(tag.text(0));
    boost::json::object details{{"tags", std::move(names)}};
    if (!artifact.text(2).empty()) details["artifact_type"] = artifact.text(2);
    if (!with.empty()) details["with"] = with;
    set_details(event, details);
    return record_event(session, event);
}

Result<> advance_consumer(SqlSession& session, const std::string& consumer, std::int64_t from, std::int64_t to)
{
    TRY(const auto moved, session.run(move_cursor, {consumer, from, to}));
    if (moved.empty()) return fail(Errc::conflict, "another instance has read on", consumer);
    return {};
}

}  // namespace entrepot
