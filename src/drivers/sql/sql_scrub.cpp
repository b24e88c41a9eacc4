#include "drivers/sql/sql_scrub.hpp"

#include "drivers/sql/event_rows.hpp"
#include "drivers/sql/finding_rows.hpp"
#include "drivers/sql/list_statement.hpp"
#include "drivers/sql/repository_rows.hpp"

#include <boost/json/array.hpp>

#include <array>
#include <memory>
#include <utility>

namespace entrepot {

namespace {

constexpr SqlStatement select_blobs{"SELECT digest, size, state FROM blobs WHERE digest > $1 ORDER BY digest LIMIT $2"};
constexpr SqlStatement find_known{"SELECT digest, size, state FROM blobs WHERE digest = $1"};
constexpr SqlStatement find_session{"SELECT id FROM uploads WHERE id = $1"};

constexpr SqlStatement lose_blob{"UPDATE blobs SET state = 4 WHERE digest = $1 AND state = 0 RETURNING id, size"};
constexpr SqlStatement select_holders{
    "SELECT r.name FROM repository_blobs l JOIN repositories r ON r.id = l.repository_id WHERE l.blob_id = $1 "
    "ORDER BY r.id"
};
constexpr SqlStatement restore_blob{"UPDATE blobs SET state = 0 WHERE digest = $1 AND state > 0 AND state = 4 AND "
                                    "EXISTS (SELECT 1 FROM gc_state WHERE sweeps = $2) RETURNING size"};

constexpr SqlStatement find_absent{"SELECT id FROM blobs WHERE digest = $1 AND state > 0 AND state = 1"};
constexpr SqlStatement select_naming{
    "SELECT r.name FROM repositories r WHERE r.id IN (SELECT u.repository_id FROM manifest_blobs u "
    "WHERE u.blob_id = $1) ORDER BY r.id"
};
constexpr SqlStatement fill_absent{"UPDATE blobs SET size = $2, state = 0 WHERE id = $1 AND state = 1 AND "
                                   "EXISTS (SELECT 1 FROM gc_state WHERE sweeps = $3) RETURNING id"};
// Under the repository's lock: its manifest may have gone while that was waited for.
constexpr SqlStatement still_names{"SELECT 1 FROM manifest_blobs WHERE blob_id = $1 AND repository_id = $2 LIMIT 1"};

constexpr SqlStatement close_unseen{
    "UPDATE scrub_findings SET closed_at = $2, state = CASE WHEN kind IN ('missing', 'rotten', 'unreadable') AND "
    "EXISTS "
    "(SELECT 1 FROM blobs b WHERE b.digest = scrub_findings.subject AND b.state = 0) THEN 'healed' ELSE 'gone' END "
    "WHERE state = 'open' AND last_seen < $1 AND (kind <> 'unreadable' OR $3 = 1)"
};
constexpr SqlStatement count_open{
    "SELECT kind, COUNT(*), CAST(SUM(size) AS BIGINT) FROM scrub_findings WHERE state = 'open' GROUP BY kind"
};
constexpr SqlStatement delete_closed{
    "DELETE FROM scrub_findings WHERE id IN (SELECT id FROM scrub_findings WHERE closed_at > 0 AND closed_at < $1 "
    "ORDER BY closed_at LIMIT 1000) RETURNING id"
};

constexpr const char* finding_columns =
    "f.id, f.kind, f.state, f.subject, f.size, f.note, f.first_seen, f.last_seen, f.closed_at";
constexpr const char* finding_from = "scrub_findings f";
constexpr ListColumn finding_fields[] = {
    {"id", "f.id", ListColumn::Type::integer},
    {"kind", "f.kind"},
    {"state", "f.state"},
    {"subject", "f.subject"},
    {"first_seen", "f.first_seen", ListColumn::Type::time},
    {"last_seen", "f.last_seen", ListColumn::Type::time},
};
constexpr SqlStatement select_some_using{
    "SELECT r.name FROM repositories r WHERE r.id IN (SELECT l.repository_id FROM blobs b "
    "JOIN repository_blobs l ON l.blob_id = b.id WHERE b.digest = $1 UNION SELECT u.repository_id FROM blobs b "
    "JOIN manifest_blobs u ON u.blob_id = b.id WHERE b.digest = $1) ORDER BY r.id LIMIT 20"
};

constexpr std::size_t repositories_in_event = 100;

Result<KnownBlob> known_blob(const SqlRow& row)
{
    TRY(auto digest, Digest::parse(row.text(0)));
    return KnownBlob{std::move(digest), static_cast<std::uint64_t>(row.integer(1)), BlobState{row.integer(2)}};
}

Result<FindingKind> kind_called(std::string_view text)
{
    using enum FindingKind;
    for (const auto kind : {orphan, missing, rotten, unreadable, wrong_size, stray_upload}) {
        if (name_of(kind) == text) return kind;
    }
    return fail(Errc::corrupt, "a finding of an unknown kind", std::string{text});
}

Result<FindingState> state_called(std::string_view text)
{
    using enum FindingState;
    for (const auto state : {open, healed, adopted, deleted, gone}) {
        if (name_of(state) == text) return state;
    }
    return fail(Errc::corrupt, "a finding of an unknown state", std::string{text});
}

bool is_damage(FindingKind kind) noexcept
{
    return kind != FindingKind::orphan && kind != FindingKind::stray_upload;
}

Result<> record_damage(
    SqlSession& session, const NewFinding& finding, const std::vector<std::string>& holders, const Actor& actor
)
{
    auto event = event_by(event_type::blob_damaged, actor);
    event.digest = finding.subject;
    event.size = static_cast<std::int64_t>(finding.size);
    boost::json::array names;
    for (const auto& name : holders) {
        if (names.size() < repositories_in_event) names.emplace_back(name);
    }
    set_details(
        event, {{"finding", name_of(finding.kind)}, {"note", finding.note}, {"repositories", std::move(names)}}
    );
    return record_event(session, event);
}

Result<std::vector<std::string>> names_of(Result<SqlRows> rows)
{
    if (!rows) return std::unexpected{std::move(rows).error()};
    std::vector<std::string> names;
    for (SqlRow& row : *rows) names.push_back(row.take_text(0));
    return names;
}

// The repositories that held it, or nullopt when it was not live.
Result<std::optional<std::vector<std::string>>>
lose_live(SqlSession& session, const NewFinding& finding, const Actor& actor)
{
    TRY(const auto lost, session.run(lose_blob, {finding.subject}));
    if (lost.empty()) return std::nullopt;
    TRY(auto holders, names_of(session.run(select_holders, {lost.front().integer(0)})));
    CHECK(open_finding(session, finding, actor.at));
    CHECK(record_damage(session, finding, holders, actor));
    return std::move(holders);
}

Result<std::uint64_t>
adopt_absent(SqlSession& session, const Digest& digest, std::uint64_t size, std::int64_t sweeps, const Actor& actor)
{
    TRY(const auto absent, session.run(find_absent, {digest.text()}));
    if (absent.empty()) return 0;
    const BlobRow blob{.id = absent.front().integer(0), .size = size};
    TRY(const auto names, names_of(session.run(select_naming, {blob.id})));
    std::vector<RepositoryRow> places;
    for (const auto& text : names) {
        TRY(const auto name, RepositoryName::parse(text));
        TRY(auto place, lock_repository(session, name));
        if (!place) continue;
        TRY(const auto naming, session.run(still_names, {blob.id, place->id}));
        if (naming.empty()) continue;
        // A manifest that is there already is not turned down for its blobs.
        place->limited = false;
        places.push_back(*place);
    }
    if (places.empty()) return 0;
    TRY(const auto filled, session.run(fill_absent, {blob.id, static_cast<std::int64_t>(size), sweeps}));
    if (filled.empty()) return 0;
    for (const auto& place : places) CHECK(link_blob(session, place, blob, actor.at));
    CHECK(close_finding(session, digest.text(), FindingState::adopted, actor.at));
    auto event = event_by(event_type::blob_healed, actor);
    event.digest = digest.text();
    event.size = static_cast<std::int64_t>(size);
    set_details(event, {{"by", "adoption"}, {"repositories", places.size()}});
    CHECK(record_event(session, event));
    return places.size();
}

Result<Finding> finding_of(SqlSession& session, SqlRow& row)
{
    TRY(const auto kind, kind_called(row.text(1)));
    TRY(const auto state, state_called(row.text(2)));
    TRY(auto repositories, names_of(session.run(select_some_using, {row.text(3)})));
    return Finding{
        .id = row.integer(0),
        .kind = kind,
        .state = state,
        .subject = row.take_text(3),
        .size = static_cast<std::uint64_t>(row.integer(4)),
        .note = row.take_text(5),
        .first_seen = row.integer(6),
        .last_seen = row.integer(7),
        .closed_at = row.integer(8),
        .repositories = std::move(repositories),
    };
}

}  // namespace

Task<std::vector<KnownBlob>> SqlScrub::blobs(std::string after, std::int64_t limit)
{
    const auto work = [after = std::move(after), limit](SqlSession& session) -> Result<std::vector<KnownBlob>> {
        TRY(const auto rows, session.run(select_blobs, {after, limit}));
        std::vector<KnownBlob> blobs;
        for (const SqlRow& row : rows) {
            TRY(auto blob, known_blob(row));
            blobs.push_back(std::move(blob));
        }
        return blobs;
    };
    co_return co_await engine_.read(work);
}

Task<std::optional<KnownBlob>> SqlScrub::blob(Digest digest)
{
    const auto work = [digest = std::move(digest)](SqlSession& session) -> Result<std::optional<KnownBlob>> {
        TRY(const auto rows, session.run(find_known, {digest.text()}));
        if (rows.empty()) return std::nullopt;
        return known_blob(rows.front());
    };
    co_return co_await engine_.read(work);
}

Task<std::vector<UploadId>> SqlScrub::known_uploads(std::vector<UploadId> ids)
{
    const auto work = [ids = std::move(ids)](SqlSession& session) -> Result<std::vector<UploadId>> {
        std::vector<UploadId> known;
        for (const auto& id : ids) {
            TRY(const auto rows, session.run(find_session, {id.text}));
            if (!rows.empty()) known.push_back(id);
        }
        return known;
    };
    co_return co_await engine_.read(work);
}

// Durable, so that a blob which was said to be missing is not said to be there again after a loss of power.
Task<bool> SqlScrub::lose(NewFinding finding, Actor actor)
{
    const auto holders = std::make_shared<std::vector<std::string>>();
    const auto settled = [cache = cache_, holders] {
        if (!cache) return;
        for (const auto& name : *holders) cache->contents_removed(name);
    };
    const auto work = [finding = std::move(finding), actor, holders](SqlSession& session) -> Result<bool> {
        TRY(auto lost, lose_live(session, finding, actor));
        if (lost) *holders = *std::move(lost);
        return lost.has_value();
    };
    co_return co_await engine_.write(Durability::durable, work, settled);
}

Task<bool> SqlScrub::restore(Digest digest, std::int64_t sweeps, std::string by, Actor actor)
{
    const auto work = [digest = std::move(digest), sweeps, by = std::move(by), actor](SqlSession& session
                      ) -> Result<bool> {
        TRY(const auto restored, session.run(restore_blob, {digest.text(), sweeps}));
        if (restored.empty()) return false;
        CHECK(record_healed(session, digest, restored.front().integer(0), by, actor));
        return true;
    };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<std::uint64_t> SqlScrub::adopt(Digest digest, std::uint64_t size, std::int64_t sweeps, Actor actor)
{
    const auto work = [digest = std::move(digest), size, sweeps, actor](SqlSession& session) {
        return adopt_absent(session, digest, size, sweeps, actor);
    };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<> SqlScrub::report(std::vector<NewFinding> findings, Actor actor)
{
    if (findings.empty()) co_return Result<>{};
    const auto work = [findings = std::move(findings), actor](SqlSession& session) -> Result<> {
        for (const auto& finding : findings) {
            TRY(const bool opened, open_finding(session, finding, actor.at));
            if (!opened || !is_damage(finding.kind)) continue;
            TRY(const auto holders, names_of(session.run(select_some_using, {finding.subject})));
            CHECK(record_damage(session, finding, holders, actor));
        }
        return {};
    };
    co_return co_await engine_.write(Durability::process, work);
}

Task<> SqlScrub::close(std::vector<std::string> subjects, FindingState state, Actor actor)
{
    if (subjects.empty()) co_return Result<>{};
    const auto work = [subjects = std::move(subjects), state, actor](SqlSession& session) -> Result<> {
        for (const auto& subject : subjects) CHECK(close_finding(session, subject, state, actor.at));
        return {};
    };
    co_return co_await engine_.write(Durability::process, work);
}

Task<> SqlScrub::finish(Micros began, bool verified, std::string summary, Actor actor)
{
    const auto work = [began, verified, summary = std::move(summary), actor](SqlSession& session) -> Result<> {
        CHECK(session.run(close_unseen, {began, actor.at, std::int64_t{verified ? 1 : 0}}));
        auto event = event_by(event_type::scrub_finished, actor);
        event.details = summary;
        return record_event(session, event);
    };
    co_return co_await engine_.write(Durability::process, work);
}

Task<ListPage<Finding>> SqlScrub::findings(ListQuery query)
{
    const auto work = [query = std::move(query)](SqlSession& session) -> Result<ListPage<Finding>> {
        ListStatement statement{finding_columns, finding_from, finding_fields};
        CHECK(statement.apply(query));
        statement.order_by("f.id DESC");
        return statement.list(session, [&](SqlRow& row) { return finding_of(session, row); });
    };
    co_return co_await engine_.read(work);
}

Task<std::vector<OpenFindings>> SqlScrub::open_findings()
{
    const auto work = [](SqlSession& session) -> Result<std::vector<OpenFindings>> {
        TRY(const auto rows, session.run(count_open));
        std::vector<OpenFindings> counts;
        for (const SqlRow& row : rows) {
            TRY(const auto kind, kind_called(row.text(0)));
            const auto count = static_cast<std::uint64_t>(row.integer(1));
            counts.push_back({kind, count, static_cast<std::uint64_t>(row.integer(2))});
        }
        return counts;
    };
    co_return co_await engine_.read(work);
}

Task<std::uint64_t> SqlScrub::forget(Micros closed_before)
{
    const auto work = [closed_before](SqlSession& session) -> Result<std::uint64_t> {
        TRY(const auto rows, session.run(delete_closed, {closed_before}));
        return rows.size();
    };
    co_return co_await engine_.write(Durability::process, work);
}

}  // namespace entrepot
