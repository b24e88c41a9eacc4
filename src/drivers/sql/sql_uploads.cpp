#include "drivers/sql/sql_uploads.hpp"

#include "drivers/sql/project_budget.hpp"
#include "drivers/sql/repository_rows.hpp"

namespace entrepot {

namespace {

// On PostgreSQL two sessions that begin at the same instant may both be the last one allowed: a soft limit.
constexpr SqlStatement count_of_user{"SELECT count(*) FROM uploads WHERE user_id = $1"};

constexpr SqlStatement insert_upload{
    "INSERT INTO uploads (id, repository_id, algorithm, written, hash_state, fence, user_id, started_at, touched_at) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (id) DO NOTHING RETURNING id"
};

constexpr SqlStatement find_upload{
    "SELECT u.id, r.name, u.algorithm, u.written, u.hash_state, u.fence, u.user_id, u.started_at, u.touched_at, "
    "s.sweeps FROM uploads u JOIN repositories r ON r.id = u.repository_id CROSS JOIN gc_state s WHERE u.id = $1 AND "
    "r.name = $2"
};

constexpr SqlStatement raise_fence{"UPDATE uploads SET fence = fence + 1, touched_at = $3 "
                                   "WHERE id = $1 AND repository_id = (SELECT id FROM repositories WHERE name = $2)"};

constexpr SqlStatement advance_upload{
    "UPDATE uploads SET written = $3, hash_state = $4, touched_at = $5 WHERE id = $1 AND fence = $2 RETURNING id"
};

constexpr SqlStatement find_any_upload{"SELECT fence FROM uploads WHERE id = $1"};

constexpr SqlStatement delete_upload{
    "DELETE FROM uploads WHERE id = $1 AND repository_id = (SELECT id FROM repositories WHERE name = $2) RETURNING id"
};

constexpr SqlStatement select_untouched{
    "SELECT u.id, r.name, u.algorithm, u.written, u.hash_state, u.fence, u.user_id, u.started_at, u.touched_at, "
    "s.sweeps FROM uploads u JOIN repositories r ON r.id = u.repository_id CROSS JOIN gc_state s "
    "WHERE u.touched_at < $1 ORDER BY u.touched_at LIMIT $2"
};

constexpr SqlStatement find_place_of{"SELECT r.name FROM uploads u "
                                     "JOIN repositories r ON r.id = u.repository_id WHERE u.id = $1"};
constexpr SqlStatement forget_claim{"DELETE FROM quota_claims WHERE id = $1"};

constexpr SqlStatement forget_upload{"DELETE FROM uploads WHERE id = $1"};

std::unexpected<Error> no_such_upload()
{
    return fail(Errc::upload_unknown, "the upload is not known in this repository");
}

Result<UploadSession> session_of(SqlRow& row)
{
    TRY(auto name, RepositoryName::parse(row.text(1)));
    TRY(const auto algorithm, parse_digest_algorithm(row.text(2)));
    return UploadSession{
        .id = UploadId{row.take_text(0)},
        .repository = std::move(name),
        .algorithm = algorithm,
        .offset = static_cast<std::uint64_t>(row.integer(3)),
        .hash_state = row.take_text(4),
        .fence = row.integer(5),
        .user_id = row.integer(6),
        .started_at = row.integer(7),
        .touched_at = row.integer(8),
        .sweeps = row.integer(9),
    };
}

Result<UploadSession> read_upload(SqlSession& session, const RepositoryName& repository, const UploadId& id)
{
    TRY(auto rows, session.run(find_upload, {id.text, repository.text()}));
    if (rows.empty()) return no_such_upload();
    return session_of(rows.front());
}

// A repository that exists needs no lock of its project: uploads of one project begin side by side.
Result<std::int64_t> repository_for_upload(SqlSession& session, const UploadSession& upload)
{
    TRY(const auto known, find_repository(session, upload.repository));
    if (known) return *known;
    TRY(const RepositoryRow created, enter_repository(session, upload.repository, upload.started_at));
    return created.id;
}

// What the upload will have stored is claimed while it goes on; a push that does not fit hears of it before it sends.
struct Room {
    std::uint64_t bytes = 0;
    std::optional<Digest> blob{};  // what they become, where that is known
};
Result<>
claim_room(SqlSession& session, const RepositoryName& repository, const UploadId& id, const Room& room, Micros now)
{
    constexpr Micros lifetime = 3600LL * 1'000'000;
    TRY(const auto place, find_place(session, repository));
    if (!place || !place->limited) return {};
    if (room.blob) {
        TRY(const bool held, project_holds(session, place->project_id, *room.blob));
        if (held) return {};
    }
    return make_claim(session, *place, {id.text, static_cast<std::int64_t>(room.bytes), 0, now + lifetime}, now);
}

Result<> keep_room(SqlSession& session, const UploadId& id, std::uint64_t stored, Micros now)
{
    TRY(const auto rows, session.run(find_place_of, {id.text}));
    if (rows.empty()) return {};
    TRY(const auto repository, RepositoryName::parse(rows.front().text(0)));
    return claim_room(session, repository, id, {stored}, now);
}

Result<> write_upload(SqlSession& session, const UploadSession& upload, std::int64_t most_of_user)
{
    TRY(const auto count, session.run(count_of_user, {upload.user_id}));
    if (count.front().integer(0) >= most_of_user) {
        return fail(Errc::too_many_requests, "too many uploads are under way for this user");
    }
    TRY(const std::int64_t repository_id, repository_for_upload(session, upload));
    TRY(const auto inserted,
        session.run(
            insert_upload,
            {upload.id.text,
             repository_id,
             name_of(upload.algorithm),
             static_cast<std::int64_t>(upload.offset),
             SqlBytes{upload.hash_state},
             upload.fence,
             upload.user_id,
             upload.started_at,
             upload.touched_at}
        ));
    if (inserted.empty()) return fail(Errc::conflict, "an upload of this id is under way");
    return {};
}

}  // namespace

Task<> SqlUploads::begin(UploadSession session, std::int64_t most_of_user)
{
    const auto work = [upload = std::move(session), most_of_user](SqlSession& sql) {
        return write_upload(sql, upload, most_of_user);
    };
    co_return co_await engine_.write(Durability::process, work);
}

Task<UploadSession> SqlUploads::find(RepositoryName repository, UploadId id)
{
    const auto work = [repository, id](SqlSession& session) { return read_upload(session, repository, id); };
    co_return co_await engine_.read(work);
}

Task<UploadSession> SqlUploads::take(
    RepositoryName repository, UploadId id, std::uint64_t incoming, std::optional<Digest> becomes, Micros now
)
{
    const auto work = [repository, id, incoming, becomes, now](SqlSession& session) -> Result<UploadSession> {
        CHECK(session.run(raise_fence, {id.text, repository.text(), now}));
        TRY(auto upload, read_upload(session, repository, id));
        if (incoming > 0) CHECK(claim_room(session, repository, id, {upload.offset + incoming, becomes}, now));
        return upload;
    };
    co_return co_await engine_.write(Durability::process, work);
}

Task<> SqlUploads::advance(UploadId id, std::int64_t fence, std::uint64_t offset, std::string hash_state, Micros now)
{
    const auto work = [id, fence, offset, hash_state, now](SqlSession& session) -> Result<> {
        const auto written = static_cast<std::int64_t>(offset);
        TRY(const auto rows, session.run(advance_upload, {id.text, fence, written, SqlBytes{hash_state}, now}));
        if (!rows.empty()) return keep_room(session, id, offset, now);
        TRY(const auto other, session.run(find_any_upload, {id.text}));
        if (other.empty()) return no_such_upload();
        return fail(Errc::conflict, "another request has taken this upload over");
    };
    co_return co_await engine_.write(Durability::process, work);
}

Task<> SqlUploads::cancel(RepositoryName repository, UploadId id)
{
    const auto work = [repository, id](SqlSession& session) -> Result<> {
        TRY(const auto rows, session.run(delete_upload, {id.text, repository.text()}));
        if (rows.empty()) return no_such_upload();
        CHECK(session.run(forget_claim, {id.text}));
        return {};
    };
    co_return co_await engine_.write(Durability::process, work);
}

Task<std::vector<UploadSession>> SqlUploads::untouched_since(Micros before, std::int64_t limit)
{
    const auto work = [before, limit](SqlSession& session) -> Result<std::vector<UploadSession>> {
        TRY(auto rows, session.run(select_untouched, {before, limit}));
        std::vector<UploadSession> uploads;
        for (SqlRow& row : rows) {
            TRY(auto upload, session_of(row));
            uploads.push_back(std::move(upload));
        }
        return uploads;
    };
    co_return co_await engine_.read(work);
}

Task<> SqlUploads::forget(UploadId id)
{
    const auto work = [id](SqlSession& session) -> Result<> {
        CHECK(session.run(forget_upload, {id.text}));
        CHECK(session.run(forget_claim, {id.text}));
        return {};
    };
    co_return co_await engine_.write(Durability::process, work);
}

}  // namespace entrepot
