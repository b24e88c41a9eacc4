#include "drivers/sql/list_statement.hpp"
#include "drivers/sql/manifest_rows.hpp"

#include <algorithm>
#include <span>

namespace entrepot {

namespace {

using ProjectIds = std::optional<std::vector<std::int64_t>>;

// The first `limit` names after `last`; of these projects when there are any.
Result<std::vector<std::string>>
first_names(SqlSession& session, const PageRequest& page, std::optional<std::span<const std::int64_t>> projects)
{
    ListStatement list{"r.name", "repositories r", {}};
    list.where("r.name > ?", {page.last});
    list.where("EXISTS (SELECT 1 FROM manifests m WHERE m.repository_id = r.id) OR "
               "EXISTS (SELECT 1 FROM repository_blobs l WHERE l.repository_id = r.id)");
    if (projects) list.where_one_of("r.project_id", *projects);
    list.order_by("r.name");
    ListQuery query;
    query.limit = page.limit + 1;
    CHECK(list.apply(query));
    TRY(auto rows, list.page(session));
    std::vector<std::string> names;
    names.reserve(rows.size());
    for (auto& row : rows) names.push_back(row.take_text(0));
    return names;
}

Result<std::vector<std::string>>
names_in(SqlSession& session, const PageRequest& page, std::span<const std::int64_t> projects)
{
    TRY(auto all, of_each_group(projects, [&](auto some) { return first_names(session, page, some); }));
    std::ranges::sort(all);
    const auto most = static_cast<std::size_t>(page.limit) + 1;
    if (all.size() > most) all.resize(most);
    return all;
}

}  // namespace

Result<NamePage> list_repositories(SqlSession& session, const ProjectIds& projects, const PageRequest& page)
{
    if (page.limit <= 0) return NamePage{};
    NamePage found;
    if (projects) {
        TRY(found.names, names_in(session, page, *projects));
    } else {
        TRY(found.names, first_names(session, page, std::nullopt));
    }
    found.more = static_cast<std::int64_t>(found.names.size()) > page.limit;
    if (found.more) found.names.pop_back();
    return found;
}

}  // namespace entrepot
