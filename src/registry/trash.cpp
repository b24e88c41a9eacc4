#include "registry/trash.hpp"

#include "access/require.hpp"
#include "registry/repositories.hpp"

namespace entrepot {
namespace {

const Permission read_repository = need(ObjectKind::project, "repository", "read");
const Permission create_artifact = need(ObjectKind::project, "artifact", "create");
const Permission delete_artifact = need(ObjectKind::project, "artifact", "delete");
const Permission create_tag = need(ObjectKind::project, "tag", "create");
const Permission delete_tag = need(ObjectKind::project, "tag", "delete");
const Permission push_repository = need(ObjectKind::project, "repository", "push");

constexpr std::int64_t expired_at_once = 100;
constexpr int most_batches = 100;
// Of a repository that goes back: one transaction, some seconds.
constexpr std::int64_t most_tags = 2000;

ObjectRef in_project(std::int64_t id)
{
    return {.kind = ObjectKind::project, .id = id, .name = {}};
}

}  // namespace

Task<ListPage<TrashEntry>> Trash::list(Caller caller, std::int64_t project_id, ListQuery query)
{
    CO_CHECK(require(policy_, caller, read_repository, in_project(project_id)));
    co_return co_await catalog_.list(project_id, std::move(query));
}

Task<TrashEntry> Trash::find(Caller caller, std::int64_t project_id, std::int64_t id)
{
    CO_CHECK(require(policy_, caller, read_repository, in_project(project_id)));
    co_return co_await catalog_.find(project_id, id);
}

Task<RestoredTrash> Trash::restore(Caller caller, std::int64_t project_id, std::int64_t id, bool force_tags)
{
    CO_TRY(const auto entry, co_await catalog_.find(project_id, id));
    CO_CHECK(require_in_repository(policy_, caller, create_artifact, entry.repository));
    CO_CHECK(require_in_repository(policy_, caller, push_repository, entry.repository));
    const Actor actor{.user_id = caller.identity->user_id, .at = clock_.now(), .via = Via::restore};
    co_return co_await catalog_.restore(project_id, id, force_tags, actor);
}

Task<> Trash::empty(Caller caller, std::int64_t project_id, std::int64_t id)
{
    CO_TRY(const auto entry, co_await catalog_.find(project_id, id));
    CO_CHECK(require_in_repository(policy_, caller, delete_artifact, entry.repository));
    const Actor actor{.user_id = caller.identity->user_id, .at = clock_.now()};
    co_return co_await catalog_.empty(project_id, id, actor);
}

Task<std::int64_t> Trash::empty_all(Caller caller, std::int64_t project_id)
{
    CO_CHECK(require(policy_, caller, delete_artifact, in_project(project_id)));
    const Actor actor{.user_id = caller.identity->user_id, .at = clock_.now()};
    co_return co_await catalog_.empty_all(project_id, actor);
}

Task<TagsAt> Trash::go_back(Caller caller, RepositoryName repository, Return to)
{
    CO_CHECK(require_in_repository(policy_, caller, create_tag, repository));
    CO_CHECK(require_in_repository(policy_, caller, push_repository, repository));
    if (to.exact) CO_CHECK(require_in_repository(policy_, caller, delete_tag, repository));
    if (to.dry_run) co_return co_await catalog_.plan(std::move(repository), to.time, to.exact, most_tags);
    const Actor actor{.user_id = caller.identity->user_id, .at = clock_.now(), .via = Via::restore};
    co_return co_await catalog_.go_back(std::move(repository), to.time, to.exact, most_tags, actor);
}

Task<> Trash::start()
{
    co_return co_await catalog_.keep_for(keep_.count());
}

Task<> Trash::forget_old()
{
    for (int i = 0; i < most_batches; ++i) {
        CO_TRY(const auto removed, co_await garbage_.expire_trash(clock_.now(), expired_at_once));
        if (removed < expired_at_once) break;
    }
    CO_TRY(const auto totals, co_await catalog_.totals());
    entries_ = totals.entries;
    bytes_ = totals.bytes;
    co_return Result<>{};
}

void Trash::add_metrics(MetricsText& text) const
{
    const auto held = totals();
    text.gauge("entrepot_trash_entries", "Deletions that can be undone.", static_cast<std::uint64_t>(held.entries));
    text.gauge("entrepot_trash_bytes", "Bytes of what was deleted.", static_cast<std::uint64_t>(held.bytes));
}

}  // namespace entrepot
