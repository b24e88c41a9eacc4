#include "upkeep/retention/tag_lifetimes.hpp"

#include "access/require.hpp"

namespace entrepot {
namespace {

const Permission read_repository = need(ObjectKind::project, "repository", "read");
const Permission delete_tag = need(ObjectKind::project, "tag", "delete");

constexpr std::int64_t removed_at_once = 500;
constexpr Micros until_next_look = Micros{86'400} * 1'000'000;

Result<>
require_in(const AccessPolicy& policy, const Caller& caller, Permission permission, const RepositoryName& repository)
{
    TRY(const auto project, require_project(policy, caller, policy.project(repository.project())));
    return require(
        policy, caller, permission, {.kind = ObjectKind::repository, .id = project->id, .name = repository.text()}
    );
}

}  // namespace

Result<> TagLifetimes::require_on(const Caller& caller, std::int64_t project_id, std::string_view action) const
{
    const auto needed = need(ObjectKind::project, "tag-retention", action);
    return require(policy_, caller, needed, {.kind = ObjectKind::project, .id = project_id, .name = {}});
}

Task<Micros> TagLifetimes::expiry(Caller caller, RepositoryName repository, Tag tag)
{
    CO_CHECK(require_in(policy_, caller, read_repository, repository));
    co_return co_await inventory_.expiry(std::move(repository), std::move(tag));
}

Task<> TagLifetimes::set_expiry(Caller caller, RepositoryName repository, Tag tag, Micros at)
{
    CO_CHECK(require_in(policy_, caller, delete_tag, repository));
    co_return co_await inventory_.set_expiry(std::move(repository), std::move(tag), at);
}

Task<> TagLifetimes::use(Caller caller, std::int64_t project_id, std::string source, std::vector<ImageInUse> images)
{
    CO_CHECK(require_on(caller, project_id, "update"));
    if (images.size() > most_images) co_return fail(Errc::bad_request, "a report names at most 10,000 images");
    // What runs was often pulled by a name that its repository has left.
    for (auto& image : images) {
        const auto now = policy_.renamed(image.repository.text());
        auto name = now ? RepositoryName::parse(*now) : image.repository;
        if (name && name->project() == image.repository.project()) image.repository = *std::move(name);
    }
    co_return co_await inventory_.use(project_id, std::move(source), std::move(images));
}

Task<ListPage<ImageInUse>> TagLifetimes::in_use(Caller caller, std::int64_t project_id, ListQuery query)
{
    CO_CHECK(require_on(caller, project_id, "list"));
    co_return co_await inventory_.in_use(project_id, clock_.now(), std::move(query));
}

Task<> TagLifetimes::remove_expired()
{
    CO_TRY(const auto expired, co_await inventory_.expired(clock_.now(), removed_at_once));
    for (const auto& each : expired) CO_CHECK(co_await remove_one(each));
    co_return Result<>{};
}

Task<> TagLifetimes::remove_one(ExpiredTag expired)
{
    const Actor actor{.user_id = 0, .at = clock_.now(), .via = Via::expiry};
    std::vector<RetentionCandidate> doomed;
    doomed.push_back(expired.tag);
    const auto removed = co_await inventory_.remove(expired.repository, std::move(doomed), actor);
    if (removed && removed->spared == 0) co_return Result<>{};
    if (!removed && removed.error().code() != Errc::precondition_failed) co_return std::unexpected{removed.error()};
    co_return co_await inventory_.postpone_expiry(std::move(expired), clock_.now() + until_next_look);
}

Task<> TagLifetimes::forget_unused()
{
    return inventory_.forget_unused(clock_.now());
}

}  // namespace entrepot
