#include "drivers/postgres/postgres_store.hpp"

#include "tests/contract/metadata_store_contract.hpp"
#include "tests/contract/metadata_store_fixture.hpp"
#include "tests/contract/metadata_store_recounts.hpp"
#include "tests/support/crowd.hpp"
#include "tests/support/postgres_server.hpp"

#include <libpq-fe.h>

#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <sstream>

namespace entrepot::contract {

namespace {

PostgresOptions options(const std::string& url)
{
    PostgresOptions chosen;
    chosen.url = url;
    chosen.connections = 6;
    return chosen;
}

class PostgresHost final : public MetadataHost {
public:
    PostgresHost() : url_{PostgresServer::shared().create_database()} { reopen(); }
    ~PostgresHost() override
    {
        store_.reset();
        PostgresServer::shared().drop_database(url_);
    }
    MetadataStore& store() override { return *store_; }
    void reopen() override
    {
        store_.reset();
        auto patient = options(url_);
        patient.patience = std::chrono::minutes{1};  // no contract is about a machine that stands still at times
        store_ = open_postgres_store(patient, clock_);
    }
    std::int64_t number(const std::string& query) override { return number_on_postgres(url_, query); }
    bool peeks() const override { return false; }

private:
    std::string url_;
    SystemClock clock_;
    std::unique_ptr<MetadataStore> store_;
};

}  // namespace

const MetadataEngine& engine_under_test()
{
    static const MetadataEngine engine{"postgres", [] { return std::make_unique<PostgresHost>(); }};
    return engine;
}

namespace {

// Counts what the change feed says and lets a test wait for more of it.
class Changes {
public:
    void happened()
    {
        const std::lock_guard lock{mutex_};
        ++count_;
        more_.notify_all();
    }
    // False when nothing came for half a minute.
    bool wait_for_more_than(int count)
    {
        std::unique_lock lock{mutex_};
        return more_.wait_for(lock, std::chrono::seconds{30}, [&] { return count_ > count; });
    }
    int count()
    {
        const std::lock_guard lock{mutex_};
        return count_;
    }

private:
    std::mutex mutex_;
    std::condition_variable more_;
    int count_ = 0;
};

// Asks until it succeeds, for as long as a test may take.
bool works_again(MetadataStore& store)
{
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds{60};
    while (std::chrono::steady_clock::now() < give_up) {
        if (run(store.health().probe())) return true;
        std::this_thread::sleep_for(std::chrono::milliseconds{50});
    }
    return false;
}

TEST(PostgresStore, answers_unavailable_while_the_server_is_away_and_works_again_afterwards)
{
    PostgresServer server;
    const SystemClock clock;
    const auto store = open_postgres_store(options(server.create_database()), clock);
    ASSERT_TRUE(run(store->projects().create({.name = project("p")}, {1, 1})));
    ASSERT_TRUE(run(store->blobs().arrive(arrival(repository("p/a"), "kept"))));
    server.stop();
    for (int i = 0; i < 10; ++i) {
        EXPECT_FAILS(Errc::unavailable, run(store->blobs().arrive(arrival(repository("p/a"), "lost"))));
        EXPECT_FAILS(Errc::unavailable, run(store->blobs().load(repository("p/a"), digest_of("kept"))));
        EXPECT_FAILS(Errc::unavailable, run(store->health().probe()));
    }
    server.start();
    ASSERT_TRUE(works_again(*store));
    EXPECT_EQ(run(store->blobs().load(repository("p/a"), digest_of("kept"))).value(), 4U);
    EXPECT_SUCCEEDS(run(store->blobs().arrive(arrival(repository("p/a"), "later"))));
}

TEST(PostgresStore, gives_up_on_a_server_that_accepts_connections_and_never_answers)
{
    PostgresServer server;
    const SystemClock clock;
    const auto store = open_postgres_store(options(server.create_database()), clock);
    server.freeze();
    EXPECT_FAILS(Errc::unavailable, run(store->health().probe()));
    EXPECT_FAILS(Errc::unavailable, run(store->projects().create({.name = project("p")}, {1, 1})));
    server.thaw();
    EXPECT_TRUE(works_again(*store));
}

TEST(PostgresStore, loses_no_acknowledged_push_when_the_server_is_cut_off_under_load)
{
    PostgresServer server;
    const SystemClock clock;
    const auto store = open_postgres_store(options(server.create_database()), clock);
    ASSERT_TRUE(run(store->projects().create({.name = project("p")}, {1, 1})));
    std::mutex mutex;
    std::vector<std::string> acknowledged;
    std::atomic<bool> stop = false;
    Crowd crowd;
    for (int i = 0; i < 3; ++i) {
        crowd.add([&, i] {
            for (int round = 0; !stop; ++round) {
                const std::string content = std::to_string(i) + "-" + std::to_string(round);
                if (!run(store->blobs().arrive(arrival(repository("p/a"), content)))) continue;
                const std::lock_guard lock{mutex};
                acknowledged.push_back(content);
            }
        });
    }
    const auto count = [&] {
        const std::lock_guard lock{mutex};
        return acknowledged.size();
    };
    while (count() < 50) std::this_thread::yield();
    server.stop();
    server.start();
    const bool back = works_again(*store);
    stop = true;
    crowd.join();
    ASSERT_TRUE(back);
    for (const std::string& content : acknowledged) {
        ASSERT_TRUE(run(store->blobs().load(repository("p/a"), digest_of(content)))) << content;
    }
}

TEST(PostgresStore, tells_another_instance_of_changed_projects_and_of_nothing_else)
{
    const SystemClock clock;
    const std::string url = PostgresServer::shared().create_database();
    const auto here = open_postgres_store(options(url), clock);
    Changes changes;
    PostgresOptions following = options(url);
    following.on_access_changed = [&changes] { changes.happened(); };
    const auto there = open_postgres_store(following, clock);
    ASSERT_TRUE(changes.wait_for_more_than(0)) << "once at the start";
    const auto made = run(here->projects().create({.name = project("p")}, {1, 1}));
    ASSERT_TRUE(made);
    ASSERT_TRUE(changes.wait_for_more_than(1));
    const std::int64_t before = number_on_postgres(url, "SELECT version FROM access_state");
    ASSERT_TRUE(run(here->blobs().arrive(arrival(repository("p/a"), "bytes"))));
    EXPECT_EQ(number_on_postgres(url, "SELECT version FROM access_state"), before)
        << "bytes are no change of a project";
    const int heard = changes.count();
    ASSERT_TRUE(run(here->projects().change(made->id, {.is_public = true}, {1, 1})));
    ASSERT_TRUE(changes.wait_for_more_than(heard));
    there->stop();
}

// On PostgreSQL a locked row is answered as it is after the wait, and what is joined to it as it was before.
TEST(PostgresStore, a_push_that_waited_for_a_change_of_its_projects_role_sees_the_new_one)
{
    const SystemClock clock;
    const std::string url = PostgresServer::shared().create_database();
    auto patient = options(url);
    patient.patience = std::chrono::minutes{1};
    const auto store = open_postgres_store(patient, clock);
    const auto id = run(store->projects().create({.name = project("p")}, {1, 1}))->id;
    const RepositoryName name = repository("p/a");
    ASSERT_TRUE(run(store->blobs().arrive(arrival(name, "c"))));
    const std::unique_ptr<PGconn, void (*)(PGconn*)> holder{PQconnectdb(url.c_str()), &PQfinish};
    const auto hold = [&](const char* statement) {
        const std::unique_ptr<PGresult, void (*)(PGresult*)> done{PQexec(holder.get(), statement), &PQclear};
        const auto status = PQresultStatus(done.get());
        return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
    };
    ASSERT_TRUE(hold("BEGIN"));
    ASSERT_TRUE(hold("SELECT id FROM repositories FOR UPDATE"));
    const auto somebody_waits = [&](std::int64_t count) {
        const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds{30};
        while (std::chrono::steady_clock::now() < give_up) {
            const auto waiting = number_on_postgres(
                url,
                "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            );
            if (waiting >= count) return true;
            std::this_thread::sleep_for(std::chrono::milliseconds{10});
        }
        return false;
    };
    // They get the row in the order in which they asked for it.
    std::optional<Errc> refused;
    bool followed = false;
    Crowd crowd;
    crowd.add([&] { followed = run(store->synchronous().follow(id, 1, "https://home.example", {1, 1})).has_value(); });
    const bool first = somebody_waits(1);
    crowd.add([&] {
        const auto done = run(store->manifests().commit(pushed(name, Image{.blobs = {"c"}}, {"v1"})));
        if (!done) refused = done.error().code();
    });
    const bool second = somebody_waits(2);
    const bool released = hold("COMMIT");
    crowd.join();
    EXPECT_TRUE(first && second && released && followed);
    EXPECT_EQ(refused, Errc::denied);
}

TEST(PostgresStore, several_instances_may_start_on_an_empty_database_at_once)
{
    const SystemClock clock;
    const std::string url = PostgresServer::shared().create_database();
    std::atomic<int> opened = 0;
    Crowd crowd;
    for (int i = 0; i < 4; ++i) {
        crowd.add([&] {
            const auto store = open_postgres_store(options(url), clock);
            if (run(store->health().probe())) ++opened;
        });
    }
    crowd.join();
    EXPECT_EQ(opened, 4);
}

TEST(PostgresStore, refuses_to_start_without_a_server_or_on_a_schema_that_is_too_new)
{
    const SystemClock clock;
    EXPECT_THROW(open_postgres_store(options("postgresql://postgres@127.0.0.1:1/none"), clock), std::runtime_error);
    EXPECT_THROW(open_postgres_store(options("not a connection string"), clock), std::runtime_error);
    const std::string url = PostgresServer::shared().create_database();
    (void)open_postgres_store(options(url), clock);
    run_on_postgres(url, "INSERT INTO schema_migrations VALUES (1000, 'later', 1, 0)");
    EXPECT_NO_THROW(open_postgres_store(options(url), clock));
    run_on_postgres(url, "UPDATE schema_migrations SET oldest_binary = 999 WHERE version = 1000");
    EXPECT_THROW(open_postgres_store(options(url), clock), std::runtime_error);
}

TEST(PostgresStore, brings_a_database_of_an_older_schema_to_the_newest)
{
    const SystemClock clock;
    const std::filesystem::path fixtures =
        std::filesystem::path{__FILE__}.parent_path() / "../../../tests/contract/fixtures";
    for (const std::string name :
         {"postgres_v1.sql",
          "postgres_v2.sql",
          "postgres_v7.sql",
          "postgres_v11.sql",
          "postgres_v15.sql",
          "postgres_v16.sql",
          "postgres_v17.sql"}) {
        SCOPED_TRACE(name);
        std::ifstream file{fixtures / name};
        ASSERT_TRUE(file.is_open());
        std::ostringstream text;
        text << file.rdbuf();
        const std::string url = PostgresServer::shared().create_database();
        run_on_postgres(url, text.str());
        const auto store = open_postgres_store(options(url), clock);
        for (const auto& query : recounts()) EXPECT_EQ(number_on_postgres(url, query), 0) << query;
        if (name == "postgres_v16.sql" || name == "postgres_v17.sql") expect_swarm_rows(*store);
        if (name == "postgres_v17.sql") expect_preheat_rows(*store);
        expect_fixture_rows(*store);
    }
}

// With --gtest_also_run_disabled_tests: leaves postgres_fixture.sql in the working directory.
TEST(PostgresStore, DISABLED_dumps_a_database_for_a_new_fixture)
{
    const SystemClock clock;
    const std::string url = PostgresServer::shared().create_database();
    write_fixture_rows(*open_postgres_store(options(url), clock));
    const std::string command = "pg_dump --inserts --no-owner " + url + " > postgres_fixture.sql";
    EXPECT_EQ(std::system(command.c_str()), 0);
}

}  // namespace

}  // namespace entrepot::contract
