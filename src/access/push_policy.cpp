#include "access/push_policy.hpp"

#include "oci/artifact_view.hpp"

namespace entrepot {
namespace {

std::string_view below_project(std::string_view repository) noexcept
{
    return repository.substr(repository.find('/') + 1);
}

// "match v* and not *-rc*"
std::string words_of(const Selectors& selectors)
{
    std::string text;
    for (const auto& selector : selectors.all()) {
        text += text.empty() ? "" : " and ";
        text += (selector.excludes ? "not match " : "match ") + selector.pattern;
    }
    return text;
}

std::string refused(const PushPolicy& policy, const std::string& what, const std::string& demand)
{
    return what + " is refused by the push policy \"" + policy.name + "\": " + demand;
}

bool concerns(const PushPolicy& policy, std::string_view repository) noexcept
{
    return !policy.disabled && policy.repositories.choose(below_project(repository));
}

}  // namespace

std::optional<std::string> refusal_of_repository(std::span<const PushPolicy> policies, std::string_view repository)
{
    for (const auto& policy : policies) {
        if (!policy.names || !concerns(policy, repository) || policy.names->choose(below_project(repository))) continue;
        const auto what = "the repository " + std::string{repository};
        return refused(policy, what, "repositories must " + words_of(*policy.names));
    }
    return std::nullopt;
}

std::optional<std::string>
refusal_of_tag(std::span<const PushPolicy> policies, std::string_view repository, std::string_view tag)
{
    const auto parsed = Tag::parse(tag);
    if (parsed && accessory_of(*parsed)) return std::nullopt;
    for (const auto& policy : policies) {
        if (!concerns(policy, repository)) continue;
        const auto what = "the tag " + std::string{repository} + ":" + std::string{tag};
        if (policy.tags && !policy.tags->choose(tag)) {
            return refused(policy, what, "tags must " + words_of(*policy.tags));
        }
        if (!policy.versions) continue;
        const auto version = SemanticVersion::parse(tag);
        if (!version) return refused(policy, what, "tags must be semantic versions");
        if (!policy.versions->contains(*version)) {
            return refused(policy, what, "tags must be semantic versions " + policy.versions->text());
        }
    }
    return std::nullopt;
}

}  // namespace entrepot
