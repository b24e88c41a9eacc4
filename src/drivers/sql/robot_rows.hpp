#pragma once

#include "core/clock.hpp"
#include "drivers/sql/sql_session.hpp"

#include <cstdint>
#include <span>

namespace entrepot {

// Ends robots inside a transaction, with their rights, secrets and what was made from them. Their ids stay, since
// pushes and the audit trail name them; their names are free again.
Result<> retire_robots(SqlSession& session, std::span<const std::int64_t> ids, Micros now);

}  // namespace entrepot
