#pragma once

#include "api/management/api_values.hpp"
#include "exchange/replications.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <string_view>

namespace entrepot {

// Replication in Harbor's shapes (API v2.0, tag replication), with fields of ours beside them.
// `there` is the policy's registry elsewhere; null where it can't be shown.
boost::json::object replication_policy_json(const ReplicationPolicy& policy, const RegistryEndpoint* there);
Result<ReplicationPolicy> replication_policy_in(const JsonBody& body);  // bad_request

boost::json::object replication_execution_json(const ReplicationExecution& execution);
boost::json::object replication_task_json(const Job& job);
boost::json::object replication_lag_json(const ReplicationLag& lag, Micros now);
boost::json::object pending_copy_json(const PendingCopy& copy);

// Harbor's words as the queue's; empty for what is none.
std::string_view outcome_of_status(std::string_view status) noexcept;
std::vector<std::string> states_of_task_status(std::string_view status);
std::string_view cause_of_trigger(std::string_view trigger) noexcept;

}  // namespace entrepot
