#include "drivers/sql/artifact_changes.hpp"

#include "drivers/sql/artifact_labels.hpp"
#include "drivers/sql/artifact_list.hpp"
#include "drivers/sql/artifact_rows.hpp"
#include "drivers/sql/event_rows.hpp"
#include "drivers/sql/repository_rows.hpp"
#include "drivers/sql/sql_push_policies.hpp"

#include <set>

namespace entrepot {

namespace {

constexpr SqlStatement load_for_removal{
    "SELECT a.digest, a.parents, a.tag_count, m.size, a.subject_digest FROM artifacts a "
    "JOIN manifests m ON m.id = a.manifest_id WHERE a.manifest_id = $1"
};

constexpr SqlStatement select_accessories{
    "SELECT manifest_id FROM artifacts WHERE repository_id = $1 AND subject_digest = $2 ORDER BY manifest_id"
};

constexpr SqlStatement select_children{
    "SELECT m.id FROM manifest_children c JOIN manifests m ON m.digest = c.digest AND m.repository_id = $2 "
    "WHERE c.manifest_id = $1 ORDER BY m.id"
};

constexpr SqlStatement find_tag{"SELECT manifest_id FROM tags WHERE repository_id = $1 AND name = $2"};

constexpr SqlStatement find_label{"SELECT scope, project_id, name FROM labels WHERE id = $1"};
constexpr SqlStatement insert_label{"INSERT INTO artifact_labels (manifest_id, label_id) VALUES ($1, $2) "
                                    "ON CONFLICT (manifest_id, label_id) DO NOTHING RETURNING label_id"};
constexpr SqlStatement delete_label{
    "DELETE FROM artifact_labels WHERE manifest_id = $1 AND label_id = $2 RETURNING label_id"
};

// The repository, locked, and in it the artifact.
struct Target {
    RepositoryRow place;
    FoundArtifact artifact;
};
Result<Target> lock_artifact(SqlSession& session, const RepositoryName& name, const Reference& reference)
{
    TRY(const auto place, lock_repository(session, name));
    if (!place) return no_such_repository(name);
    TRY(auto artifact, resolve_artifact(session, name, reference));
    return Target{*place, std::move(artifact)};
}

// One artifact after the other: what belonged to it, and the children that nothing else holds, follow.
class Removal {
public:
    Removal(SqlSession& session, const RepositoryRow& place, const RepositoryName& name, const Actor& actor)
        : session_{session}, place_{place}, name_{name}, actor_{actor}, rows_{session, place, actor}
    {
    }

    Result<> run(std::int64_t root, std::vector<std::string> untagged)
    {
        rows_.trash().untagged(root, std::move(untagged));
        left_.push_back(root);
        while (!left_.empty()) {
            const auto id = left_.back();
            left_.pop_back();
            CHECK(remove(id));
        }
        return rows_.finish(-bytes_);
    }

private:
    Result<> remove(std::int64_t id)
    {
        TRY(const auto found, session_.run(load_for_removal, {id}));
        if (found.empty()) return {};
        const auto& row = found.front();
        TRY(const auto accessories, session_.run(select_accessories, {place_.id, row.text(0)}));
        TRY(const auto children, session_.run(select_children, {id, place_.id}));
        bytes_ += row.integer(3);
        const auto event = event_in_project(event_type::artifact_deleted, actor_, place_.project_id);
        CHECK(record_removal(session_, event, name_.text(), id, root_));
        if (root_.empty()) root_ = row.text(0);
        CHECK(rows_.remove(id));
        for (const SqlRow& accessory : accessories) left_.push_back(accessory.integer(0));
        for (const SqlRow& child : children) {
            TRY(const auto now, session_.run(load_for_removal, {child.integer(0)}));
            const bool held = now.empty() || now.front().integer(1) > 0 || now.front().integer(2) > 0;
            if (!held) left_.push_back(child.integer(0));
        }
        return {};
    }

