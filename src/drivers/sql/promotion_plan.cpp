#include "drivers/sql/artifact_changes.hpp"
#include "drivers/sql/artifact_list.hpp"
#include "drivers/sql/promotion_rows.hpp"
#include "drivers/sql/repository_rows.hpp"
#include "drivers/sql/tag_guard.hpp"
#include "oci/artifact_view.hpp"

#include <map>
#include <set>
#include <tuple>

namespace entrepot {

namespace {

constexpr SqlStatement find_project_name{"SELECT name FROM projects WHERE id = $1"};
constexpr SqlStatement select_tags_of{"SELECT name FROM tags WHERE manifest_id = $1 ORDER BY name"};
constexpr SqlStatement select_tags{
    "SELECT r.name, t.name, m.digest FROM repositories r JOIN tags t ON t.repository_id = r.id "
    "JOIN manifests m ON m.id = t.manifest_id WHERE r.project_id = $1 AND (r.name > $2 OR (r.name = $2 AND t.name > "
    "$3)) "
    "ORDER BY r.name, t.name LIMIT 1000"
};
// It is to stay as it is until the transaction ends.
constexpr SqlStatement find_source{
    "SELECT r.id, m.id, a.pushed_at, a.size FROM repositories r JOIN manifests m ON m.repository_id = r.id "
    "JOIN artifacts a ON a.manifest_id = m.id WHERE r.name = $1 AND m.digest = $2",
};
constexpr SqlStatement select_labels{
    "SELECT l.name FROM artifact_labels x JOIN labels l ON l.id = x.label_id WHERE x.manifest_id = $1"
};
constexpr SqlStatement select_checks{"SELECT name, state FROM artifact_checks WHERE manifest_id = $1"};
constexpr SqlStatement select_accessory_types{
    "SELECT accessory_type, artifact_type FROM artifacts WHERE repository_id = $1 AND subject_digest = $2"
};
constexpr SqlStatement find_tag_there{"SELECT m.digest FROM repositories r JOIN tags t ON t.repository_id = r.id JOIN "
                                      "manifests m ON m.id = t.manifest_id "
                                      "WHERE r.name = $1 AND t.name = $2"};
constexpr SqlStatement find_manifest_there{
    "SELECT 1 FROM repositories r JOIN manifests m ON m.repository_id = r.id WHERE r.name = $1 AND m.digest = $2"
};
constexpr SqlStatement find_manifest_size{"SELECT id, size FROM manifests WHERE repository_id = $1 AND digest = $2"};
constexpr SqlStatement select_new_blobs{
    "SELECT b.id, b.size FROM manifest_blobs u JOIN repository_blobs l ON l.blob_id = u.blob_id AND l.repository_id = "
    "$2 "
    "JOIN blobs b ON b.id = u.blob_id WHERE u.manifest_id = $1 AND NOT EXISTS "
    "(SELECT 1 FROM project_blobs x WHERE x.project_id = $3 AND x.blob_id = b.id AND x.links > 0)"
};

// Beyond them it takes names and not selectors alone.
constexpr int most_pages_of_tags = 100;

std::string with(std::string pattern, std::string_view place, const std::string& value)
{
    if (const auto at = pattern.find(place); at != std::string::npos) pattern.replace(at, place.size(), value);
    return pattern;
}

// Finds what is to go, each tag once, and what it is called there.
class Resolution {
public:
    Resolution(SqlSession& session, const PromotionPolicy& policy, std::string source)
        : session_{session}, policy_{policy}, source_{std::move(source)}
    {
    }

    Result<> wish(const PromotionWish& wish)
    {
        const auto path = path_of(wish.repository.text());
        if (wish.repository.project() != source_ || !policy_.repositories.choose(path)) {
            return fail(Errc::bad_request, "the policy is not about the repository " + wish.repository.text());
        }
        TRY(const auto found, resolve_artifact(session_, wish.repository, wish.reference));
        if (wish.reference.tag()) {
            if (chooses(wish.reference.text())) return add(path, wish.reference.text(), found.digest);
            return fail(Errc::bad_request, "the policy is not about the tag " + wish.reference.text());
        }
        TRY(const auto tags, session_.run(select_tags_of, {found.id}));
        const auto before = items_.size();
        for (const SqlRow& row : tags) {
            if (chooses(row.text(0))) CHECK(add(path, row.text(0), found.digest));
        }
        if (items_.size() > before || seen_.contains({path, found.digest})) return {};
        return fail(Errc::bad_request, "the policy is about none of the tags of " + found.digest);
    }

