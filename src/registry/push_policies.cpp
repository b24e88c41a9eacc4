#include "registry/push_policies.hpp"

#include "access/require.hpp"

namespace entrepot {
namespace {

constexpr std::int64_t places_at_once = 500;
constexpr std::int64_t tags_at_once = 5000;

Result<> check_policy(const PushPolicy& policy)
{
    if (policy.name.empty() || policy.name.size() > PushPolicy::longest_name) {
        return fail(Errc::bad_request, "a push policy's name has from 1 to 128 bytes");
    }
    if (policy.names || policy.tags || policy.versions) return {};
    return fail(Errc::bad_request, "a push policy demands something of repositories' names, of tags or of versions");
}

void note(PushPolicyCheck& found, const std::string& repository, const std::string& tag, std::string reason)
{
    ++found.refused;
    if (found.refusals.size() >= PushPolicyCheck::most_refusals) return;
    found.refusals.push_back({repository, tag, std::move(reason)});
}

}  // namespace

Result<> PushPolicyBook::require_on(const Caller& caller, std::int64_t project_id, std::string_view action) const
{
    const auto needed = need(ObjectKind::project, "push-policy", action);
    return require(policy_, caller, needed, {.kind = ObjectKind::project, .id = project_id, .name = {}});
}

Task<ListPage<PushPolicy>> PushPolicyBook::list(Caller caller, std::int64_t project_id, ListQuery query)
{
    CO_CHECK(require_on(caller, project_id, "list"));
    co_return co_await catalog_.list(project_id, std::move(query));
}

Task<PushPolicy> PushPolicyBook::find(Caller caller, std::int64_t project_id, std::int64_t id)
{
    CO_CHECK(require_on(caller, project_id, "read"));
    co_return co_await catalog_.find(project_id, id);
}

Task<std::int64_t> PushPolicyBook::create(Caller caller, PushPolicy policy)
{
    CO_CHECK(require_on(caller, policy.project_id, "create"));
    CO_CHECK(check_policy(policy));
    co_return co_await catalog_.create(std::move(policy), actor(caller));
}

Task<PushPolicy> PushPolicyBook::change(Caller caller, PushPolicy policy)
{
    CO_CHECK(require_on(caller, policy.project_id, "update"));
    CO_CHECK(check_policy(policy));
    CO_TRY(auto before, co_await catalog_.find(policy.project_id, policy.id));
    CO_CHECK(co_await catalog_.change(std::move(policy), actor(caller)));
    co_return before;
}

Task<PushPolicy> PushPolicyBook::remove(Caller caller, std::int64_t project_id, std::int64_t id)
{
    CO_CHECK(require_on(caller, project_id, "delete"));
    CO_TRY(auto before, co_await catalog_.find(project_id, id));
    CO_CHECK(co_await catalog_.remove(project_id, id));
    co_return before;
}

Task<std::vector<PushPolicy>> PushPolicyBook::chosen(std::int64_t project_id, std::optional<std::int64_t> id)
{
    if (!id) {
        ListQuery all;
        all.limit = PushPolicy::most;
        CO_TRY(auto page, co_await catalog_.list(project_id, std::move(all)));
        co_return std::move(page.items);
    }
    CO_TRY(auto one, co_await catalog_.find(project_id, *id));
    one.disabled = false;
    std::vector<PushPolicy> policies;
    policies.push_back(std::move(one));
    co_return policies;
}

Task<PushPolicyCheck> PushPolicyBook::check(Caller caller, std::int64_t project_id, std::optional<std::int64_t> id)
{
    CO_CHECK(require_on(caller, project_id, "list"));
    CO_TRY(const auto policies, co_await chosen(project_id, id));
    PushPolicyCheck found;
    for (std::string after;;) {
        CO_TRY(const auto places, co_await inventory_.repositories(project_id, after, places_at_once));
        if (places.empty()) co_return found;
        for (const auto& place : places) {
            ++found.repositories;
            const auto& name = place.name.text();
            if (auto refusal = refusal_of_repository(policies, name)) note(found, name, "", *std::move(refusal));
            CO_CHECK(co_await check_tags(policies, place, found));
        }
        after = places.back().name.text();
    }
}

Task<>
PushPolicyBook::check_tags(const std::vector<PushPolicy>& policies, TagInventory::Place place, PushPolicyCheck& found)
{
    const auto& name = place.name.text();
    for (std::string after;;) {
        CO_TRY(const auto tags, co_await inventory_.tags(place, after, tags_at_once, clock_.now()));
        if (tags.empty()) co_return Result<>{};
        for (const auto& tag : tags) {
            ++found.tags;
            if (auto refusal = refusal_of_tag(policies, name, tag.name)) {
                note(found, name, tag.name, *std::move(refusal));
            }
        }
        after = tags.back().name;
    }
}

}  // namespace entrepot
