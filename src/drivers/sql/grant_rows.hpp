#pragma once

#include "drivers/sql/sql_session.hpp"

#include <cstdint>
#include <string_view>
#include <vector>

namespace entrepot {

// What several catalogs do to the grants table, inside their transactions: every change is told to the policies.

std::vector<std::int64_t> first_column(const SqlRows& rows);

// The object whose grants changed: a project (also for its repositories), the platform, or else a tenant.
Result<> note_object_change(SqlSession& session, std::string_view object_kind, std::int64_t object_id);

// Of all grants that a statement took away, its columns being object_kind and object_id.
Result<> note_object_changes(SqlSession& session, const SqlRows& rows);

// All that a subject holds, before it goes itself. `subject_kind` is the column's text.
Result<> remove_grants_of_subject(SqlSession& session, std::string_view subject_kind, std::int64_t subject_id);

// A grant without a pattern or an end; none when it is there already. `permissions` where role_id is 0.
struct PlainGrantRow {
    std::string_view subject_kind;
    std::int64_t subject_id = 0;
    std::string_view object_kind;
    std::int64_t object_id = 0;
    std::int64_t role_id = 0;
    std::string_view permissions = {};
    std::string_view origin;
};
Result<> add_plain_grant(SqlSession& session, const PlainGrantRow& grant, std::int64_t created_by, std::int64_t at);

}  // namespace entrepot
