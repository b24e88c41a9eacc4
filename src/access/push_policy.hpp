#pragma once

#include "access/selectors.hpp"
#include "oci/semantic_version.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace entrepot {

// What a project lets in, in the repositories that the policy is about: how those must be called, and how tags must.
// At least one of the three demands is there. Names of repositories are those below the project.
struct PushPolicy {
    static constexpr std::int64_t most = 15;
    static constexpr std::size_t longest_name = 128;

    std::int64_t id = 0;
    std::int64_t project_id = 0;
    std::string name;
    bool disabled = false;
    Selectors repositories;
    std::optional<Selectors> names{};        // every repository has to be chosen
    std::optional<Selectors> tags{};         // every tag has to be chosen
    std::optional<VersionRange> versions{};  // every tag has to be a semantic version within
};

// Why the first policy that is not disabled refuses it, in words for who pushes; nullopt: none does. `repository` is a
// whole name. Signatures by tag (cosign's sha256-….sig) are never refused for their tag.
std::optional<std::string> refusal_of_repository(std::span<const PushPolicy> policies, std::string_view repository);
std::optional<std::string>
refusal_of_tag(std::span<const PushPolicy> policies, std::string_view repository, std::string_view tag);

}  // namespace entrepot
