#pragma once

#include "drivers/upstream/adapter.hpp"

#include <optional>
#include <string>
#include <string_view>

// Amazon Elastic Container Registry: its log-in, lists and repositories by its API of 2015-09-21.
namespace entrepot::aws_ecr {

// "us-east-1" of "123456789012.dkr.ecr.us-east-1.amazonaws.com"; nullopt where it is none of ECR's names.
std::optional<std::string> region_of(std::string_view host);

Task<RegistryPass> pass(HttpClient& client, RegistryEndpoint endpoint, const Clock& clock);
Task<CopySource::Listing> repositories(AdapterCalls site, PageRequest page);
Task<> prepare(AdapterCalls site, RepositoryName repository);

// The pass in GetAuthorizationToken's answer. unavailable.
Result<RegistryPass> parse_authorization(std::string_view body, const Clock& clock);

}  // namespace entrepot::aws_ecr
