#pragma once

#include "drivers/sql/sql_session.hpp"
#include "ports/actor.hpp"
#include "ports/event.hpp"
#include "ports/job_queue.hpp"

#include <boost/json/object.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace entrepot {

// The log's rows. Whoever changes something records it in the same transaction, once: an event for each object that
// came, changed or went. Tags that come, move or go with their artifact are in the artifact's event.

Event event_by(std::string_view type, const Actor& actor);
// Of something in a project (0: of none). Names that are left out are looked up.
Event event_in_project(std::string_view type, const Actor& actor, std::int64_t project_id);
// Of an object that is known by id and name: the first details.
Event event_about(std::string_view type, const Actor& actor, std::int64_t id, std::string_view name);

void set_details(Event& event, const boost::json::object& details);

// Empty names of project and user, and the tenant of a project, are filled in by the ids.
Result<> record_event(SqlSession& session, const Event& event);
// About an object that belongs to a tenant (0: to none) and is in no project.
Result<> record_in_tenant(
    SqlSession& session,
    std::string_view type,
    std::int64_t tenant_id,
    std::int64_t id,
    std::string_view name,
    const Actor& actor
);

// A tag that came or went by itself.
Result<> record_tag(
    SqlSession& session, Event event, std::string_view repository, std::string_view tag, std::string_view digest
);

// The manifest's artifact is about to go, with its tags; `with`: the digest whose removal takes it along.
Result<> record_removal(
    SqlSession& session, Event event, std::string_view repository, std::int64_t manifest_id, std::string_view with = {}
);

// The consumer's cursor from here to there. conflict when it is not here.
Result<> advance_consumer(SqlSession& session, const std::string& consumer, std::int64_t from, std::int64_t to);

}  // namespace entrepot
