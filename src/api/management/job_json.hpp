#pragma once

#include "ports/job_catalog.hpp"
#include "ports/schedule_catalog.hpp"

#include <boost/json/object.hpp>

#include <string_view>

namespace entrepot {

// Jobs and schedules on the wire.

// Everything but the parameters, which may be long.
boost::json::object job_json(const Job& job);
// "Pending", "Running", "Success" …: Harbor's words.
std::string_view harbor_status(JobState state) noexcept;
// An execution in Harbor's history of a system job (GCHistory, ExecHistory).
boost::json::object execution_json(const Job& job);
// A schedule as the same resources show it; `job_type` is Harbor's.
boost::json::object schedule_json(const Schedule& schedule);
// Text that should be JSON, or else as a string.
boost::json::value json_or_text(std::string_view text);

}  // namespace entrepot
