#include "registry/mount_blob.hpp"

namespace entrepot {
namespace {

// A blob held by more repositories than this is common enough to be found among them.
constexpr std::int64_t holders_looked_at = 200;

}  // namespace

Task<bool> MountBlob::operator()(
    RepositoryName into, std::optional<RepositoryName> from, Digest digest, Caller caller, Actor actor
)
{
    if (from) {
        if (!policy_.may(caller, from->text(), Action::pull)) co_return false;
    } else {
        CO_TRY(from, co_await readable_holder(digest, caller));
        if (!from) co_return false;
    }
    CO_CHECK(co_await gate_.open(into, *caller.identity, actor));
    const auto mounted = co_await links_.mount(std::move(into), *std::move(from), std::move(digest), actor);
    if (mounted) co_return true;
    if (mounted.error().code() == Errc::blob_unknown) co_return false;
    co_return std::unexpected{mounted.error()};
}

Task<std::optional<RepositoryName>> MountBlob::readable_holder(Digest digest, Caller caller)
{
    CO_TRY(auto holders, co_await links_.holders(std::move(digest), holders_looked_at));
    for (auto& holder : holders) {
        if (policy_.may(caller, holder.text(), Action::pull)) co_return std::optional{std::move(holder)};
    }
    co_return std::optional<RepositoryName>{};
}

}  // namespace entrepot