    SqlSession& session_;
    RepositoryRow place_;
    const RepositoryName& name_;
    Actor actor_;
    ArtifactRows rows_;
    std::string root_;  // the digest of the first that went
    std::vector<std::int64_t> left_;
    std::int64_t bytes_ = 0;
};

}  // namespace

Result<>
remove_artifact(SqlSession& session, const RepositoryName& name, const Reference& reference, const Actor& actor)
{
    TRY(const auto target, lock_artifact(session, name, reference));
    TRY(const auto rows, session.run(load_for_removal, {target.artifact.id}));
    if (rows.front().integer(1) > 0 && rows.front().is_null(4)) {
        return fail(Errc::precondition_failed, "the artifact is part of an index that has to be deleted first");
    }
    return remove_artifact_tree(session, target.place, name, target.artifact.id, actor);
}

Result<> remove_artifact_tree(
    SqlSession& session,
    const RepositoryRow& place,
    const RepositoryName& name,
    std::int64_t id,
    const Actor& actor,
    std::vector<std::string> untagged
)
{
    return Removal{session, place, name, actor}.run(id, std::move(untagged));
}

Result<> add_artifact_tag(
    SqlSession& session, const RepositoryName& name, const Reference& reference, const Tag& tag, const Actor& actor
)
{
    TRY(const auto target, lock_artifact(session, name, reference));
    TRY(const auto before, session.run(find_tag, {target.place.id, tag.text()}));
    if (!before.empty()) {
        return fail(Errc::conflict, "the tag " + tag.text() + " exists already in " + name.text());
    }
    CHECK(check_push(session, target.place, name, {&tag, 1}));
    ArtifactRows rows{session, target.place, actor};
    CHECK(rows.tag(target.artifact.id, {&tag, 1}));
    const auto event = event_in_project(event_type::tag_created, actor, target.place.project_id);
    CHECK(record_tag(session, event, name.text(), tag.text(), target.artifact.digest));
    return rows.finish(0);
}

Result<> remove_artifact_tag(
    SqlSession& session, const RepositoryName& name, const Reference& reference, const Tag& tag, const Actor& actor
)
{
    TRY(const auto target, lock_artifact(session, name, reference));
    TRY(const auto before, session.run(find_tag, {target.place.id, tag.text()}));
    if (before.empty() || before.front().integer(0) != target.artifact.id) {
        return fail(Errc::not_found, "the artifact has no tag " + tag.text());
    }
    ArtifactRows rows{session, target.place, actor};
    CHECK(rows.untag(tag.text()));
    const auto event = event_in_project(event_type::tag_deleted, actor, target.place.project_id);
    CHECK(record_tag(session, event, name.text(), tag.text(), target.artifact.digest));
    return rows.finish(0);
}

namespace {

Result<> record_label(
    SqlSession& session,
    std::string_view type,
    const Target& target,
    const RepositoryName& name,
    std::int64_t label_id,
    const Actor& actor
)
{
    TRY(const auto label, session.run(find_label, {label_id}));
    auto event = event_in_project(type, actor, target.place.project_id);
    event.repository = name.text();
    event.digest = target.artifact.digest;
    boost::json::object about{{"id", label_id}};
    if (!label.empty()) about["name"] = label.front().text(2);
    set_details(event, {{"label", std::move(about)}});
    return record_event(session, event);
}

}  // namespace

Result<> add_artifact_label(
    SqlSession& session,
    const RepositoryName& name,
    const Reference& reference,
    std::int64_t label_id,
    const Actor& actor
)
{
    TRY(const auto target, lock_artifact(session, name, reference));
    TRY(const auto label, session.run(find_label, {label_id}));
    const auto usable = [&](const SqlRow& row) {
        return row.text(0) == "g" || row.integer(1) == target.place.project_id;
    };
    if (label.empty() || !usable(label.front())) {
        return fail(Errc::not_found, "there is no label " + std::to_string(label_id));
    }
    TRY(const auto added, session.run(insert_label, {target.artifact.id, label_id}));
    if (added.empty()) return fail(Errc::conflict, "the artifact has this label already");
    CHECK(record_label(session, event_type::artifact_labelled, target, name, label_id, actor));
    return refresh_artifact_labels(session, target.artifact.id);
}

Result<> remove_artifact_label(
    SqlSession& session,
    const RepositoryName& name,
    const Reference& reference,
    std::int64_t label_id,
    const Actor& actor
)
{
    TRY(const auto target, lock_artifact(session, name, reference));
    TRY(const auto removed, session.run(delete_label, {target.artifact.id, label_id}));
    if (removed.empty()) return fail(Errc::not_found, "the artifact has no label " + std::to_string(label_id));
    CHECK(record_label(session, event_type::artifact_unlabelled, target, name, label_id, actor));
    return refresh_artifact_labels(session, target.artifact.id);
}

}  // namespace entrepot
