#pragma once

#include "api/management/api_values.hpp"
#include "events/webhooks/webhooks.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

namespace entrepot {

// Webhooks in Harbor's shapes (API v2.0, tag webhook), with fields of ours beside them. No secret is ever shown.
boost::json::object webhook_policy_json(const WebhookPolicy& policy, Micros now);
boost::json::array webhook_triggers_json(const std::vector<Webhooks::Trigger>& triggers);
boost::json::object webhook_job_json(const Job& job);
boost::json::object webhook_execution_json(const Job& job);
boost::json::object webhook_task_json(const Job& job);
// What can be chosen in a policy of a project, or of the installation.
boost::json::object webhook_choices_json(bool of_system);

Result<WebhookPolicyInput> webhook_policy_in(const JsonBody& body);  // bad_request

}  // namespace entrepot
