#include "cli/apply/apply_server.hpp"

#include "cli/ctl_lookup.hpp"
#include "cli/ctl_text.hpp"
#include "core/percent.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace entrepot {

namespace json = boost::json;

Result<std::optional<json::object>> ApplyServer::look(const std::string& path)
{
    auto found = api_.get(path);
    if (found && found->is_object()) return std::optional{std::move(found->as_object())};
    if (found) return fail(Errc::internal, fmt::format("{} is no object", path));
    if (found.error().code() == Errc::not_found) return std::optional<json::object>{};
    return std::unexpected{std::move(found).error()};
}

Result<std::vector<json::object>> ApplyServer::list(const std::string& path)
{
    std::vector<json::object> entries;
    auto done = api_.each(path, 0, [&entries](const json::object& entry) -> Result<> {
        entries.push_back(entry);
        return {};
    });
    if (!done && done.error().code() != Errc::not_found) return std::unexpected{std::move(done).error()};
    return entries;
}

Result<std::int64_t> ApplyServer::remember(
    std::string key,
    const std::string& list,
    std::string_view field,
    const std::string& name,
    std::string_view id,
    std::string_view noun
)
{
    const auto known = ids_.find(key);
    if (known != ids_.end()) return known->second;
    TRY(const auto found, find_entry(api_, list, field, name, id, noun));
    ids_.emplace(std::move(key), found);
    return found;
}

Result<std::int64_t> ApplyServer::user_id(const std::string& name)
{
    const auto list = "users/search?username=" + percent_encoded(name);
    return remember("user " + name, list, "username", name, "user_id", "user");
}

Result<std::int64_t> ApplyServer::role_id(const std::string& name)
{
    return remember("role " + name, "roles", "name", name, "id", "role");
}

Result<std::int64_t> ApplyServer::team_id(const std::string& tenant, const std::string& name)
{
    const auto list = fmt::format("tenants/{}/teams?{}", percent_encoded(tenant), exact_query("name", name));
    return remember(fmt::format("team {}/{}", tenant, name), list, "name", name, "id", "team");
}

Result<std::int64_t> ApplyServer::tenant_id(const std::string& name)
{
    TRY(const auto tenant, look("tenants/" + percent_encoded(name)));
    if (!tenant) return fail(Errc::not_found, fmt::format("there is no tenant {}", name));
    return number_at(*tenant, "id");
}

Result<std::int64_t> ApplyServer::project_id(const std::string& name)
{
    TRY(const auto project, look("projects/" + percent_encoded(name)));
    if (!project) return fail(Errc::not_found, fmt::format("there is no project {}", name));
    return number_at(*project, "project_id");
}

Result<std::int64_t> ApplyServer::registry_id(const std::string& name)
{
    return remember("registry " + name, "registries?" + exact_query("name", name), "name", name, "id", "registry");
}

Result<std::string> ApplyServer::team_name(std::int64_t id)
{
    if (!teams_) {
        teams_.emplace();
        TRY(const auto tenants, list("tenants"));
        for (const auto& tenant : tenants) {
            const auto name = text_at(tenant, "name");
            TRY(const auto teams, list(fmt::format("tenants/{}/teams", percent_encoded(name))));
            for (const auto& team : teams) teams_->emplace(number_at(team, "id"), name + "/" + text_at(team, "name"));
        }
    }
    const auto found = teams_->find(id);
    return found == teams_->end() ? std::string{} : found->second;
}

Result<> ApplyServer::send(std::string_view method, const std::string& path, const json::value& body)
{
    CHECK(api_.call(method, path, body));
    return {};
}

void ApplyServer::send_last(std::string_view method, std::string path, json::value body)
{
    late_.push_back({std::string{method}, std::move(path), std::move(body)});
}

Result<> ApplyServer::finish()
{
    for (const auto& late : late_) CHECK(send(late.method, late.path, late.body));
    late_.clear();
    return {};
}

Result<std::vector<json::object>> tenants_in(ApplyServer& server, const ApplyScope& scope)
{
    if (!scope.tenants) return server.list("tenants");
    std::vector<json::object> found;
    for (const auto& name : *scope.tenants) {
        TRY(auto tenant, server.look("tenants/" + percent_encoded(name)));
        if (tenant) found.push_back(*std::move(tenant));
    }
    return found;
}

Result<std::vector<json::object>> projects_in(ApplyServer& server, const ApplyScope& scope)
{
    if (!scope.projects && !scope.tenants) return server.list("projects");
    std::vector<json::object> found;
    std::set<std::string> names;
    if (scope.projects) names = *scope.projects;
    for (const auto& name : names) {
        TRY(auto project, server.look("projects/" + percent_encoded(name)));
        if (project) found.push_back(*std::move(project));
    }
    if (!scope.all_of_tenants || !scope.tenants) return found;
    for (const auto& tenant : *scope.tenants) {
        TRY(auto projects, server.list("projects?tenant=" + percent_encoded(tenant)));
        for (auto& project : projects) {
            if (!names.contains(text_at(project, "name"))) found.push_back(std::move(project));
        }
    }
    return found;
}

json::array sorted_texts(std::vector<std::string> texts)
{
    std::sort(texts.begin(), texts.end());
    texts.erase(std::unique(texts.begin(), texts.end()), texts.end());
    return json::array(texts.begin(), texts.end());
}

std::vector<std::string> added_texts(const json::value* before, const json::value& after)
{
    std::vector<std::string> out;
    for (const auto& each : after.as_array()) {
        const bool old =
            before != nullptr && before->is_array() &&
            std::find(before->as_array().begin(), before->as_array().end(), each) != before->as_array().end();
        if (!old) out.emplace_back(each.as_string());
    }
    return out;
}

std::string text_at(const json::object& object, std::string_view path)
{
    return field_text(object, path);
}

std::int64_t number_at(const json::object& object, std::string_view path, std::int64_t otherwise)
{
    const auto* found = find_field(object, path);
    return found != nullptr && found->is_int64() ? found->as_int64() : otherwise;
}

bool flag_at(const json::object& object, std::string_view path)
{
    const auto* found = find_field(object, path);
    if (found == nullptr) return false;
    return found->is_bool() ? found->as_bool() : found->is_string() && found->as_string() == "true";
}

Result<std::string> secret_at(ApplyServer& server, const ApplyDocument& wanted, std::string_view field)
{
    const auto file = text_at(wanted.spec, std::string{field} + ".file");
    const auto variable = text_at(wanted.spec, std::string{field} + ".variable");
    std::string secret;
    if (!file.empty()) {
        TRY(secret, server.io().read_file(file));
        while (secret.ends_with('\n') || secret.ends_with('\r')) secret.pop_back();
    } else if (!variable.empty()) {
        secret = server.io().variable(variable.c_str()).value_or("");
    }
    return secret;
}

}  // namespace entrepot
