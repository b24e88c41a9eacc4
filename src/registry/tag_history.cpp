#include "registry/tag_history.hpp"

#include "access/require.hpp"
#include "registry/repositories.hpp"

#include <limits>

namespace entrepot {
namespace {

const Permission read_repository = need(ObjectKind::project, "repository", "read");
const Permission push_repository = need(ObjectKind::project, "repository", "push");
const Permission create_tag = need(ObjectKind::project, "tag", "create");

constexpr std::int64_t forgotten_at_once = 1000;
constexpr int most_batches = 100;

}  // namespace

Task<ListPage<TagChange>> TagHistory::of_tag(Caller caller, RepositoryName repository, Tag tag, ListQuery query)
{
    CO_CHECK(require_in_repository(policy_, caller, read_repository, repository));
    co_return co_await catalog_.of_tag(std::move(repository), std::move(tag), std::move(query));
}

Task<ListPage<TagChange>>
TagHistory::at(Caller caller, RepositoryName repository, std::optional<Micros> time, ListQuery query)
{
    CO_CHECK(require_in_repository(policy_, caller, read_repository, repository));
    co_return co_await catalog_.at(
        std::move(repository), time.value_or(std::numeric_limits<Micros>::max()), std::move(query)
    );
}

Task<Digest> TagHistory::restore(Caller caller, RepositoryName repository, Tag tag, TagHistoryCatalog::Moment moment)
{
    CO_CHECK(require_in_repository(policy_, caller, create_tag, repository));
    CO_CHECK(require_in_repository(policy_, caller, push_repository, repository));
    const Actor actor{.user_id = caller.identity->user_id, .at = clock_.now()};
    co_return co_await catalog_.restore(std::move(repository), std::move(tag), std::move(moment), actor);
}

Task<> TagHistory::forget_old()
{
    for (int i = 0; i < most_batches; ++i) {
        CO_TRY(const auto forgotten, co_await catalog_.forget_before(clock_.now() - keep_.count(), forgotten_at_once));
        if (forgotten < forgotten_at_once) break;
    }
    co_return Result<>{};
}

}  // namespace entrepot
