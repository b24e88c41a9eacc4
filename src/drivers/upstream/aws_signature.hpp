#pragma once

#include "client/http_client.hpp"
#include "client/http_url.hpp"
#include "core/clock.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace entrepot {

struct AwsCredentials {
    std::string access_key;
    std::string secret_key;
    std::string region;
    std::string service;  // "ecr"
};

// The fields X-Amz-Date and Authorization that sign a request by AWS Signature Version 4 (docs.aws.amazon.com, "Create
// a signed AWS API request"). Host and all of `fields` are signed. For paths without characters that are to be encoded.
std::vector<HttpField> aws_signature(
    const AwsCredentials& credentials,
    std::string_view method,
    const HttpUrl& url,
    const std::vector<HttpField>& fields,
    std::string_view body,
    Micros now
);

}  // namespace entrepot
