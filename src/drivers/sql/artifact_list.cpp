#include "drivers/sql/artifact_list.hpp"

#include "drivers/sql/artifact_labels.hpp"
#include "drivers/sql/artifact_rows.hpp"
#include "drivers/sql/artifact_text.hpp"
#include "drivers/sql/list_position.hpp"
#include "drivers/sql/list_statement.hpp"
#include "drivers/sql/project_budget.hpp"
#include "drivers/sql/repository_rows.hpp"
#include "drivers/sql/tag_guard.hpp"

#include <algorithm>
#include <map>
#include <optional>

namespace entrepot {

namespace {

// The order of columns that artifact_in() reads. The CROSS JOIN keeps SQLite from starting with the repositories.
#define ARTIFACT_COLUMNS                                                                                            \
    "a.manifest_id, a.repository_id, a.project_id, r.name, a.digest, a.media_type, a.config_media_type, "           \
    "a.artifact_type, a.type, a.icon, a.size, a.pushed_at, a.pulled_at, a.accessory_type, a.extra, a.annotations, " \
    "a.children, a.tags, a.labels, a.accessories"
#define ARTIFACT_TABLES "artifacts a CROSS JOIN repositories r"

// What comes before the page is passed over in an index, which holds nothing but what is asked of it here.
#define ARTIFACT_PAGE(of, from, order)                                                                           \
    "SELECT " ARTIFACT_COLUMNS " FROM " ARTIFACT_TABLES " WHERE r.id = a.repository_id AND a.manifest_id IN "    \
    "(SELECT b.manifest_id FROM artifacts b WHERE b." of " = $1 AND b.listed = 1 AND b.manifest_id " from " $2 " \
    "ORDER BY b.manifest_id" order " LIMIT $3 OFFSET $4) ORDER BY a.manifest_id" order

constexpr SqlStatement newest_of_repository{ARTIFACT_PAGE("repository_id", "<=", " DESC")};
constexpr SqlStatement oldest_of_repository{ARTIFACT_PAGE("repository_id", ">=", "")};
constexpr SqlStatement newest_of_project{ARTIFACT_PAGE("project_id", "<=", " DESC")};
constexpr SqlStatement oldest_of_project{ARTIFACT_PAGE("project_id", ">=", "")};
constexpr SqlStatement select_by_id{"SELECT " ARTIFACT_COLUMNS " FROM " ARTIFACT_TABLES
                                    " WHERE r.id = a.repository_id AND a.manifest_id = $1"};

constexpr SqlStatement count_of_repository{"SELECT id, artifact_count FROM repositories WHERE name = $1"};
constexpr SqlStatement count_of_project{"SELECT " PROJECT_ARTIFACTS " FROM projects p WHERE p.id = $1"};

constexpr SqlStatement resolve_tag{
    "SELECT m.id, r.id, r.project_id, m.digest FROM repositories r JOIN tags t ON t.repository_id = r.id "
    "JOIN manifests m ON m.id = t.manifest_id WHERE r.name = $1 AND t.name = $2"
};
constexpr SqlStatement resolve_digest{"SELECT m.id, r.id, r.project_id, m.digest FROM repositories r "
                                      "JOIN manifests m ON m.repository_id = r.id WHERE r.name = $1 AND m.digest = $2"};

constexpr SqlStatement load_index{"SELECT body FROM manifests WHERE id = $1 AND size <= $2"};
constexpr SqlStatement select_children{
    "SELECT c.digest, m.id FROM manifest_children c JOIN manifests m ON m.digest = c.digest AND m.repository_id = $2 "
    "WHERE c.manifest_id = $1"
};

constexpr SqlStatement select_accessories{
    "SELECT s.manifest_id, s.digest, s.accessory_type, s.icon, s.size, s.pushed_at FROM artifacts s "
    "WHERE s.repository_id = $1 AND s.subject_digest = $2 ORDER BY s.manifest_id LIMIT 100"
};

// In a list an index is only read again when it is short.
constexpr std::int64_t short_index = 64 << 10;
constexpr std::int64_t any_index = std::int64_t{1} << 40U;

constexpr ListColumn artifact_fields[] = {
    {"id", "a.manifest_id", ListColumn::Type::integer},
    {"digest", "a.digest"},
    {"type", "a.type"},
    {"media_type", "a.config_media_type"},
    {"manifest_media_type", "a.media_type"},
    {"artifact_type", "a.artifact_type"},
    {"size", "a.size", ListColumn::Type::integer},
    {"push_time", "a.pushed_at", ListColumn::Type::time},
    {"pull_time", "a.pulled_at", ListColumn::Type::time},
    {"creation_time", "a.pushed_at", ListColumn::Type::time},
    {"repository_id", "a.repository_id", ListColumn::Type::integer},
    {"repository_name", "r.name"},
};

constexpr ListColumn tag_fields[] = {
    {"name", "t.name"},
    {"push_time", "t.pushed_at", ListColumn::Type::time},
};

constexpr ListColumn accessory_fields[] = {
    {"id", "s.manifest_id", ListColumn::Type::integer},
    {"digest", "s.digest"},
    {"type", "s.accessory_type"},
    {"size", "s.size", ListColumn::Type::integer},
    {"creation_time", "s.pushed_at", ListColumn::Type::time},
};

ListedArtifact artifact_in(SqlRow& row)
{
    ListedArtifact artifact;
    artifact.id = row.integer(0);
    artifact.repository_id = row.integer(1);
    artifact.project_id = row.integer(2);
    artifact.repository = row.take_text(3);
    artifact.digest = row.take_text(4);
    artifact.media_type = row.take_text(5);
    artifact.config_media_type = row.take_text(6);
    artifact.artifact_type = row.take_text(7);
    artifact.type = row.take_text(8);
    artifact.icon = row.take_text(9);
    artifact.size = row.integer(10);
    artifact.pushed_at = row.integer(11);
    artifact.pulled_at = row.integer(12);
    artifact.accessory_type = row.take_text(13);
    artifact.extra_json = row.take_text(14);
    artifact.annotations_json = row.take_text(15);
    artifact.references_json = row.take_text(16);
    return artifact;
}

// The entries of an index whose row does not keep them.
Result<std::string> read_children(SqlSession& session, const ListedArtifact& index, std::int64_t largest)
{
    TRY(const auto body, session.run(load_index, {index.id, largest}));
    if (body.empty()) return std::string{"[]"};
    TRY(const auto rows, session.run(select_children, {index.id, index.repository_id}));
    std::map<std::string, std::int64_t, std::less<>> ids;
    for (const SqlRow& row : rows) ids.emplace(row.text(0), row.integer(1));
    const auto children = children_of(body.front().text(0));
    std::vector<std::int64_t> in_order;
    for (const auto& child : children) {
        const auto known = ids.find(child.digest.text());
        in_order.push_back(known == ids.end() ? 0 : known->second);
    }
    return children_text(index.id, children, in_order);
}

AccessoryRecord accessory_in(SqlRow& row, const std::string& repository, std::string digest, std::int64_t subject_id)
{
    return AccessoryRecord{
        .id = row.integer(0),
        .subject_id = subject_id,
        .subject_digest = std::move(digest),
        .repository = repository,
        .digest = row.take_text(1),
        .type = row.take_text(2),
        .icon = row.take_text(3),
        .size = row.integer(4),
        .created_at = row.integer(5),
    };
}

Result<std::vector<AccessoryRecord>> read_accessories(SqlSession& session, const ListedArtifact& subject)
{
    TRY(auto rows, session.run(select_accessories, {subject.repository_id, subject.digest}));
    std::vector<AccessoryRecord> accessories;
    for (SqlRow& row : rows) accessories.push_back(accessory_in(row, subject.repository, subject.digest, subject.id));
    return accessories;
}

// All but the labels of a row that keeps none.
Result<ListedArtifact>
complete(SqlSession& session, SqlRow& row, const ArtifactParts& parts, std::int64_t largest_index)
{
    auto artifact = artifact_in(row);
    if (artifact.references_json.empty()) {
        TRY(artifact.references_json, read_children(session, artifact, largest_index));
    }
    if (parts.tags && row.is_null(17)) {
        TRY(artifact.tags_json, read_tags(session, artifact.repository_id, artifact.id));
    } else if (parts.tags) {
        artifact.tags_json = row.take_text(17);
    }
    if (parts.labels && !row.is_null(18)) artifact.labels_json = row.take_text(18);
    if (parts.accessories && row.integer(19) > 0) {
        TRY(artifact.accessories, read_accessories(session, artifact));
    }
    return artifact;
}

// The labels of all rows that keep none, in one query.
Result<> add_labels(SqlSession& session, std::vector<ListedArtifact>& artifacts)
{
    std::vector<std::int64_t> without;
    for (const auto& artifact : artifacts) {
        if (artifact.labels_json.empty()) without.push_back(artifact.id);
    }
    TRY(auto texts, read_artifact_labels(session, without));
    for (auto& artifact : artifacts) {
        if (artifact.labels_json.empty()) artifact.labels_json = std::move(texts[artifact.id]);
    }
    return {};
}

// Of one project.
Result<> add_immutability(SqlSession& session, std::vector<ListedArtifact>& artifacts)
{
    if (artifacts.empty()) return {};
    TRY(const auto rules, ImmutableRules::read(session, artifacts.front().project_id));
    for (auto& artifact : artifacts) {
        artifact.tags_json = with_immutability(artifact.tags_json, [&](std::string_view tag) {
            return rules.holding(artifact.repository, tag) != nullptr;
        });
    }
    return {};
}

Result<std::vector<ListedArtifact>>
complete_all(SqlSession& session, SqlRows rows, const ArtifactParts& parts, std::int64_t largest_index = short_index)
{
    std::vector<ListedArtifact> artifacts;
    artifacts.reserve(rows.size());
    for (SqlRow& row : rows) {
        TRY(auto artifact, complete(session, row, parts, largest_index));
        artifacts.push_back(std::move(artifact));
    }
    if (parts.labels) CHECK(add_labels(session, artifacts));
    if (parts.tags && parts.immutable) CHECK(add_immutability(session, artifacts));
    return artifacts;
}

// Whether the list is walked in the order of ids, and which way; nullopt when the query says otherwise.
std::optional<bool> walks_downwards(const ListQuery& query)
{
    if (!query.conditions.empty() || query.order.size() > 1) return std::nullopt;
    if (query.order.empty()) return true;
    const auto& order = query.order.front();
    if (order.field != "push_time" && order.field != "creation_time" && order.field != "id") return std::nullopt;
    return order.descending;
}

std::string like_anywhere(std::string_view text)
{
    std::string pattern = "%";
    for (const char c : text) {
        if (c == '%' || c == '_' || c == '\\') pattern += '\\';
        pattern += c;
    }
    return pattern + "%";
}

// q=tags=*, tags=nil, tags=v1, tags=~v, tags={v1 v2}
Result<> add_tag_condition(ListStatement& statement, const ListCondition& condition)
{
    using Kind = ListCondition::Kind;
    if (condition.kind == Kind::range) return fail(Errc::bad_request, "tags have no ranges");
    if (condition.kind == Kind::fuzzy) {
        statement.where(
            "EXISTS (SELECT 1 FROM tags t WHERE t.manifest_id = a.manifest_id AND t.name LIKE ? ESCAPE '\\')",
            {like_anywhere(condition.values.at(0))}
        );
        return {};
    }
    if (condition.kind == Kind::equal && condition.values.at(0) == "*") {
        statement.where("a.tag_count > 0");
        return {};
    }
    if (condition.kind == Kind::equal && condition.values.at(0) == "nil") {
        statement.where("a.tag_count = 0");
        return {};
    }
    constexpr std::string_view one = "EXISTS (SELECT 1 FROM tags t WHERE t.manifest_id = a.manifest_id AND t.name = ?)";
    std::string text;
    std::vector<std::variant<std::int64_t, std::string>> values;
    for (const auto& value : condition.values) {
        text += (text.empty() ? "" : condition.kind == Kind::all_of ? " AND " : " OR ") + std::string{one};
        values.emplace_back(value);
    }
    statement.where(text.c_str(), std::move(values));
    return {};
}

// q=labels=(1 2)
Result<> add_label_condition(ListStatement& statement, const ListCondition& condition)
{
    using Kind = ListCondition::Kind;
    if (condition.kind == Kind::range || condition.kind == Kind::fuzzy) {
        return fail(Errc::bad_request, "labels are asked for by their ids");
    }
    constexpr std::string_view one =
        "EXISTS (SELECT 1 FROM artifact_labels x WHERE x.manifest_id = a.manifest_id AND x.label_id = ?)";
    std::string text;
    std::vector<std::variant<std::int64_t, std::string>> values;
    for (const auto& value : condition.values) {
        const bool number = !value.empty() && value.size() < 19 &&
                            std::ranges::all_of(value, [](char c) { return c >= '0' && c <= '9'; });
        if (!number) return fail(Errc::bad_request, "labels are asked for by their ids");
        text += (text.empty() ? "" : condition.kind == Kind::any_of ? " OR " : " AND ") + std::string{one};
        values.emplace_back(std::int64_t{std::stoll(value)});
    }
    statement.where(text.c_str(), std::move(values));
    return {};
}

Result<ListPage<ListedArtifact>>
searched(SqlSession& session, ListStatement& statement, ListQuery query, const ArtifactParts& parts)
{
    std::vector<ListCondition> plain;
    statement.varies();
    for (auto& condition : query.conditions) {
        CHECK(ListStatement::check_values(condition));
        if (condition.field == "tags" || condition.field == "tag") {
            CHECK(add_tag_condition(statement, condition));
        } else if (condition.field == "labels" || condition.field == "label") {
            CHECK(add_label_condition(statement, condition));
        } else {
            plain.push_back(std::move(condition));
        }
    }
    query.conditions = std::move(plain);
    CHECK(statement.apply(query));
    statement.order_by("a.manifest_id DESC");
    ListPage<ListedArtifact> page;
    TRY(page.total, statement.count(session));
    TRY(auto rows, statement.page(session));
    TRY(page.items, complete_all(session, std::move(rows), parts));
    return page;
}

std::unexpected<Error> no_such_artifact(const RepositoryName& repository, const Reference& reference)
{
    return fail(
        Errc::manifest_unknown, "artifact " + reference.text() + " is not known in repository " + repository.text()
    );
}

}  // namespace

Result<FoundArtifact> resolve_artifact(SqlSession& session, const RepositoryName& name, const Reference& reference)
{
    TRY(auto rows, session.run(reference.tag() ? resolve_tag : resolve_digest, {name.text(), reference.text()}));
    if (rows.empty()) {
        TRY(const auto known, find_repository(session, name));
        if (!known) return no_such_repository(name);
        return no_such_artifact(name, reference);
    }
    SqlRow& row = rows.front();
    return FoundArtifact{row.integer(0), row.integer(1), row.integer(2), row.take_text(3)};
}

Result<ListPage<ListedArtifact>>
list_of_repository(SqlSession& session, const RepositoryName& name, const ListQuery& query, const ArtifactParts& parts)
{
    TRY(const auto counted, session.run(count_of_repository, {name.text()}));
    if (counted.empty()) return no_such_repository(name);
    const auto id = counted.front().integer(0);
    const auto downwards = walks_downwards(query);
    if (!downwards) {
        ListStatement statement{ARTIFACT_COLUMNS, ARTIFACT_TABLES, artifact_fields};
        statement.where("r.id = a.repository_id AND a.repository_id = ? AND a.listed = 1", {id});
        return searched(session, statement, query, parts);
    }
    ListPage<ListedArtifact> page;
    page.total = counted.front().integer(1);
    if (query.offset >= page.total) return page;
    TRY(const auto at, find_position(session, "repository", id, query.offset, *downwards));
    const auto& statement = *downwards ? newest_of_repository : oldest_of_repository;
    TRY(auto rows, session.run(statement, {id, at.from, query.limit, at.skip}));
    TRY(page.items, complete_all(session, std::move(rows), parts));
    return page;
}

Result<ListPage<ListedArtifact>> list_of_project(
    SqlSession& session, std::int64_t project_id, const ListQuery& query, const ArtifactParts& parts, bool latest_only
)
{
    const auto downwards = walks_downwards(query);
    if (!downwards || latest_only) {
        ListStatement statement{ARTIFACT_COLUMNS, ARTIFACT_TABLES, artifact_fields};
        statement.where("r.id = a.repository_id AND a.project_id = ? AND a.listed = 1", {project_id});
        if (latest_only) {
            statement.where("NOT EXISTS (SELECT 1 FROM artifacts b WHERE b.repository_id = a.repository_id AND "
                            "b.listed = 1 AND b.manifest_id > a.manifest_id)");
        }
        return searched(session, statement, query, parts);
    }
    TRY(const auto counted, session.run(count_of_project, {project_id}));
    ListPage<ListedArtifact> page;
    page.total = counted.empty() ? 0 : counted.front().integer(0);
    if (query.offset >= page.total) return page;
    TRY(const auto at, find_position(session, "project", project_id, query.offset, *downwards));
    const auto& statement = *downwards ? newest_of_project : oldest_of_project;
    TRY(auto rows, session.run(statement, {project_id, at.from, query.limit, at.skip}));
    TRY(page.items, complete_all(session, std::move(rows), parts));
    return page;
}

Result<ListedArtifact>
find_artifact(SqlSession& session, const RepositoryName& name, const Reference& reference, const ArtifactParts& parts)
{
    TRY(const auto found, resolve_artifact(session, name, reference));
    TRY(auto rows, session.run(select_by_id, {found.id}));
    if (rows.empty()) return no_such_artifact(name, reference);
    TRY(auto completed, complete_all(session, std::move(rows), parts, any_index));
    return std::move(completed.front());
}

Result<ListPage<TagRecord>>
list_artifact_tags(SqlSession& session, const RepositoryName& name, const Reference& reference, const ListQuery& query)
{
    TRY(const auto found, resolve_artifact(session, name, reference));
    ListStatement statement{
        "t.name, t.pushed_at, a.pulled_at", "tags t JOIN artifacts a ON a.manifest_id = t.manifest_id", tag_fields
    };
    statement.where("t.manifest_id = ?", {found.id});
    CHECK(statement.apply(query));
    statement.order_by("t.name");
    ListPage<TagRecord> page;
    TRY(page.total, statement.count(session));
    TRY(auto rows, statement.page(session));
    TRY(const auto rules, ImmutableRules::read(session, found.project_id));
    for (SqlRow& row : rows) {
        TagRecord tag{
            .id = tag_id(found.repository_id, row.text(0)),
            .repository_id = found.repository_id,
            .artifact_id = found.id,
            .name = row.text(0),
            .pushed_at = row.integer(1),
            .pulled_at = row.integer(2),
            .immutable = rules.holding(name.text(), row.text(0)) != nullptr,
        };
        page.items.push_back(std::move(tag));
    }
    return page;
}

Result<ListPage<AccessoryRecord>> list_artifact_accessories(
    SqlSession& session, const RepositoryName& name, const Reference& reference, const ListQuery& query
)
{
    TRY(const auto found, resolve_artifact(session, name, reference));
    ListStatement statement{
        "s.manifest_id, s.digest, s.accessory_type, s.icon, s.size, s.pushed_at", "artifacts s", accessory_fields
    };
    statement.where("s.repository_id = ? AND s.subject_digest = ?", {found.repository_id, found.digest});
    CHECK(statement.apply(query));
    statement.order_by("s.manifest_id");
    return statement.list(session, [&](SqlRow& row) { return accessory_in(row, name.text(), found.digest, found.id); });
}

}  // namespace entrepot
