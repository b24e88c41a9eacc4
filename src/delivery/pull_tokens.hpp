#pragma once

#include "core/task.hpp"
#include "oci/names.hpp"

#include <cstdint>
#include <string>

namespace entrepot {

// Makes the tokens that nodes pull with in the name of who had it done.
class PullTokens {
public:
    virtual ~PullTokens() = default;

    // A bearer token to pull from this repository alone, for some minutes. `access_token_id`: the personal access token
    // that it was asked for with, whose end is its end, or 0. denied: the owner is gone, or may not pull; unavailable.
    virtual Task<std::string>
    pull_token(std::int64_t owner_id, std::int64_t access_token_id, RepositoryName repository) = 0;
};

}  // namespace entrepot
