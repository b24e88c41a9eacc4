#include "cli/apply/apply.hpp"

#include "core/percent.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace entrepot {
namespace {

namespace json = boost::json;

const ApplyKind& kind_named(std::string_view name)
{
    const auto& kinds = apply_kinds();
    return **std::find_if(kinds.begin(), kinds.end(), [name](const auto* kind) { return kind->shape().kind == name; });
}

// "project:web" → "web" where the text is of this kind.
std::string name_after(std::string_view text, std::string_view kind)
{
    const bool fits = text.size() > kind.size() && text.starts_with(kind) && text[kind.size()] == ':';
    return fits ? std::string{text.substr(kind.size() + 1)} : std::string{};
}

void add_name(std::optional<std::set<std::string>>& names, const std::string& name)
{
    if (!name.empty()) names->insert(name);
}

void add_grant(ApplyScope& scope, const ApplyDocument& document)
{
    const auto object = text_at(document.metadata, "object");
    add_name(scope.projects, name_after(object, "project"));
    add_name(scope.projects, name_after(object, "repository"));
    for (const auto* kind :
         {"tenant", "partition", "template", "load-balancer", "configuration", "pipeline", "external"}) {
        add_name(scope.tenants, name_after(object, kind));
    }
    scope.platform = scope.platform || object == "platform";
}

// What goes when no file has it. People and tenants never do, for what a file leaves out is no word about them; quotas
// have no removal; and nobody takes their own rights away, or those of the built-in admin.
bool is_removable(const ApplyDocument& document, const std::string& caller)
{
    if (document.kind == "User" || document.kind == "Tenant" || document.kind == "Quota") return false;
    if (document.kind == "Grant") {
        const auto subject = text_at(document.metadata, "subject");
        return subject != "user:admin" && subject != "user:" + caller;
    }
    return document.kind != "Member" || text_at(document.metadata, "user") != caller;
}

bool is_in_scope(const ApplyDocument& document, const ApplyScope& scope)
{
    const auto within = [](const std::optional<std::set<std::string>>& names, const std::string& name) {
        return !names || names->contains(name);
    };
    const auto tenant = text_at(document.metadata, "tenant");
    if (!tenant.empty()) return within(scope.tenants, tenant);
    if (document.kind == "Project") return within(scope.tenants, text_at(document.spec, "tenant"));
    return true;
}

}  // namespace

ApplyScope scope_of(std::span<const ApplyDocument> wanted, bool prune)
{
    ApplyScope scope;
    scope.users.emplace();
    scope.roles.emplace();
    scope.tenants.emplace();
    scope.projects.emplace();
    scope.platform = false;
    for (const auto& document : wanted) {
        const auto name = text_at(document.metadata, "name");
        add_name(scope.tenants, text_at(document.metadata, "tenant"));
        add_name(scope.projects, text_at(document.metadata, "project"));
        if (document.kind == "User") add_name(scope.users, name);
        if (document.kind == "Role") add_name(scope.roles, name);
        if (document.kind == "Tenant") add_name(scope.tenants, name);
        if (document.kind == "Project") {
            add_name(scope.projects, name);
            add_name(scope.tenants, text_at(document.spec, "tenant"));
        }
        if (document.kind == "Grant") add_grant(scope, document);
        const bool homeless = !document.metadata.contains("tenant") && !document.metadata.contains("project");
        const bool may_be_the_platforms = document.kind == "Label" || document.kind == "Robot" ||
                                          document.kind == "Registry" || document.kind == "Replication";
        if (may_be_the_platforms && homeless) scope.platform = true;
    }
    scope.all_of_tenants = prune;
    return scope;
}

Result<ApplyPlan> plan_apply(ApplyServer& server, std::vector<ApplyDocument> wanted, bool prune)
{
    CHECK(check_unique(wanted));
    const auto scope = scope_of(wanted, prune);
    std::vector<ApplyDocument> present;
    std::vector<ApplyDocument> removable;
    std::string caller;
    if (prune) {
        TRY(const auto self, server.look("users/current"));
        if (self) caller = text_at(*self, "username");
    }
    for (const auto* kind : apply_kinds()) {
        const auto name = kind->shape().kind;
        const bool named =
            std::any_of(wanted.begin(), wanted.end(), [name](const auto& each) { return each.kind == name; });
        if (!named) continue;
        auto reach = scope;
        // Roles belong to no tenant: they are pruned as a whole.
        if (prune && name == "Role") reach.roles.reset();
        TRY(auto found, kind->present(server, reach));
        for (auto& document : found) {
            if (prune && is_in_scope(document, scope) && is_removable(document, caller)) removable.push_back(document);
            present.push_back(std::move(document));
        }
    }
    return make_plan(apply_shapes(), std::move(wanted), present, removable);
}

