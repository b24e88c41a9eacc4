#include "drivers/sql/artifact_rows.hpp"
#include "drivers/sql/event_rows.hpp"
#include "drivers/sql/tag_guard.hpp"
#include "drivers/sql/trash_restore.hpp"

namespace entrepot {

namespace {

// Of one entry, in the transaction in which all tags go back.
constexpr std::int64_t most_restored = 10'000;

constexpr SqlStatement select_states{
    "SELECT h.tag, h.digest FROM tag_history h WHERE h.repository_id = $1 AND h.digest <> '' AND h.at <= $2 AND "
    "(h.until = 0 OR h.until > $2) ORDER BY h.tag, h.id LIMIT $3"
};
constexpr SqlStatement find_tag{"SELECT m.digest FROM tags t JOIN manifests m ON m.id = t.manifest_id "
                                "WHERE t.repository_id = $1 AND t.name = $2"};
constexpr SqlStatement find_manifest{"SELECT id FROM manifests WHERE repository_id = $1 AND digest = $2"};
constexpr SqlStatement find_in_trash{
    "SELECT t.id FROM trash_manifests k JOIN trash t ON t.id = k.trash_id WHERE k.project_id = $1 AND "
    "k.repository = $2 AND k.digest = $3 ORDER BY t.id DESC LIMIT 1"
};
constexpr SqlStatement select_later_tags{
    "SELECT t.name, m.digest FROM tags t JOIN manifests m ON m.id = t.manifest_id WHERE t.repository_id = $1 AND "
    "NOT EXISTS (SELECT 1 FROM tag_history h WHERE h.repository_id = t.repository_id AND h.tag = t.name AND "
    "h.digest <> '' AND h.at <= $2 AND (h.until = 0 OR h.until > $2)) ORDER BY t.name LIMIT $3"
};

std::string_view below_project(const RepositoryName& name)
{
    return std::string_view{name.text()}.substr(name.project().size() + 1);
}

class Planning {
public:
    Planning(SqlSession& session, const RepositoryRow& place, const RepositoryName& name)
        : session_{session}, place_{place}, name_{name}, guard_{session, place}
    {
    }

    Result<TagsAt> plan(Micros time, bool exact, std::int64_t limit)
    {
        TagsAt plan;
        TRY(auto states, session_.run(select_states, {place_.id, time, limit + 1}));
        for (SqlRow& row : states) {
            TRY(auto step, step_of(row.take_text(0), row.take_text(1)));
            plan.tags.push_back(std::move(step));
        }
        if (exact) {
            TRY(auto later, session_.run(select_later_tags, {place_.id, time, limit + 1}));
            for (SqlRow& row : later) {
                TagReturn step{TagReturn::Step::leaves, row.take_text(0), {}, row.take_text(1), 0};
                CHECK(obey_rules(step));
                plan.tags.push_back(std::move(step));
            }
        }
        plan.truncated = std::ssize(plan.tags) > limit;
        if (plan.truncated) plan.tags.resize(static_cast<std::size_t>(limit));
        return plan;
    }

private:
    using Step = TagReturn::Step;

    Result<TagReturn> step_of(std::string tag, std::string digest)
    {
        TagReturn step{Step::stays, std::move(tag), std::move(digest), {}, 0};
        TRY(auto now, session_.run(find_tag, {place_.id, step.tag}));
        if (!now.empty()) step.previous = now.front().take_text(0);
        if (step.previous == step.digest) return step;
        step.step = Step::lost;
        TRY(const auto here, session_.run(find_manifest, {place_.id, step.digest}));
        if (!here.empty()) {
            step.step = Step::moves;
        } else {
            TRY(const auto entry, session_.run(find_in_trash, {place_.project_id, below_project(name_), step.digest}));
            if (!entry.empty()) {
                step.step = Step::returns;
                step.trash_id = entry.front().integer(0);
            }
        }
        if (step.step != Step::lost && !step.previous.empty()) CHECK(obey_rules(step));
        return step;
    }

    Result<> obey_rules(TagReturn& step)
    {
        const auto free = guard_.check_tag(step.tag);
        if (free) return {};
        if (free.error().code() != Errc::precondition_failed) return std::unexpected{free.error()};
        step.step = Step::immutable;
        return {};
    }

    SqlSession& session_;
    RepositoryRow place_;
    const RepositoryName& name_;
    TagGuard guard_;
};

// An entry that one tag brought back may hold what another one needs.
Result<> point(
    SqlSession& session,
    const RepositoryRow& place,
    const RepositoryName& name,
    const TagReturn& step,
    const Actor& actor
)
{
    TRY(const auto tag, Tag::parse(step.tag));
    ArtifactRows rows{session, place, actor};
    if (step.step == TagReturn::Step::leaves) {
        CHECK(rows.untag(step.tag));
    } else {
        TRY(const auto manifest, session.run(find_manifest, {place.id, step.digest}));
        if (manifest.empty()) return fail(Errc::unavailable, "the repository changed meanwhile, try again");
        CHECK(rows.tag(manifest.front().integer(0), {&tag, 1}));
    }
    const bool leaves = step.step == TagReturn::Step::leaves;
    const auto type = leaves ? event_type::tag_deleted : event_type::tag_created;
    const auto event = event_in_project(type, actor, place.project_id);
    CHECK(record_tag(session, event, name.text(), step.tag, leaves ? step.previous : step.digest));
    return rows.finish(0);
}

}  // namespace

Result<TagsAt> plan_return(SqlSession& session, const RepositoryName& name, Micros time, bool exact, std::int64_t limit)
{
    TRY(const auto place, find_place(session, name));
    if (!place) return no_such_repository(name);
    return Planning{session, *place, name}.plan(time, exact, limit);
}

Result<TagsAt> make_return(
    SqlSession& session, const RepositoryName& name, Micros time, bool exact, std::int64_t limit, const Actor& actor
)
{
    TRY(const auto place, lock_repository(session, name));
    if (!place) return no_such_repository(name);
    TRY(const auto plan, (Planning{session, *place, name}.plan(time, exact, limit)));
    if (plan.truncated) return fail(Errc::unprocessable, "these are too many tags to go back at once");
    const Actor restorer{actor.user_id, actor.at, Via::restore};
    for (const TagReturn& step : plan.tags) {
        const bool returns = step.step == TagReturn::Step::returns;
        if (!returns && step.step != TagReturn::Step::moves && step.step != TagReturn::Step::leaves) continue;
        if (returns) {
            TRY(const auto entry, find_trash(session, place->project_id, step.trash_id));
            TRY(const auto part, restore_trash(session, entry, TrashTags::none, most_restored, restorer));
            if (!part.done)
                return fail(Errc::unprocessable, "too much was deleted with " + step.digest + " to go back at once");
        }
        CHECK(point(session, *place, name, step, restorer));
    }
    return plan;
}

}  // namespace entrepot