    // All that the selectors choose.
    Result<> everything()
    {
        std::string repository;
        std::string tag;
        for (int i = 0; i < most_pages_of_tags; ++i) {
            TRY(auto rows, session_.run(select_tags, {policy_.project_id, repository, tag}));
            for (const SqlRow& row : rows) {
                const auto path = path_of(row.text(0));
                if (!policy_.repositories.choose(path) || !chooses(row.text(1))) continue;
                CHECK(add(path, row.text(1), row.text(2)));
            }
            if (rows.empty()) return {};
            repository = rows.back().take_text(0);
            tag = rows.back().take_text(1);
        }
        return fail(Errc::unprocessable, "the project has too many tags: name those that are to be promoted");
    }

    std::vector<PromotionItem> take() && { return std::move(items_); }

private:
    static std::string path_of(const std::string& repository) { return repository.substr(repository.find('/') + 1); }

    // Signatures by tag come along with what they sign.
    bool chooses(const std::string& text) const
    {
        const auto tag = Tag::parse(text);
        return tag && !accessory_of(*tag) && policy_.tags.choose(text);
    }

    Result<> add(const std::string& repository, const std::string& tag, const std::string& digest)
    {
        seen_.insert({repository, digest});
        auto item = promotion_item(policy_, repository, digest, tag);
        const auto name = policy_.target_project + "/" + item.target_repository;
        if (!RepositoryName::parse(name) || !Tag::parse(item.target_tag)) {
            return fail(
                Errc::unprocessable, "the policy makes of it " + name + ":" + item.target_tag + ", which is no name"
            );
        }
        const auto [place, added] = places_.emplace(std::pair{item.target_repository, item.target_tag}, digest);
        if (!added && place->second != digest) {
            return fail(Errc::unprocessable, "two artifacts would be " + name + ":" + item.target_tag);
        }
        if (!added) return {};
        if (items_.size() == PromotionCatalog::most_items) {
            return fail(
                Errc::unprocessable,
                "more than " + std::to_string(PromotionCatalog::most_items) + " tags are promoted in several promotions"
            );
        }
        items_.push_back(std::move(item));
        return {};
    }

    SqlSession& session_;
    const PromotionPolicy& policy_;
    const std::string source_;
    std::vector<PromotionItem> items_;
    std::set<std::pair<std::string, std::string>> seen_;
    std::map<std::pair<std::string, std::string>, std::string> places_;
};

// What comes, what it costs, and whether the gates let it.
class Inspection {
public:
    Inspection(SqlSession& session, const PromotionPolicy& policy, std::string source, Micros now)
        : session_{session}, policy_{policy}, source_{std::move(source)}, now_{now}
    {
    }

    Result<> prepare()
    {
        TRY(rules_, ImmutableRules::read(session_, policy_.project_id));
        return {};
    }

    Result<> inspect(const PromotionItem& item)
    {
        const auto from = source_ + "/" + item.repository;
        const auto into = policy_.target_project + "/" + item.target_repository;
        TRY(const auto found, session_.run(find_source, {from, item.digest}));
        if (found.empty()) return fail(Errc::unprocessable, item.digest + " is no longer in " + from);
        const SqlRow& row = found.front();
        PromotionPlan::Entry entry{.item = item};
        TRY(const auto facts, facts_of(row, from, item));
        for (const auto& gate : policy_.gates) {
            if (auto refusal = refusal_of(gate, facts, now_)) entry.refusals.push_back(*std::move(refusal));
        }
        TRY(const auto steps, copy_steps(session_, row.integer(0), row.integer(1), item.digest));
        TRY(const bool all_there, count(steps, row.integer(0), into));
        TRY(const auto there, session_.run(find_tag_there, {into, item.target_tag}));
        entry.there = all_there && !there.empty() && there.front().text(0) == item.digest;
        plan_.entries.push_back(std::move(entry));
        return {};
    }

