#include "exchange/replication/pending_review.hpp"

#include "exchange/copy/at_once.hpp"
#include "exchange/replication/namespace_mapping.hpp"

#include <cstdint>
#include <string>
#include <utility>

namespace entrepot {
namespace {

constexpr std::int64_t rows_a_page = 500;
constexpr std::size_t looks_at_once = 8;

Result<std::optional<Digest>> named(Result<ManifestHead> head)
{
    if (head) return std::optional{std::move(head->digest)};
    if (is_unknown(head.error().code())) return std::optional<Digest>{};
    return std::unexpected{head.error()};
}

}  // namespace

Task<std::int64_t> PendingReview::operator()()
{
    std::int64_t count = 0;
    std::string repository;
    std::string reference;
    for (bool more = true; more;) {
        CO_TRY(const auto page, co_await catalog_.pending(policy_.id, repository, reference, rows_a_page));
        if (page.pending.empty()) break;
        more = page.more;
        repository = page.pending.back().repository;
        reference = page.pending.back().reference;
        std::vector<ReplicationCatalog::Settled> settled;
        CO_CHECK(co_await at_once(page.pending.size(), looks_at_once, [&](std::size_t index) -> Task<> {
            const auto& row = page.pending[index];
            const auto obsolete = co_await is_obsolete(row);
            if (!obsolete) {
                const auto code = obsolete.error().code();
                if (code == Errc::cancelled || CopyRun::worth_retrying(code)) {
                    co_return std::unexpected{obsolete.error()};
                }
                co_return Result<>{};
            }
            if (!*obsolete) co_return Result<>{};
            settled.push_back({.policy_id = policy_.id, .repository = row.repository, .reference = row.reference});
            settled.back().removal = row.removal;
            co_return Result<>{};
        }));
        count += std::ssize(settled);
        if (!settled.empty()) CO_CHECK(co_await catalog_.settle(std::move(settled)));
    }
    co_return count;
}

Task<bool> PendingReview::is_obsolete(PendingCopy row)
{
    CO_TRY(auto from, RepositoryName::parse(row.repository));
    CO_TRY(auto reference, Reference::parse(row.reference));
    if (!filters_.wants_repository(row.repository)) co_return true;
    if (reference.tag() != nullptr && !filters_.wants_tag(row.reference)) co_return true;
    if (row.removal && !policy_.replicates_deletion) co_return true;
    auto into = mapped_repository(from, policy_.namespace_there, policy_.replaced_levels);
    if (!into) co_return true;
    co_return co_await is_settled_between(std::move(from), *std::move(into), std::move(reference), std::move(row));
}

Task<bool>
PendingReview::is_settled_between(RepositoryName from, RepositoryName into, Reference reference, PendingCopy row)
{
    CO_TRY(const auto here, co_await source_names(from, reference));
    if (here.has_value() == row.removal) co_return true;
    CO_TRY(const auto there, co_await target_names(into, reference));
    if (row.removal) co_return !there || there->text() != row.digest;
    co_return there && (*there == *here || !policy_.overrides);
}

Task<std::optional<Digest>> PendingReview::source_names(RepositoryName from, Reference reference)
{
    co_return named(co_await copies_.patiently([&] { return copies_.source().look(from, reference); }));
}

Task<std::optional<Digest>> PendingReview::target_names(RepositoryName into, Reference reference)
{
    co_return named(co_await copies_.patiently([&] { return copies_.target().look(into, reference); }));
}

}  // namespace entrepot
