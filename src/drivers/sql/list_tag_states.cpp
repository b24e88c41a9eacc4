#include "drivers/sql/list_statement.hpp"
#include "drivers/sql/manifest_rows.hpp"

#include <algorithm>
#include <span>

namespace entrepot {
namespace {

using ProjectIds = std::optional<std::vector<std::int64_t>>;

// CROSS JOIN: in the order of the two keys, so that a page costs what it holds.
Result<std::vector<TagState>>
states_of(SqlSession& session, const TagRange& range, std::optional<std::span<const std::int64_t>> projects)
{
    ListStatement list{
        "r.name, t.name, m.digest",
        "repositories r CROSS JOIN tags t CROSS JOIN manifests m",
        {},
    };
    list.where("t.repository_id = r.id AND m.id = t.manifest_id");
    list.where("r.name >= ?", {range.after.repository});
    list.where("r.name > ? OR t.name > ?", {range.after.repository, range.after.tag});
    if (!range.until.repository.empty()) {
        list.where("r.name <= ?", {range.until.repository});
        list.where("r.name < ? OR t.name <= ?", {range.until.repository, range.until.tag});
    }
    if (projects) list.where_one_of("r.project_id", *projects);
    list.order_by("r.name, t.name");
    ListQuery query;
    query.limit = range.limit;
    CHECK(list.apply(query));
    TRY(auto rows, list.page(session));
    std::vector<TagState> states;
    states.reserve(rows.size());
    for (auto& row : rows) {
        TRY(auto digest, Digest::parse(row.text(2)));
        states.push_back({{row.take_text(0), row.take_text(1)}, std::move(digest)});
    }
    return states;
}

}  // namespace

Result<std::vector<TagState>> list_tag_states(SqlSession& session, const ProjectIds& projects, const TagRange& range)
{
    if (range.limit <= 0) return std::vector<TagState>{};
    if (!projects) return states_of(session, range, std::nullopt);
    TRY(auto all, of_each_group(*projects, [&](auto some) { return states_of(session, range, some); }));
    std::ranges::sort(all, {}, &TagState::place);
    if (all.size() > static_cast<std::size_t>(range.limit)) {
        all.erase(all.begin() + static_cast<std::ptrdiff_t>(range.limit), all.end());
    }
    return all;
}

}  // namespace entrepot