    PromotionPlan take() &&
    {
        plan_.manifests = static_cast<std::int64_t>(counted_.size());
        return std::move(plan_);
    }

private:
    Result<PromotionFacts> facts_of(const SqlRow& source, const std::string& from, const PromotionItem& item)
    {
        PromotionFacts facts;
        facts.pushed_at = source.integer(2);
        facts.size = source.integer(3);
        facts.immutable_tag = rules_.holding(from, item.tag) != nullptr;
        TRY(auto labels, session_.run(select_labels, {source.integer(1)}));
        for (SqlRow& row : labels) facts.labels.push_back(row.take_text(0));
        TRY(auto checks, session_.run(select_checks, {source.integer(1)}));
        for (SqlRow& row : checks) {
            const auto state = check_state_named(row.text(1));
            if (state) facts.checks.push_back({.name = row.take_text(0), .state = *state});
        }
        TRY(auto accessories, session_.run(select_accessory_types, {source.integer(0), item.digest}));
        for (SqlRow& row : accessories) {
            facts.accessories.push_back(row.take_text(0));
            facts.accessories.push_back(row.take_text(1));
        }
        return facts;
    }

    // Whether the target has all of them; what it has not is counted, once.
    Result<bool> count(const std::vector<CopyStep>& steps, std::int64_t repository_id, const std::string& into)
    {
        bool all_there = true;
        for (const auto& step : steps) {
            TRY(const auto there, session_.run(find_manifest_there, {into, step.digest.text()}));
            all_there = all_there && !there.empty();
            if (!counted_.insert({into, step.digest.text()}).second) continue;
            if (counted_.size() > PromotionCatalog::most_manifests) {
                return fail(
                    Errc::unprocessable,
                    "more than " + std::to_string(PromotionCatalog::most_manifests) +
                        " manifests are promoted in several promotions"
                );
            }
            TRY(const auto manifest, session_.run(find_manifest_size, {repository_id, step.digest.text()}));
            if (manifest.empty()) continue;
            if (there.empty()) plan_.bytes += manifest.front().integer(1);
            TRY(const auto blobs,
                session_.run(select_new_blobs, {manifest.front().integer(0), repository_id, policy_.target_project_id})
            );
            for (const SqlRow& blob : blobs) {
                if (blobs_.insert(blob.integer(0)).second) plan_.bytes += blob.integer(1);
            }
        }
        return all_there;
    }

    SqlSession& session_;
    const PromotionPolicy& policy_;
    const std::string source_;
    const Micros now_;
    ImmutableRules rules_;
    PromotionPlan plan_;
    std::set<std::pair<std::string, std::string>> counted_;
    std::set<std::int64_t> blobs_;
};

}  // namespace

PromotionItem promotion_item(
    const PromotionPolicy& policy, const std::string& repository, const std::string& digest, const std::string& tag
)
{
    return {
        .repository = repository,
        .digest = digest,
        .tag = tag,
        .target_repository = with(policy.target_repository, "{repository}", repository),
        .target_tag = with(policy.target_tag, "{tag}", tag),
    };
}

Result<std::string> project_name(SqlSession& session, std::int64_t id)
{
    TRY(auto rows, session.run(find_project_name, {id}));
    if (rows.empty()) return fail(Errc::not_found, "there is no such project");
    return rows.front().take_text(0);
}

Result<PromotionPlan>
plan_promotion(SqlSession& session, const PromotionPolicy& policy, const PromotionOrder& order, Micros now)
{
    TRY(auto source, project_name(session, policy.project_id));
    Resolution resolution{session, policy, std::move(source)};
    if (order.wishes.empty()) CHECK(resolution.everything());
    for (const auto& wish : order.wishes) CHECK(resolution.wish(wish));
    return plan_items(session, policy, std::move(resolution).take(), now);
}

Result<PromotionPlan>
plan_items(SqlSession& session, const PromotionPolicy& policy, const std::vector<PromotionItem>& items, Micros now)
{
    TRY(auto source, project_name(session, policy.project_id));
    Inspection inspection{session, policy, std::move(source), now};
    CHECK(inspection.prepare());
    for (const auto& item : items) CHECK(inspection.inspect(item));
    return std::move(inspection).take();
}

}  // namespace entrepot
