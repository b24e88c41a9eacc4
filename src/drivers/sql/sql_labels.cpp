#include "drivers/sql/sql_labels.hpp"

#include "drivers/sql/artifact_labels.hpp"
#include "drivers/sql/event_rows.hpp"
#include "drivers/sql/list_statement.hpp"

namespace entrepot {

namespace {

constexpr const char* columns = "l.id, l.name, l.description, l.color, l.project_id, l.created_at, l.updated_at";
constexpr ListColumn fields[] = {
    {"id", "l.id", ListColumn::Type::integer},
    {"name", "l.name"},
    {"description", "l.description"},
    {"color", "l.color"},
    {"creation_time", "l.created_at", ListColumn::Type::time},
    {"update_time", "l.updated_at", ListColumn::Type::time},
};

constexpr SqlStatement find_label{
    "SELECT id, name, description, color, project_id, created_at, updated_at FROM labels WHERE id = $1"
};
constexpr SqlStatement find_project{"SELECT id FROM projects WHERE id = $1", "FOR KEY SHARE"};
constexpr SqlStatement insert_label{
    "INSERT INTO labels (name, description, color, scope, project_id, created_at, updated_at) "
    "VALUES ($1, $2, $3, $4, $5, $6, $6) ON CONFLICT (scope, project_id, name) DO NOTHING "
    "RETURNING id, name, description, color, project_id, created_at, updated_at"
};
constexpr SqlStatement lock_label{"SELECT scope, project_id, name FROM labels WHERE id = $1", "FOR UPDATE"};
constexpr SqlStatement find_same_name{
    "SELECT id FROM labels WHERE scope = $1 AND project_id = $2 AND name = $3 AND id <> $4"
};
constexpr SqlStatement update_label{
    "UPDATE labels SET name = $2, description = $3, color = $4, updated_at = $5 WHERE id = $1 "
    "RETURNING id, name, description, color, project_id, created_at, updated_at"
};
constexpr SqlStatement delete_label{"DELETE FROM labels WHERE id = $1"};

std::unexpected<Error> no_such_label()
{
    return fail(Errc::not_found, "there is no such label");
}

std::unexpected<Error> name_taken(const Label& label)
{
    return fail(Errc::conflict, "there is a label \"" + label.name + "\" already");
}

Label label_of(SqlRow& row)
{
    return Label{
        .id = row.integer(0),
        .name = row.take_text(1),
        .description = row.take_text(2),
        .color = row.take_text(3),
        .project_id = row.integer(4),
        .created_at = row.integer(5),
        .updated_at = row.integer(6),
    };
}

Result<> record_label(
    SqlSession& session,
    std::string_view type,
    const Actor& actor,
    std::int64_t project_id,
    std::int64_t id,
    std::string_view name
)
{
    auto event = event_about(type, actor, id, name);
    event.project_id = project_id;
    return record_event(session, event);
}

Result<ListPage<Label>> list_labels(SqlSession& session, std::int64_t project_id, const ListQuery& query)
{
    ListStatement statement{columns, "labels l", fields};
    statement.where("l.scope = ? AND l.project_id = ?", {std::string{project_id == 0 ? "g" : "p"}, project_id});
    CHECK(statement.apply(query));
    statement.order_by("l.name");
    return statement.list(session, label_of);
}

Result<Label> create_label(SqlSession& session, const Label& label, const Actor& actor)
{
    if (label.project_id != 0) {
        TRY(const auto project, session.run(find_project, {label.project_id}));
        if (project.empty()) return fail(Errc::not_found, "there is no such project");
    }
    const std::string_view scope = label.project_id == 0 ? "g" : "p";
    TRY(auto rows,
        session.run(insert_label, {label.name, label.description, label.color, scope, label.project_id, actor.at}));
    if (rows.empty()) return name_taken(label);
    auto created = label_of(rows.front());
    CHECK(record_label(session, event_type::label_created, actor, created.project_id, created.id, created.name));
    return created;
}

Result<Label> change_label(SqlSession& session, const Label& label, const Actor& actor)
{
    TRY(const auto locked, session.run(lock_label, {label.id}));
    if (locked.empty()) return no_such_label();
    const auto& scope = locked.front().text(0);
    TRY(const auto same, session.run(find_same_name, {scope, locked.front().integer(1), label.name, label.id}));
    if (!same.empty()) return name_taken(label);
    LabelCarriers carriers{session, label.id};
    CHECK(carriers.hold());
    TRY(auto rows, session.run(update_label, {label.id, label.name, label.description, label.color, actor.at}));
    CHECK(carriers.show());
    auto changed = label_of(rows.front());
    CHECK(record_label(session, event_type::label_updated, actor, changed.project_id, changed.id, changed.name));
    return changed;
}

Result<> remove_label(SqlSession& session, std::int64_t id, const Actor& actor)
{
    TRY(const auto locked, session.run(lock_label, {id}));
    if (locked.empty()) return no_such_label();
    LabelCarriers carriers{session, id};
    CHECK(carriers.hold());
    CHECK(session.run(delete_label, {id}));
    const SqlRow& label = locked.front();
    CHECK(record_label(session, event_type::label_deleted, actor, label.integer(1), id, label.text(2)));
    return carriers.show();
}

}  // namespace

Task<ListPage<Label>> SqlLabels::list(std::int64_t project_id, ListQuery query)
{
    const auto work = [project_id, query = std::move(query)](SqlSession& session) {
        return list_labels(session, project_id, query);
    };
    co_return co_await engine_.read(work);
}

Task<Label> SqlLabels::find(std::int64_t id)
{
    const auto work = [id](SqlSession& session) -> Result<Label> {
        TRY(auto rows, session.run(find_label, {id}));
        if (rows.empty()) return no_such_label();
        return label_of(rows.front());
    };
    co_return co_await engine_.read(work);
}

Task<Label> SqlLabels::create(Label label, Actor actor)
{
    const auto work = [label = std::move(label), actor](SqlSession& session) {
        return create_label(session, label, actor);
    };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<Label> SqlLabels::change(Label label, Actor actor)
{
    const auto work = [label = std::move(label), actor](SqlSession& session) {
        return change_label(session, label, actor);
    };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<> SqlLabels::remove(std::int64_t id, Actor actor)
{
    const auto work = [id, actor](SqlSession& session) { return remove_label(session, id, actor); };
    co_return co_await engine_.write(Durability::durable, work);
}

}  // namespace entrepot
