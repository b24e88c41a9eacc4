#pragma once

#include "drivers/sql/sql_session.hpp"

#include <cstdint>
#include <span>

namespace entrepot {

// What decisions about access are made from, as far as changes of it are told apart: a project with its grants, a
// tenant with its own, a principal with its teams, groups, credentials and tokens, the grants on the platform, and all
// custom roles.
enum class AccessObject { project, tenant, principal, platform, roles };

// To be called in every transaction that changes such an object, after the change: raises the version that every
// instance follows, so these transactions commit one after another. `id` is 0 for platform and roles.
Result<> note_access_change(SqlSession& session, AccessObject kind, std::int64_t id);
// Several of one kind under one version; none of them changes nothing.
Result<> note_access_changes(SqlSession& session, AccessObject kind, std::span<const std::int64_t> ids);

// How many versions back an instance can follow change by change; beyond them it reads everything.
inline constexpr std::int64_t kept_access_changes = 10'000;

}  // namespace entrepot
