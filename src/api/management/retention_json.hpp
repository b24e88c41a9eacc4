#pragma once

#include "api/management/api_values.hpp"
#include "ports/job_catalog.hpp"
#include "ports/retention_catalog.hpp"

#include <boost/json/object.hpp>

namespace entrepot {

// Retention in Harbor's shapes (API v2.0: RetentionPolicy, RetentionRule, RetentionExecution, RetentionExecutionTask,
// RetentionMetadata), and our templates beside its own.

boost::json::object policy_json(const RetentionPolicy& policy);
// Its project comes from "scope". bad_request.
Result<RetentionPolicy> policy_of_body(const JsonBody& body);

boost::json::object retention_execution_json(const Job& job);
boost::json::object retention_task_json(const RetentionTask& task, const Job& execution);
boost::json::object retention_metadata_json();

}  // namespace entrepot
