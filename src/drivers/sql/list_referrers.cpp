#include "drivers/sql/annotations_text.hpp"
#include "drivers/sql/fallback_index.hpp"
#include "drivers/sql/manifest_rows.hpp"

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

using ByDigest = std::map<std::string, Referrer>;

Result<ByDigest> referrers_in_rows(SqlRows rows)
{
    ByDigest found;
    for (SqlRow& row : rows) {
        TRY(auto digest, Digest::parse(row.text(0)));
        const auto size = static_cast<std::uint64_t>(row.integer(2));
        Referrer referrer{
            std::move(digest), row.take_text(1), size, row.take_text(3), annotations_from_text(row.text(4))
        };
        found.emplace(referrer.digest.text(), std::move(referrer));
    }
    return found;
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
    const std::int64_t limit = page.limit + 1;
    const bool any_type = artifact_type.empty();
    TRY(auto rows,
        any_type ? session.run(select_referrers, {repository.text(), subject.text(), page.last, limit})
                 : session.run(
                       select_referrers_of_type, {repository.text(), subject.text(), page.last, limit, artifact_type}
                   ));
    TRY(auto found, referrers_in_rows(std::move(rows)));
    TRY(const auto index,
        session.run(select_fallback_index, {repository.text(), fallback_tag(subject), media::oci_index}));
    if (!index.empty()) {
        for (Referrer& listed : read_fallback_index(index.front().text(0))) {
            if (listed.digest.text() <= page.last || (!any_type && listed.artifact_type != artifact_type)) continue;
            found.emplace(listed.digest.text(), std::move(listed));
        }
    }
    answer.more = static_cast<std::int64_t>(found.size()) > page.limit;
    for (auto& [digest, referrer] : found) {
        if (static_cast<std::int64_t>(answer.referrers.size()) == page.limit) break;
        answer.referrers.push_back(std::move(referrer));
    }
    return answer;
}

}  // namespace entrepot
