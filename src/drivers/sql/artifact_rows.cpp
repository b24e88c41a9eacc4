#include "drivers/sql/artifact_rows.hpp"

#include "drivers/sql/artifact_text.hpp"
#include "drivers/sql/project_budget.hpp"
#include "drivers/sql/site_guard.hpp"
#include "drivers/sql/tag_history_rows.hpp"

#include <algorithm>
#include <set>

namespace entrepot {

namespace {

// CROSS JOIN: without statistics SQLite takes all manifests of the repository for fewer than the parents of one digest,
// and a push costs what the repository holds.
constexpr SqlStatement insert_row{
    "INSERT INTO artifacts (manifest_id, repository_id, project_id, digest, media_type, config_media_type, "
    "artifact_type, type, size, subject_digest, accessory_type, parents, listed, pushed_at, pulled_at, pull_count, "
    "icon, extra, annotations, children, accessories, tag_count, tags, labels, dead_kind, dead_since) "
    "SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, CAST($10 AS TEXT), $11, x.parents, "
    "CASE WHEN CAST($10 AS TEXT) IS NULL AND ($16 > 0 OR x.parents = 0) THEN 1 ELSE 0 END, "
    "$12, 0, 0, $13, $14, $15, '[]', x.accessories, $16, CAST($17 AS TEXT), '[]', "
    "CASE WHEN $16 > 0 OR x.parents > 0 OR x.subjects > 0 THEN 0 ELSE 1 END, "
    "CASE WHEN $16 > 0 OR x.parents > 0 OR x.subjects > 0 THEN 0 ELSE $12 END FROM (SELECT "
    "(SELECT COUNT(*) FROM manifests WHERE repository_id = $2 AND digest = CAST($10 AS TEXT)) AS subjects, "
    "(SELECT COUNT(*) FROM manifest_children c CROSS JOIN manifests p "
    "WHERE p.id = c.manifest_id AND c.digest = $4 AND p.repository_id = $2) AS parents, "
    "(SELECT COUNT(*) FROM artifacts s WHERE s.repository_id = $2 AND s.subject_digest = $4) AS accessories) x "
    "RETURNING parents, listed, accessories"
};

constexpr SqlStatement find_row{
    "SELECT a.manifest_id, a.digest, a.parents, a.tag_count, a.listed, a.size, m.size, a.media_type, "
    "a.subject_digest, a.accessory_type, m.subject_digest, a.accessories, a.dead_kind, a.dead_since "
    "FROM manifests m JOIN artifacts a ON a.manifest_id = m.id WHERE m.repository_id = $1 AND m.digest = $2"
};

constexpr SqlStatement load_row{
    "SELECT a.manifest_id, a.digest, a.parents, a.tag_count, a.listed, a.size, m.size, a.media_type, "
    "a.subject_digest, a.accessory_type, m.subject_digest, a.accessories, a.dead_kind, a.dead_since "
    "FROM manifests m JOIN artifacts a ON a.manifest_id = m.id WHERE m.id = $1"
};

constexpr SqlStatement update_row{
    "UPDATE artifacts SET parents = $2, listed = $3, dead_kind = $4, dead_since = $5 WHERE manifest_id = $1"
};

constexpr SqlStatement update_tags{
    "UPDATE artifacts SET tag_count = $2, tags = CAST($3 AS TEXT), listed = $4, subject_digest = CAST($5 AS TEXT), "
    "accessory_type = $6, dead_kind = $7, dead_since = $8 WHERE manifest_id = $1"
};

constexpr SqlStatement update_children{"UPDATE artifacts SET children = $2, size = size + $3 WHERE manifest_id = $1"};

constexpr SqlStatement count_accessory{"UPDATE artifacts SET accessories = accessories + $3 WHERE manifest_id = "
                                       "(SELECT m.id FROM manifests m WHERE m.repository_id = $1 AND m.digest = $2)"};

// A child came or went after its parents: their sizes and what they say of it.
constexpr SqlStatement change_parents{
    "UPDATE artifacts SET size = size + $3, children = REPLACE(children, $4, $5) WHERE manifest_id IN "
    "(SELECT c.manifest_id FROM manifest_children c CROSS JOIN manifests p "
    "WHERE p.id = c.manifest_id AND c.digest = $2 AND p.repository_id = $1)"
};

// The artifact that they belong to has come, or goes.
constexpr SqlStatement keep_accessories{"UPDATE artifacts SET dead_kind = 0, dead_since = 0 "
                                        "WHERE repository_id = $1 AND subject_digest = $2 AND dead_kind > 0"};
constexpr SqlStatement orphan_accessories{
    "UPDATE artifacts SET dead_kind = 2, dead_since = $3 "
    "WHERE repository_id = $1 AND subject_digest = $2 AND tag_count = 0 AND parents = 0"
};

// What no other manifest of the repository uses has been promised to nobody else from now on.
constexpr SqlStatement release_blobs{
    "UPDATE repository_blobs SET unused_since = $3 WHERE repository_id = $1 AND unused_since = 0 AND "
    "blob_id IN (SELECT blob_id FROM manifest_blobs WHERE manifest_id = $2) AND NOT EXISTS "
    "(SELECT 1 FROM manifest_blobs u WHERE u.blob_id = repository_blobs.blob_id AND u.repository_id = $1 AND "
    "u.manifest_id <> $2)"
};

constexpr SqlStatement find_digest{"SELECT 1 FROM manifests WHERE repository_id = $1 AND digest = $2"};

constexpr SqlStatement select_children{"SELECT digest FROM manifest_children WHERE manifest_id = $1"};
constexpr SqlStatement delete_row{"DELETE FROM artifacts WHERE manifest_id = $1"};
// Tags, blob references, children and the artifact's row go with it (ON DELETE CASCADE).
constexpr SqlStatement delete_manifest{"DELETE FROM manifests WHERE id = $1"};

constexpr SqlStatement find_tag{"SELECT t.manifest_id, m.digest FROM tags t JOIN manifests m ON m.id = t.manifest_id "
                                "WHERE t.repository_id = $1 AND t.name = $2"};
constexpr SqlStatement move_tag{
    "INSERT INTO tags (repository_id, name, manifest_id, pushed_at, pushed_by, expires_at) "
    "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (repository_id, name) DO UPDATE SET "
    "manifest_id = excluded.manifest_id, pushed_at = excluded.pushed_at, pushed_by = excluded.pushed_by, "
    "expires_at = excluded.expires_at"
};
constexpr SqlStatement delete_tag{"DELETE FROM tags WHERE repository_id = $1 AND name = $2"};

constexpr SqlStatement select_tags{"SELECT name, pushed_at FROM tags WHERE manifest_id = $1 ORDER BY name"};
constexpr SqlStatement select_some_tags{"SELECT name, pushed_at FROM tags WHERE manifest_id = $1 ORDER BY name LIMIT $2"
};
constexpr SqlStatement count_tags{"SELECT COUNT(*) FROM tags WHERE manifest_id = $1"};

constexpr SqlStatement count_in_repository{
    "UPDATE repositories SET artifact_count = artifact_count + $2, updated_at = $3 WHERE id = $1"
};
constexpr SqlStatement count_in_chunk{
    "INSERT INTO list_chunks (list, id, chunk, entries) VALUES ('repository', $1, $2, $3) "
    "ON CONFLICT (list, id, chunk) DO UPDATE SET entries = list_chunks.entries + excluded.entries"
};
constexpr SqlStatement drop_empty_chunk{
    "DELETE FROM list_chunks WHERE list = 'repository' AND id = $1 AND chunk = $2 AND entries = 0"
};
constexpr SqlStatement count_in_catalog{
    "INSERT INTO list_chunks (list, id, chunk, entries) VALUES ('repositories', $1, $2, $3), ('catalog', 0, $2, $3) "
    "ON CONFLICT (list, id, chunk) DO UPDATE SET entries = list_chunks.entries + excluded.entries"
};
constexpr SqlStatement drop_empty_catalog{"DELETE FROM list_chunks WHERE chunk = $2 AND entries = 0 AND "
                                          "((list = 'repositories' AND id = $1) OR (list = 'catalog' AND id = 0))"};
constexpr SqlStatement count_repositories{"UPDATE projects SET repository_count = repository_count + $2 WHERE id = $1"};

SqlParameter text_or_null(const std::optional<std::string>& text)
{
    if (!text) return std::monostate{};
    return std::string_view{*text};
}

// The relation that a manifest's tags give it, for those that name no subject themselves.
std::optional<AccessoryTag> relation_of(const std::vector<TagText>& tags)
{
    for (const auto& named : tags) {
        const auto parsed = Tag::parse(named.name);
        if (!parsed) continue;
        if (auto relation = accessory_of(*parsed)) return relation;
    }
    return std::nullopt;
}

std::vector<TagText> tags_in(SqlRows rows)
{
    std::vector<TagText> tags;
    for (SqlRow& row : rows) tags.push_back({row.take_text(0), row.integer(1)});
    return tags;
}

}  // namespace

struct ArtifactRows::Row {
    std::int64_t id = 0;
    std::string digest;
    std::int64_t parents = 0;
    std::int64_t tag_count = 0;
    bool listed = false;
    std::int64_t weight = 0;  // what it adds to the size of an index that it is in
    std::optional<std::string> subject;
    std::string accessory_type;
    bool names_subject = false;  // in its manifest, not by a tag
    std::int64_t accessories = 0;
    std::int64_t dead_kind = 0;  // 0 kept, 1 nothing keeps it, 2 what it belonged to is gone
    Micros dead_since = 0;

