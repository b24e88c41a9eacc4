#include "drivers/sql/artifact_changes.hpp"
#include "drivers/sql/artifact_list.hpp"
#include "drivers/sql/promotion_rows.hpp"

#include <map>
#include <set>
#include <tuple>

namespace entrepot {

namespace {

// Into, from and digest, with the tags that it gets there.
using Arrivals = std::map<std::tuple<std::string, std::string, std::string>, std::vector<Tag>>;

Result<> promote_one(
    SqlSession& session,
    const RepositoryName& from,
    const RepositoryName& into,
    const std::string& digest,
    const std::vector<Tag>& tags,
    const Actor& actor,
    std::set<std::string>& arrived
)
{
    TRY(const auto source, resolve_artifact(session, from, Reference{Digest::parse(digest).value()}));
    TRY(const auto steps, copy_steps(session, source.repository_id, source.id, digest));
    for (const auto& step : steps) {
        // An image that several indexes have comes once.
        if (!arrived.insert(step.digest.text()).second && !step.root) continue;
        TRY(auto manifest, read_for_copy(session, from, step, into, actor));
        manifest.actor.via = Via::promotion;
        if (step.root) manifest.tags = tags;
        CHECK(write_copy(session, from, manifest));
    }
    return {};
}

}  // namespace

// Repositories in the order of their names: two promotions never wait for each other.
Result<std::vector<std::string>>
promote_items(SqlSession& session, const PromotionPolicy& policy, const Promotion& promotion, const Actor& actor)
{
    TRY(const auto source, project_name(session, policy.project_id));
    Arrivals arrivals;
    for (const auto& item : promotion.items) {
        TRY(auto tag, Tag::parse(item.target_tag));
        const auto into = policy.target_project + "/" + item.target_repository;
        arrivals[{into, source + "/" + item.repository, item.digest}].push_back(std::move(tag));
    }
    std::vector<std::string> names;
    std::set<std::string> arrived;
    for (const auto& [key, tags] : arrivals) {
        TRY(const auto into, RepositoryName::parse(std::get<0>(key)));
        TRY(const auto from, RepositoryName::parse(std::get<1>(key)));
        if (names.empty() || names.back() != into.text()) {
            names.push_back(into.text());
            arrived.clear();
        }
        CHECK(promote_one(session, from, into, std::get<2>(key), tags, actor, arrived));
    }
    return names;
}

}  // namespace entrepot
