#include "drivers/sql/annotations_text.hpp"
#include "drivers/sql/fallback_index.hpp"
#include "drivers/sql/manifest_rows.hpp"

#include <algorithm>
#include <map>

namespace entrepot {

namespace {

constexpr SqlStatement select_referrers{
    "SELECT m.digest, m.media_type, m.size, m.artifact_type, m.annotations FROM repositories r "
    "JOIN manifests m ON m.repository_id = r.id "
    "WHERE r.name = $1 AND m.subject_digest = $2 AND m.digest > $3 "
    "ORDER BY m.digest LIMIT $4"
};

constexpr SqlStatement select_referrers_of_type{
    "SELECT m.digest, m.media_type, m.size, m.artifact_type, m.annotations FROM repositories r "
    "JOIN manifests m ON m.repository_id = r.id "
    "WHERE r.name = $1 AND m.subject_digest = $2 AND m.digest > $3 AND m.artifact_type = $5 "
    "ORDER BY m.digest LIMIT $4"
};

constexpr SqlStatement select_fallback_index{
    "SELECT m.body FROM repositories r JOIN tags t ON t.repository_id = r.id JOIN manifests m ON m.id = t.manifest_id "
    "WHERE r.name = $1 AND t.name = $2 AND m.media_type = $3"
};

// A page ends where its annotations add up to this much: the size at which the specification foresees paging.
constexpr std::size_t most_page_bytes = 4 << 20;
// Rows are read a few at a time, because each may carry megabytes; more where they turn out to be small.
constexpr std::int64_t first_batch = 16;
constexpr std::int64_t largest_batch = 1024;
constexpr std::size_t small_batch_bytes = 256 << 10;

using ByDigest = std::map<std::string, Referrer>;

// What was asked for, from the digest after `last` on.
struct Wanted {
    const RepositoryName& repository;
    const Digest& subject;
    const std::string& artifact_type;  // empty: any
    std::string last;
    std::int64_t limit = 0;
};

struct Found {
    ByDigest referrers;
    bool cut = false;  // there may be more after the last one
};

Result<SqlRows> read_batch(SqlSession& session, const Wanted& wanted, std::int64_t count)
{
    const auto& [repository, subject, type, last, limit] = wanted;
    if (type.empty()) return session.run(select_referrers, {repository.text(), subject.text(), last, count});
    return session.run(select_referrers_of_type, {repository.text(), subject.text(), last, count, type});
}

Result<Referrer> referrer_in(SqlRow& row)
{
    TRY(auto digest, Digest::parse(row.text(0)));
    const auto size = static_cast<std::uint64_t>(row.integer(2));
    return Referrer{std::move(digest), row.take_text(1), size, row.take_text(3), annotations_from_text(row.text(4))};
}

Result<Found> find_in_rows(SqlSession& session, Wanted wanted)
{
    Found found;
    std::size_t bytes = 0;
    for (std::int64_t batch = first_batch; wanted.limit > 0;) {
        const auto count = std::min(batch, wanted.limit);
        TRY(auto rows, read_batch(session, wanted, count));
        const auto before = bytes;
        for (SqlRow& row : rows) {
            if (bytes >= most_page_bytes) {
                found.cut = true;
                return found;
            }
            bytes += row.text(4).size();
            TRY(auto referrer, referrer_in(row));
            wanted.last = referrer.digest.text();
            found.referrers.emplace(wanted.last, std::move(referrer));
        }
        if (static_cast<std::int64_t>(rows.size()) < count) break;
        wanted.limit -= count;
        if (bytes - before < small_batch_bytes) batch = std::min(batch * 4, largest_batch);
    }
    return found;
}

// Those that a fallback tag's index lists, as far as the page reaches.
Result<> add_from_fallback(SqlSession& session, const Wanted& wanted, Found& found)
{
    TRY(const auto index,
        session.run(select_fallback_index, {wanted.repository.text(), fallback_tag(wanted.subject), media::oci_index}));
    if (index.empty()) return {};
    const auto end = found.cut ? found.referrers.rbegin()->first : std::string{};
    for (Referrer& listed : read_fallback_index(index.front().text(0))) {
        const auto& digest = listed.digest.text();
        const bool of_type = wanted.artifact_type.empty() || listed.artifact_type == wanted.artifact_type;
        if (digest <= wanted.last || !of_type || (found.cut && digest > end)) continue;
        found.referrers.emplace(digest, std::move(listed));
    }
    return {};
}

}  // namespace

Result<ReferrerPage> list_referrers(
    SqlSession& session,
    const RepositoryName& repository,
    const Digest& subject,
    const std::string& artifact_type,
    const PageRequest& page
)
{
    ReferrerPage answer;
    if (page.limit <= 0) return answer;
    const Wanted wanted{repository, subject, artifact_type, page.last, page.limit + 1};
    TRY(auto found, find_in_rows(session, wanted));
    CHECK(add_from_fallback(session, wanted, found));
    answer.more = found.cut || static_cast<std::int64_t>(found.referrers.size()) > page.limit;
    for (auto& [digest, referrer] : found.referrers) {
        if (static_cast<std::int64_t>(answer.referrers.size()) == page.limit) break;
        answer.referrers.push_back(std::move(referrer));
    }
    return answer;
}

}  // namespace entrepot
