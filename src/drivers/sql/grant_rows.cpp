#include "drivers/sql/grant_rows.hpp"

#include "drivers/sql/access_rows.hpp"

#include <set>
#include <string>
#include <utility>

namespace entrepot {
namespace {

constexpr SqlStatement delete_of_subject{
    "DELETE FROM grants WHERE subject_kind = $1 AND subject_id = $2 RETURNING object_kind, object_id"
};

constexpr SqlStatement insert_plain{
    "INSERT INTO grants (subject_kind, subject_id, object_kind, object_id, role_id, permissions, origin, created_by, "
    "created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING"
};

}  // namespace

std::vector<std::int64_t> first_column(const SqlRows& rows)
{
    std::vector<std::int64_t> ids;
    ids.reserve(rows.size());
    for (const auto& row : rows) ids.push_back(row.integer(0));
    return ids;
}

Result<> note_object_change(SqlSession& session, std::string_view object_kind, std::int64_t object_id)
{
    if (object_kind == "platform") return note_access_change(session, AccessObject::platform, 0);
    const bool in_project = object_kind == "project" || object_kind == "repository";
    return note_access_change(session, in_project ? AccessObject::project : AccessObject::tenant, object_id);
}

Result<> note_object_changes(SqlSession& session, const SqlRows& rows)
{
    std::set<std::pair<std::string, std::int64_t>> objects;
    for (const auto& row : rows) objects.emplace(row.text(0), row.integer(1));
    for (const auto& [kind, id] : objects) CHECK(note_object_change(session, kind, id));
    return {};
}

Result<> remove_grants_of_subject(SqlSession& session, std::string_view subject_kind, std::int64_t subject_id)
{
    TRY(const auto rows, session.run(delete_of_subject, {subject_kind, subject_id}));
    return note_object_changes(session, rows);
}

Result<> add_plain_grant(SqlSession& session, const PlainGrantRow& grant, std::int64_t created_by, std::int64_t at)
{
    CHECK(session.run(
        insert_plain,
        {grant.subject_kind,
         grant.subject_id,
         grant.object_kind,
         grant.object_id,
         grant.role_id,
         grant.permissions,
         grant.origin,
         created_by,
         at}
    ));
    return note_object_change(session, grant.object_kind, grant.object_id);
}

}  // namespace entrepot
