#include "registry/mount_blob.hpp"

namespace entrepot {
namespace {

// A blob held by more repositories than this is common enough to be found among them.
constexpr std::int64_t holders_looked_at = 200;

}  // namespace

Task<MountOutcome> MountBlob::operator()(
    RepositoryName into, std::optional<RepositoryName> from, Digest digest, Caller caller, Actor actor
)
{
    MountOutcome outcome;
    CO_TRY(const auto sources, co_await candidates(std::move(from), digest));
    for (const auto& source : sources) {
        if ((policy_.allowed(caller, source.text()) & bit(Action::pull)) == 0) continue;
        if (!policy_.may(caller, source.text(), Action::pull)) {
            CO_TRY(const bool held, co_await holds(source, digest));
            if (held && !outcome.source) outcome = {.kind = MountOutcome::Kind::wider_token, .source = source};
            continue;
        }
        CO_CHECK(co_await gate_.open(into, caller, actor));
        const auto mounted = co_await links_.mount(into, source, digest, actor);
        if (mounted) co_return MountOutcome{.kind = MountOutcome::Kind::mounted, .source = source};
        if (mounted.error().code() != Errc::blob_unknown) co_return std::unexpected{mounted.error()};
    }
    co_return outcome;
}

Task<std::vector<RepositoryName>> MountBlob::candidates(std::optional<RepositoryName> from, Digest digest)
{
    if (!from) co_return co_await links_.holders(std::move(digest), holders_looked_at);
    co_return std::vector{*std::move(from)};
}

Task<bool> MountBlob::holds(RepositoryName repository, Digest digest)
{
    const auto size = co_await links_.load(std::move(repository), std::move(digest));
    if (size) co_return true;
    if (size.error().code() == Errc::blob_unknown) co_return false;
    co_return std::unexpected{size.error()};
}

}  // namespace entrepot
