#include "api/management/repository_of_call.hpp"

#include "api/management/api_values.hpp"
#include "api/management/project_of.hpp"

namespace entrepot {

Result<std::shared_ptr<const ProjectAccess>> project_of_call(const ApiCall& call, const AccessPolicy& policy)
{
    const auto& text = call.path.at(0);
    if (auto named = policy.project(text)) return require_project(policy, call.caller, std::move(named));
    return project_of(call, policy, text);
}

Result<RepositoryName> repository_of_call(const ApiCall& call, const AccessPolicy& policy)
{
    TRY(const auto project, project_of_call(call, policy));
    auto name = repository_of(project->name, call.path.at(1));
    // Nothing has such a name.
    if (!name) return fail(Errc::not_found, "there is no such repository");
    return name;
}

Result<Reference> reference_of(std::string_view text)
{
    auto reference = Reference::parse(text);
    // Nothing has such a name.
    if (!reference) return fail(Errc::not_found, "there is no such artifact");
    return reference;
}

std::string name_of(const RepositoryName& repository, const Reference& reference)
{
    return repository.text() + (reference.digest() ? "@" : ":") + reference.text();
}

void note_subject(ApiCall& call, const AccessPolicy& policy, std::string_view type, std::string resource)
{
    if (!call.audit) return;
    call.audit->resource_type = type;
    const auto project = policy.project(std::string_view{resource}.substr(0, resource.find('/')));
    call.audit->resource = std::move(resource);
    if (!project) return;
    call.audit->project_id = project->id;
    call.audit->tenant_id = project->tenant_id;
}

}  // namespace entrepot
