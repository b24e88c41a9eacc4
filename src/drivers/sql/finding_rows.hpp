#pragma once

#include "drivers/sql/sql_session.hpp"
#include "oci/digest.hpp"
#include "ports/actor.hpp"
#include "ports/scrub_catalog.hpp"

#include <cstdint>
#include <string_view>

namespace entrepot {

// The rows of what scrubs found, for all that open or close them. To be called inside a transaction.

// Opens the finding, or says that it is still there; one that was opened as rotten stays so, since its bytes are
// missing from then on. True when it was not open before.
Result<bool> open_finding(SqlSession& session, const NewFinding& finding, Micros now);
// Nothing where it isn't open.
Result<> close_finding(SqlSession& session, std::string_view subject, FindingState state, Micros now);

// The blob was lost and isn't any more: its row has been changed.
Result<> record_healed(SqlSession& session, const Digest& digest, std::int64_t size, std::string_view by, const Actor&);

}  // namespace entrepot