Result<> carry_out(ApplyServer& server, const ApplyPlan& plan, const std::function<void(const ApplyStep&)>& done)
{
    for (const auto& step : plan.steps) {
        const auto& kind = kind_named(step.wanted.kind);
        Result<> result;
        if (step.what == ApplyStep::What::create) result = kind.create(server, step.wanted);
        if (step.what == ApplyStep::What::remove) result = kind.remove(server, step.present);
        if (step.what == ApplyStep::What::change) {
            json::object spec;
            for (const auto& each : step.differences) {
                const auto name = each.name.substr(0, each.name.find('.'));
                spec[name] = step.wanted.spec.at(name);
            }
            result = kind.change(server, step.present, step.wanted, spec);
        }
        if (!result) {
            auto message = fmt::format("{} {}: {}", step.wanted.kind, step.wanted.key(), result.error().message());
            return fail(result.error().code(), std::move(message));
        }
        done(step);
    }
    return server.finish();
}

Result<std::vector<ApplyDocument>> export_documents(ApplyServer& server, const std::string& tenant)
{
    ApplyScope scope;
    if (!tenant.empty()) {
        TRY(const auto found, server.look("tenants/" + percent_encoded(tenant)));
        if (!found) return fail(Errc::not_found, fmt::format("there is no tenant {}", tenant));
        scope.tenants.emplace().insert(tenant);
        scope.projects.emplace();
        scope.platform = false;
        scope.all_of_tenants = true;
    }
    std::vector<ApplyDocument> all;
    for (const auto* kind : apply_kinds()) {
        const bool of_platform = kind->shape().kind == "Role" || kind->shape().kind == "User";
        if (of_platform && !tenant.empty()) continue;
        TRY(auto documents, kind->present(server, scope));
        std::move(documents.begin(), documents.end(), std::back_inserter(all));
    }
    return all;
}

Result<std::string> export_file(ApplyServer& server, const ApplyDocument& document)
{
    auto tenant = text_at(document.metadata, "tenant");
    auto project = text_at(document.metadata, "project");
    if (document.kind == "Tenant") tenant = text_at(document.metadata, "name");
    if (document.kind == "Project") tenant = text_at(document.spec, "tenant");
    if (document.kind == "Grant") {
        auto scope = scope_of(std::span{&document, 1}, false);
        if (!scope.tenants->empty()) tenant = *scope.tenants->begin();
        if (!scope.projects->empty()) project = *scope.projects->begin();
    }
    if (tenant.empty() && !project.empty()) {
        TRY(const auto found, server.look("projects/" + percent_encoded(project)));
        if (found) tenant = text_at(*found, "tenant_name");
    }
    return tenant.empty() ? std::string{"platform.yaml"} : "tenant-" + tenant + ".yaml";
}

std::string apply_reference()
{
    static constexpr std::string_view types[] = {
        "text", "true or false", "number", "size", "list of texts", "texts by name", "texts in this order"
    };
    std::string text;
    for (const auto& shape : apply_shapes()) {
        text += fmt::format(
            "### {}\n\n{}{}.\n\n| field | | |\n|---|---|---|\n",
            shape.kind,
            static_cast<char>(shape.text.front() - 'a' + 'A'),
            shape.text.substr(1)
        );
        for (const auto& [part, fields] : {std::pair{"metadata", &shape.metadata}, std::pair{"spec", &shape.spec}}) {
            for (const auto& field : *fields) {
                text += fmt::format(
                    "| `{}.{}` | {}{} | {} |\n",
                    part,
                    field.name,
                    types[static_cast<std::size_t>(field.type)],
                    field.required ? ", required" : "",
                    field.text
                );
            }
        }
        text += "\n";
    }
    text.pop_back();
    return text;
}

}  // namespace entrepot
