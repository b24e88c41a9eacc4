#pragma once

#include "api/management/api_values.hpp"
#include "exchange/endpoints.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

namespace entrepot {

// Registry endpoints in Harbor's shapes (API v2.0, tag registry), with fields of ours beside them. No secret is shown,
// and nothing that changes with each look: ETags are made of it.
boost::json::object registry_json(const RegistryEndpoint& endpoint);
// This registry among others, as Harbor shows its own.
boost::json::object local_registry_json();
boost::json::object registry_info_json(const AdapterInfo& adapter);
// RegistryProviderInfo
boost::json::object provider_info_json(const AdapterInfo& adapter);
boost::json::array registry_health_json(const std::vector<EndpointHealth>& history);

// A Registry, RegistryUpdate or RegistryPing. bad_request.
Result<EndpointInput> endpoint_input_of(const JsonBody& body);

}  // namespace entrepot
