#include "drivers/postgres/postgres_connection.hpp"

#include "drivers/postgres/postgres_values.hpp"

#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <utility>

namespace entrepot {

namespace {

// A server that is set to forget is asked not to: what we acknowledge is durable. A stricter setting stays.
constexpr const char* prepare_session = "SET statement_timeout = 4500; SET client_min_messages = warning; "
                                        "SELECT set_config('synchronous_commit', 'on', false) WHERE "
                                        "current_setting('synchronous_commit') IN ('off', 'local')";

constexpr const char* begin_durable = "BEGIN";
constexpr const char* begin_process = "BEGIN; SET LOCAL synchronous_commit TO OFF";

constexpr std::chrono::seconds longest_connecting{3};

}  // namespace

void PostgresConnection::Cleared::operator()(pg_result* result) const noexcept
{
    PQclear(result);
}

Result<> PostgresConnection::connect()
{
    disconnect();
    // What stands before dbname is a default that the URL may replace.
    static constexpr const char* keywords[] = {
        "fallback_application_name", "tcp_user_timeout", "keepalives_idle", "dbname", "client_encoding", nullptr
    };
    const char* values[] = {"entrepot", "4000", "10", url_.c_str(), "UTF8", nullptr};
    connection_ = PQconnectStartParams(keywords, values, 1);
    const TimePoint whole = deadline_;
    deadline_ = std::min(whole, clock_.steady() + longest_connecting);
    auto done = finish_connecting();
    if (done) done = run_script(prepare_session);
    deadline_ = whole;
    if (!done) disconnect();
    return done;
}

Result<> PostgresConnection::finish_connecting()
{
    if (!connection_ || PQstatus(connection_) == CONNECTION_BAD) return lost("connecting");
    PQsetNoticeProcessor(connection_, [](void*, const char*) {}, nullptr);
    auto state = PGRES_POLLING_WRITING;
    while (state != PGRES_POLLING_OK) {
        CHECK(wait_for_socket(state == PGRES_POLLING_WRITING));
        state = PQconnectPoll(connection_);
        if (state == PGRES_POLLING_FAILED) return lost("connecting");
    }
    if (PQsetnonblocking(connection_, 1) != 0) return lost("connecting");
    return {};
}

void PostgresConnection::disconnect() noexcept
{
    if (connection_) PQfinish(connection_);
    connection_ = nullptr;
    prepared_.clear();
}

Result<SqlRows> PostgresConnection::run_with(const SqlStatement& statement, std::span<const SqlParameter> parameters)
{
    const PostgresParameters given{parameters};
    const std::pair key{statement.text, statement.row_lock};
    const auto known = prepared_.find(key);
    if (known == prepared_.end()) {
        const std::string name = "s" + std::to_string(prepared_.size());
        const std::string text = std::string{statement.text} + " " + statement.row_lock;
        if (!connection_ ||
            PQsendPrepare(connection_, name.c_str(), text.c_str(), given.count(), given.types.data()) == 0) {
            return lost(statement.text);
        }
        CHECK(answer());
        prepared_.emplace(key, name);
    }
    const std::string& name = prepared_.at(key);
    const int sent = PQsendQueryPrepared(
        connection_, name.c_str(), given.count(), given.values.data(), given.lengths.data(), given.formats.data(), 1
    );
    if (sent == 0) return lost(statement.text);
    TRY(const Answer rows, answer());
    return rows_of(rows.get());
}

Result<SqlRows> PostgresConnection::run_once(const std::string& text, std::span<const SqlParameter> parameters)
{
    const PostgresParameters given{parameters};
    const bool sent = connection_ && PQsendQueryParams(
                                         connection_,
                                         text.c_str(),
                                         given.count(),
                                         given.types.data(),
                                         given.values.data(),
                                         given.lengths.data(),
                                         given.formats.data(),
                                         1
                                     ) != 0;
    if (!sent) return lost(text.c_str());
    TRY(const Answer rows, answer());
    return rows_of(rows.get());
}

Result<> PostgresConnection::run_script(std::string_view text)
{
    const std::string script{text};
    if (!connection_ || PQsendQuery(connection_, script.c_str()) == 0) return lost("script");
    CHECK(answer());
    return {};
}

Result<> PostgresConnection::begin(Durability durability)
{
    return run_script(durability == Durability::durable ? begin_durable : begin_process);
}

// COMMIT of a transaction that has failed answers ROLLBACK and is no error to the server.
Result<> PostgresConnection::commit()
{
    if (!connection_ || PQsendQuery(connection_, "COMMIT") == 0) return lost("COMMIT");
    TRY(const Answer done, answer());
    if (std::string_view{PQcmdStatus(done.get())} != "COMMIT") {
        return fail(Errc::unavailable, "the metadata store gave the transaction up");
    }
    return {};
}

void PostgresConnection::rollback()
{
    if (!connection_ || PQtransactionStatus(connection_) == PQTRANS_IDLE) return;
    const bool again = worth_repeating_;
    if (!run_script("ROLLBACK")) disconnect();
    worth_repeating_ = again;
}

int PostgresConnection::socket() const noexcept
{
    return connection_ ? PQsocket(connection_) : -1;
}

Result<std::vector<std::string>> PostgresConnection::take_notifications()
{
    if (!connection_ || PQconsumeInput(connection_) == 0) return lost("listening");
    std::vector<std::string> channels;
    while (PGnotify* notification = PQnotifies(connection_)) {
        channels.emplace_back(notification->relname);
        PQfreemem(notification);
    }
    return channels;
}

// Everything that was queued is on its way.
Result<> PostgresConnection::send_all()
{
    while (true) {
        const int left = PQflush(connection_);
        if (left < 0) return lost("sending");
        if (left == 0) return {};
        CHECK(wait_for_socket(true));
        if (PQconsumeInput(connection_) == 0) return lost("sending");
    }
}

// Null when all has been answered.
Result<PostgresConnection::Answer> PostgresConnection::next_answer()
{
    while (PQisBusy(connection_) != 0) {
        CHECK(wait_for_socket(false));
        if (PQconsumeInput(connection_) == 0) return lost("waiting for an answer");
    }
    return Answer{PQgetResult(connection_)};
}

// The last answer of what was sent, or the first that is an error.
Result<PostgresConnection::Answer> PostgresConnection::answer()
{
    worth_repeating_ = false;
    CHECK(send_all());
    Answer last;
    Answer error;
    while (true) {
        TRY(Answer next, next_answer());
        if (!next) break;
        const auto status = PQresultStatus(next.get());
        const bool fine = status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK || status == PGRES_EMPTY_QUERY;
        (fine || error ? last : error) = std::move(next);
    }
    if (PQstatus(connection_) == CONNECTION_BAD) return lost("waiting for an answer");
    if (error) return refused(error.get());
    if (!last) return lost("waiting for an answer");
    return last;
}

Result<> PostgresConnection::stream(const std::string& text, const std::function<Result<>(SqlRow&)>& each)
{
    const bool sent = connection_ &&
                      PQsendQueryParams(connection_, text.c_str(), 0, nullptr, nullptr, nullptr, nullptr, 1) != 0 &&
                      PQsetSingleRowMode(connection_) != 0;
    if (!sent) return lost(text.c_str());
    CHECK(send_all());
    while (true) {
        TRY(const Answer next, next_answer());
        if (!next) return {};
        const auto status = PQresultStatus(next.get());
        if (status != PGRES_SINGLE_TUPLE && status != PGRES_TUPLES_OK) {
            auto failure = refused(next.get());
            disconnect();
            return failure;
        }
        for (auto& row : rows_of(next.get())) {
            if (auto taken = each(row); !taken) {
                disconnect();
                return taken;
            }
        }
    }
}

Result<> PostgresConnection::copy_in(const std::string& command, std::string_view data)
{
    constexpr std::size_t piece = 1 << 20;
    if (!connection_ || PQsendQuery(connection_, command.c_str()) == 0) return lost(command.c_str());
    CHECK(send_all());
    TRY(const Answer ready, next_answer());
    if (!ready) return lost(command.c_str());
    if (PQresultStatus(ready.get()) != PGRES_COPY_IN) return refused(ready.get());
    const auto queue = [this](auto put) -> Result<> {
        while (true) {
            const int queued = put();
            if (queued < 0) return lost("COPY");
            if (queued > 0) return send_all();
            CHECK(wait_for_socket(true));
        }
    };
    for (std::size_t at = 0; at < data.size(); at += piece) {
        const auto part = data.substr(at, piece);
        CHECK(queue([&] { return PQputCopyData(connection_, part.data(), static_cast<int>(part.size())); }));
    }
    CHECK(queue([&] { return PQputCopyEnd(connection_, nullptr); }));
    CHECK(answer());
    return {};
}

Result<> PostgresConnection::wait_for_socket(bool also_writing)
{
    while (true) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline_ - clock_.steady());
        if (left.count() <= 0) {
            disconnect();
            return fail(Errc::unavailable, "the metadata store does not answer", "PostgreSQL did not answer in time");
        }
        pollfd waited{};
        waited.fd = PQsocket(connection_);
        waited.events = static_cast<short>(also_writing ? POLLIN | POLLOUT : POLLIN);
        const int ready = ::poll(&waited, 1, static_cast<int>(std::min<std::int64_t>(left.count(), 10'000)));
        if (ready > 0) return {};
        if (ready < 0 && errno != EINTR) return lost("waiting for an answer");
    }
}

std::unexpected<Error> PostgresConnection::lost(const char* doing)
{
    std::string detail = connection_ ? PQerrorMessage(connection_) : "no connection";
    while (!detail.empty() && detail.back() == '\n') detail.pop_back();
    disconnect();
    worth_repeating_ = false;
    return fail(Errc::unavailable, "the metadata store does not answer", detail + " in: " + doing);
}

std::unexpected<Error> PostgresConnection::refused(const pg_result* result)
{
    const char* field = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const std::string_view state = field ? field : "";
    std::string detail = std::string{state} + ": " + PQresultErrorMessage(result);
    while (!detail.empty() && detail.back() == '\n') detail.pop_back();
    // Deadlock, serialization failure; a referenced row that went, or an equal one that came, since we looked.
    worth_repeating_ = state == "40P01" || state == "40001" || state == "23503" || state == "23505";
    if (state == "53100") return fail(Errc::storage_full, "the metadata store is full", detail);
    if (state.starts_with("23")) return fail(Errc::conflict, "another change stands against this one", detail);
    if (state == "22021" || state == "22P05")
        return fail(Errc::bad_request, "a text holds characters that can't be stored", detail);
    // The server ends this session, or is about to.
    if (state.starts_with("57P") || state.starts_with("08")) disconnect();
    return fail(Errc::unavailable, "the metadata store does not answer", detail);
}

}  // namespace entrepot