    bool belongs_in_lists() const noexcept { return !subject && (tag_count > 0 || parents == 0); }

    static Result<std::optional<Row>> of(Result<SqlRows> rows)
    {
        if (!rows) return std::unexpected{std::move(rows).error()};
        if (rows->empty()) return std::nullopt;
        SqlRow& found = rows->front();
        Row row;
        row.id = found.integer(0);
        row.digest = found.take_text(1);
        row.parents = found.integer(2);
        row.tag_count = found.integer(3);
        row.listed = found.integer(4) != 0;
        row.weight = found.integer(media::is_index(found.text(7)) ? 6 : 5);
        if (!found.is_null(8)) row.subject = found.take_text(8);
        row.accessory_type = found.take_text(9);
        row.names_subject = !found.is_null(10) || row.accessory_type == "accelerator.nydus";
        row.accessories = found.integer(11);
        row.dead_kind = found.integer(12);
        row.dead_since = found.integer(13);
        return row;
    }
};

Result<std::optional<ArtifactRows::Row>> ArtifactRows::find(std::string_view digest)
{
    return Row::of(session_.run(find_row, {place_.id, digest}));
}

Result<std::optional<ArtifactRows::Row>> ArtifactRows::load(std::int64_t id)
{
    return Row::of(session_.run(load_row, {id}));
}

void ArtifactRows::list(std::int64_t id, std::int64_t by)
{
    listed_ += by;
    chunks_[id / ids_in_chunk] += by;
}

// Points the tags at the manifest; answers what else they pointed at before.
Result<std::vector<std::int64_t>> ArtifactRows::move_tags(std::int64_t id, std::span<const Tag> tags, Micros expires_at)
{
    if (!tags.empty()) CHECK(check_site(session_, place_, actor_));
    std::set<std::int64_t> left;
    for (const Tag& name : tags) {
        TRY(const auto before, session_.run(find_tag, {place_.id, name.text()}));
        const bool stays = !before.empty() && before.front().integer(0) == id;
        if (!before.empty() && !stays) {
            CHECK(guard_.check_tag(name.text()));
            left.insert(before.front().integer(0));
        }
        CHECK(session_.run(move_tag, {place_.id, name.text(), id, actor_.at, actor_.user_id, expires_at}));
        const std::string previous = before.empty() ? std::string{} : before.front().text(1);
        moved_.push_back({name.text(), previous});
        if (stays) continue;
        CHECK(remember_tag(session_, place_, name.text(), id, previous, actor_));
        CHECK(note_tag_of_sites(session_, place_, name.text(), id, actor_));
    }
    return std::vector<std::int64_t>(left.begin(), left.end());
}

Result<> ArtifactRows::add(std::int64_t id, const NewManifest& pushed)
{
    TRY(const auto left, move_tags(id, pushed.tags, pushed.tags_expire_at));
    CHECK(insert(id, pushed, pushed.view));
    for (const std::int64_t other : left) CHECK(refresh_tags(other));
    return {};
}

Result<> ArtifactRows::insert(std::int64_t id, const NewManifest& pushed, const ArtifactView& view)
{
    // A manifest that was taken for another type has tags already.
    TRY(auto rows, session_.run(select_some_tags, {id, most_kept_tags + 1}));
    const auto tags = tags_in(std::move(rows));
    auto tag_count = static_cast<std::int64_t>(tags.size());
    std::optional<std::string> text;
    if (tag_count <= most_kept_tags) {
        text = tags_text(place_.id, id, tags);
    } else {
        TRY(const auto counted, session_.run(count_tags, {id}));
        tag_count = counted.front().integer(0);
    }
    std::optional<std::string> subject;
    std::string accessory_type = view.accessory_type;
    if (view.subject) {
        subject = view.subject->text();
    } else if (const auto relation = relation_of(tags)) {
        subject = relation->subject.text();
        accessory_type = relation->type;
    }
    TRY(const auto inserted,
        session_.run(
            insert_row,
            {id,
             place_.id,
             place_.project_id,
             pushed.digest.text(),
             pushed.manifest.media_type,
             view.config_media_type,
             pushed.manifest.artifact_type,
             view.type,
             static_cast<std::int64_t>(view.size),
             text_or_null(subject),
             accessory_type,
             pushed.actor.at,
             view.icon,
             view.extra,
             view.annotations,
             tag_count,
             text_or_null(text)}
        ));
    if (inserted.front().integer(1) != 0) list(id, 1);
    if (inserted.front().integer(2) != 0) CHECK(session_.run(keep_accessories, {place_.id, pushed.digest.text()}));
    if (!pushed.manifest.children.empty()) CHECK(adopt_children(id, pushed));
    if (subject) CHECK(relate(*subject, 1));
    if (inserted.front().integer(0) == 0) return {};
    TRY(const auto row, load(id));
    return appear_in_parents(*row, true);
}

Result<> ArtifactRows::adopt_children(std::int64_t id, const NewManifest& pushed)
{
    std::map<std::string, std::int64_t> ids;
    std::int64_t size = 0;
    for (const Descriptor& descriptor : pushed.manifest.children) {
        const auto [known, is_new] = ids.emplace(descriptor.digest.text(), 0);
        if (!is_new) continue;
        TRY(const auto child, find(descriptor.digest.text()));
        if (!child) continue;
        known->second = child->id;
        size += child->weight;
        Row after = *child;
        ++after.parents;
        CHECK(settle_death(after));
        CHECK(update(*child, after));
    }
    const auto& children = pushed.view.children;
    std::vector<std::int64_t> in_order;
    for (const auto& child : children) in_order.push_back(ids[child.digest.text()]);
    const auto text = children.empty() ? std::string{} : children_text(id, children, in_order);
    CHECK(session_.run(update_children, {id, text, size}));
    return {};
}

Result<> ArtifactRows::release_children(std::int64_t id)
{
    TRY(const auto rows, session_.run(select_children, {id}));
    for (const SqlRow& row : rows) {
        TRY(const auto child, find(row.text(0)));
        if (!child) continue;
        Row after = *child;
        --after.parents;
        CHECK(settle_death(after));
        CHECK(update(*child, after));
    }
    return {};
}

Result<> ArtifactRows::update(const Row& before, const Row& after)
{
    const bool listed = after.belongs_in_lists();
    CHECK(session_.run(update_row, {after.id, after.parents, std::int64_t{listed}, after.dead_kind, after.dead_since}));
    if (listed != before.listed) list(after.id, listed ? 1 : -1);
    return {};
}

// After its tags, its parents or its subject have changed.
Result<> ArtifactRows::settle_death(Row& row)
{
    bool kept = row.tag_count > 0 || row.parents > 0;
    if (!kept && row.subject) {
        TRY(const auto found, session_.run(find_digest, {place_.id, *row.subject}));
        kept = !found.empty();
    }
    if (kept) {
        row.dead_kind = 0;
        row.dead_since = 0;
    } else if (row.dead_kind == 0) {
        row.dead_kind = 1;
        row.dead_since = actor_.at;
    }
    return {};
}

Result<> ArtifactRows::relate(std::string_view subject, std::int64_t by)
{
    CHECK(session_.run(count_accessory, {place_.id, subject, by}));
    return {};
}

Result<> ArtifactRows::appear_in_parents(const Row& row, bool here)
{
    const auto absent = child_mark(row.digest, 0);
    const auto present = child_mark(row.digest, row.id);
    const auto size = here ? row.weight : -row.weight;
    CHECK(session_.run(change_parents, {place_.id, row.digest, size, here ? absent : present, here ? present : absent})
    );
    return {};
}

Result<> ArtifactRows::tag(std::int64_t id, std::span<const Tag> tags, Micros expires_at)
{
    if (tags.empty()) return {};
    TRY(const auto left, move_tags(id, tags, expires_at));
    CHECK(refresh_tags(id));
    for (const std::int64_t other : left) CHECK(refresh_tags(other));
    return {};
}

Result<bool> ArtifactRows::untag(std::string_view name)
{
    TRY(const auto found, session_.run(find_tag, {place_.id, name}));
    if (found.empty()) return false;
    CHECK(check_site(session_, place_, actor_));
    CHECK(guard_.check_tag(name));
    CHECK(note_tag_of_sites(session_, place_, name, 0, actor_));
    CHECK(remember_untag(session_, place_, name, actor_));
    CHECK(session_.run(delete_tag, {place_.id, name}));
    CHECK(refresh_tags(found.front().integer(0)));
    return true;
}

// After its tags have changed.
Result<> ArtifactRows::refresh_tags(std::int64_t id)
{
    TRY(const auto before, load(id));
    TRY(auto rows, session_.run(select_some_tags, {id, most_kept_tags + 1}));
    const auto tags = tags_in(std::move(rows));
    Row after = *before;
    after.tag_count = static_cast<std::int64_t>(tags.size());
    std::optional<std::string> text;
    if (after.tag_count <= most_kept_tags) {
        text = tags_text(place_.id, id, tags);
    } else {
        TRY(const auto counted, session_.run(count_tags, {id}));
        after.tag_count = counted.front().integer(0);
    }
    if (!after.names_subject) {
        const auto relation = relation_of(tags);
        after.subject = relation ? std::optional{relation->subject.text()} : std::nullopt;
        after.accessory_type = relation ? std::string{relation->type} : std::string{};
    }
    CHECK(settle_death(after));
    const bool listed = after.belongs_in_lists();
    CHECK(session_.run(
        update_tags,
        {id,
         after.tag_count,
         text_or_null(text),
         std::int64_t{listed},
         text_or_null(after.subject),
         after.accessory_type,
         after.dead_kind,
         after.dead_since}
    ));
    if (listed != before->listed) list(id, listed ? 1 : -1);
    if (before->subject == after.subject) return {};
    if (before->subject) CHECK(relate(*before->subject, -1));
    if (after.subject) CHECK(relate(*after.subject, 1));
    return {};
}

Result<> ArtifactRows::forget(std::int64_t id)
{
    TRY(const auto row, load(id));
    return forget(*row);
}

Result<> ArtifactRows::forget(const Row& row)
{
    if (row.listed) list(row.id, -1);
    CHECK(release_children(row.id));
    if (row.subject) CHECK(relate(*row.subject, -1));
    if (row.parents > 0) CHECK(appear_in_parents(row, false));
    if (row.accessories > 0) CHECK(session_.run(orphan_accessories, {place_.id, row.digest, actor_.at}));
    CHECK(session_.run(delete_row, {row.id}));
    return {};
}

Result<> ArtifactRows::remove(std::int64_t id)
{
    CHECK(check_site(session_, place_, actor_));
    CHECK(guard_.check_manifest(id));
    CHECK(trash_.put(id));
    return take_out(id);
}

Result<> ArtifactRows::remove_garbage(std::int64_t id)
{
    CHECK(guard_.check_manifest(id));
    CHECK(trash_.put_with_kin(id));
    return take_out(id);
}

Result<> ArtifactRows::take_out(std::int64_t id)
{
    TRY(const auto row, load(id));
    CHECK(note_removal_of_sites(session_, place_, id, row->digest, actor_));
    if (row->tag_count > 0) CHECK(remember_untag_all(session_, id, actor_));
    CHECK(forget(*row));
    CHECK(session_.run(release_blobs, {place_.id, id, std::max<Micros>(actor_.at, 1)}));
    CHECK(session_.run(delete_manifest, {id}));
    return {};
}

Result<> ArtifactRows::finish(std::int64_t bytes)
{
    for (const auto& [chunk, by] : chunks_) {
        if (by == 0) continue;
        CHECK(session_.run(count_in_chunk, {place_.id, chunk, by}));
        if (by < 0) CHECK(session_.run(drop_empty_chunk, {place_.id, chunk}));
    }
    CHECK(session_.run(count_in_repository, {place_.id, listed_, actor_.at}));
    CHECK(charge(session_, place_, bytes, chunks_, actor_.at));
    listed_ = 0;
    chunks_.clear();
    return {};
}

Result<std::string> read_tags(SqlSession& session, std::int64_t repository_id, std::int64_t manifest_id)
{
    TRY(auto rows, session.run(select_tags, {manifest_id}));
    return tags_text(repository_id, manifest_id, tags_in(std::move(rows)));
}

Result<> count_repository(SqlSession& session, const RepositoryRow& repository, std::int64_t by)
{
    CHECK(session.run(count_repositories, {repository.project_id, by}));
    CHECK(session.run(count_in_catalog, {repository.project_id, repository.id / ids_in_chunk, by}));
    if (by < 0) CHECK(session.run(drop_empty_catalog, {repository.project_id, repository.id / ids_in_chunk}));
    return {};
}

}  // namespace entrepot
