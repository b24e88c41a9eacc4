#include "drivers/sql/tag_guard.hpp"

#include "oci/artifact_view.hpp"

#include <set>

namespace entrepot {

namespace {

constexpr SqlStatement select_rules{
    "SELECT id, repositories, tags FROM immutable_rules WHERE project_id = $1 AND disabled = 0 ORDER BY id"
};
constexpr SqlStatement find_name{"SELECT name FROM repositories WHERE id = $1"};
constexpr SqlStatement select_tags{"SELECT name FROM tags WHERE manifest_id = $1 ORDER BY name"};
constexpr SqlStatement select_some_tags{
    "SELECT name FROM tags WHERE repository_id = $1 AND name > $2 ORDER BY name LIMIT 1000"
};
// The CROSS JOINs keep SQLite from starting with all manifests of the repository.
constexpr SqlStatement select_parents{
    "SELECT c.manifest_id FROM manifests m CROSS JOIN manifest_children c CROSS JOIN manifests p "
    "WHERE m.id = $1 AND c.digest = m.digest AND p.id = c.manifest_id AND p.repository_id = $2"
};

// An index in an index in an index…: more than anybody has.
constexpr std::size_t most_parents = 10'000;

}  // namespace

Result<ImmutableRules> ImmutableRules::read(SqlSession& session, std::int64_t project_id)
{
    TRY(const auto rows, session.run(select_rules, {project_id}));
    ImmutableRules rules;
    for (const SqlRow& row : rows) {
        TRY(auto repositories, Selectors::parse(row.text(1)));
        TRY(auto tags, Selectors::parse(row.text(2)));
        rules.rules_.push_back({row.integer(0), std::move(repositories), std::move(tags)});
    }
    return rules;
}

const ImmutableRules::Rule* ImmutableRules::holding(std::string_view repository, std::string_view tag) const
{
    const auto below_project = repository.substr(repository.find('/') + 1);
    for (const auto& rule : rules_) {
        if (!rule.tags.choose(tag) || !rule.repositories.choose(below_project)) continue;
        const auto parsed = Tag::parse(tag);
        return parsed && accessory_of(*parsed) ? nullptr : &rule;
    }
    return nullptr;
}

Result<> TagGuard::load()
{
    if (rules_) return {};
    TRY(auto rules, ImmutableRules::read(session_, place_.project_id));
    TRY(auto rows, session_.run(find_name, {place_.id}));
    if (!rows.empty()) name_ = rows.front().take_text(0);
    rules_ = std::move(rules);
    return {};
}

Result<> TagGuard::check_tag(std::string_view tag)
{
    if (!place_.guarded) return {};
    CHECK(load());
    const auto* rule = rules_->holding(name_, tag);
    if (rule == nullptr) return {};
    return fail(
        Errc::precondition_failed,
        "the tag " + name_ + ":" + std::string{tag} + " is immutable by rule " + std::to_string(rule->id) +
            " of its project"
    );
}

Result<> TagGuard::check_manifest(std::int64_t id)
{
    if (!place_.guarded) return {};
    std::set<std::int64_t> seen{id};
    std::vector<std::int64_t> left{id};
    while (!left.empty()) {
        const auto next = left.back();
        left.pop_back();
        TRY(const auto tags, session_.run(select_tags, {next}));
        for (const SqlRow& row : tags) CHECK(check_tag(row.text(0)));
        TRY(const auto parents, session_.run(select_parents, {next, place_.id}));
        for (const SqlRow& row : parents) {
            if (seen.size() < most_parents && seen.insert(row.integer(0)).second) left.push_back(row.integer(0));
        }
    }
    return {};
}

Result<> TagGuard::check_repository()
{
    if (!place_.guarded) return {};
    for (std::string last;;) {
        TRY(auto tags, session_.run(select_some_tags, {place_.id, last}));
        if (tags.empty()) return {};
        for (const SqlRow& row : tags) CHECK(check_tag(row.text(0)));
        last = tags.back().take_text(0);
    }
}

}  // namespace entrepot
