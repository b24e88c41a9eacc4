#include "drivers/sql/finding_rows.hpp"

#include "drivers/sql/event_rows.hpp"

namespace entrepot {

namespace {

constexpr SqlStatement find_open{"SELECT kind FROM scrub_findings WHERE subject = $1 AND state = 'open'", "FOR UPDATE"};
constexpr SqlStatement put_finding{
    "INSERT INTO scrub_findings (subject, kind, state, size, note, first_seen, last_seen, closed_at) "
    "VALUES ($1, $2, 'open', $3, $4, $5, $5, 0) ON CONFLICT (subject) DO UPDATE SET kind = excluded.kind, "
    "state = 'open', size = excluded.size, note = excluded.note, last_seen = excluded.last_seen, closed_at = 0, "
    "first_seen = CASE WHEN scrub_findings.state = 'open' THEN scrub_findings.first_seen ELSE excluded.first_seen END"
};
constexpr SqlStatement see_again{"UPDATE scrub_findings SET last_seen = $2 WHERE subject = $1"};
constexpr SqlStatement close_open{
    "UPDATE scrub_findings SET state = $2, closed_at = $3 WHERE subject = $1 AND state = 'open'"
};

}  // namespace

Result<bool> open_finding(SqlSession& session, const NewFinding& finding, Micros now)
{
    TRY(const auto open, session.run(find_open, {finding.subject}));
    const bool moved_aside = !open.empty() && open.front().text(0) == name_of(FindingKind::rotten);
    if (moved_aside && finding.kind == FindingKind::missing) {
        CHECK(session.run(see_again, {finding.subject, now}));
        return false;
    }
    const auto size = static_cast<std::int64_t>(finding.size);
    CHECK(session.run(put_finding, {finding.subject, name_of(finding.kind), size, finding.note, now}));
    return open.empty();
}

Result<> close_finding(SqlSession& session, std::string_view subject, FindingState state, Micros now)
{
    CHECK(session.run(close_open, {subject, name_of(state), now}));
    return {};
}

Result<>
record_healed(SqlSession& session, const Digest& digest, std::int64_t size, std::string_view by, const Actor& actor)
{
    CHECK(close_finding(session, digest.text(), FindingState::healed, actor.at));
    auto event = event_by(event_type::blob_healed, actor);
    event.digest = digest.text();
    event.size = size;
    set_details(event, {{"by", by}});
    return record_event(session, event);
}

}  // namespace entrepot
