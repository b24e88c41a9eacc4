#pragma once

#include "core/error.hpp"
#include "oci/names.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace entrepot {

// Where a repository goes: `space` (Harbor's dest_namespace) takes the place of its first `replaced` segments, of all
// but the last for ReplicationPolicy::flatten_all; without a space it keeps its name. unprocessable where it has fewer
// segments than are to be replaced and one that stays; name_invalid.
Result<RepositoryName> mapped_repository(const RepositoryName& name, std::string_view space, std::int32_t replaced);

// Where the mapping only exchanges what names begin with, of all names that begin with `prefix`, so that they keep
// their order; nullopt where it does not.
struct PrefixExchange {
    std::string from;
    std::string into;
};
std::optional<PrefixExchange> exchanged_prefix(std::string_view prefix, std::string_view space, std::int32_t replaced);

}  // namespace entrepot
