#pragma once

#include "oci/names.hpp"

#include <optional>
#include <string_view>

namespace entrepot {

// What of the distribution API the agent answers.
struct RegistryPath {
    enum class Kind { base, manifest, blob, tags, referrers };
    Kind kind = Kind::base;
    std::optional<RepositoryName> repository;  // of all but `base`
    std::string_view last;                     // the reference or digest, as received
};

// nullopt: nothing that is answered here. A view into `path`.
std::optional<RegistryPath> match_registry_path(std::string_view path);

}  // namespace entrepot
