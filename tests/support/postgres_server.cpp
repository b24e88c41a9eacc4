#include "tests/support/postgres_server.hpp"

#include <libpq-fe.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

namespace entrepot {

namespace fs = std::filesystem;

namespace {

fs::path newest_binaries()
{
    std::vector<fs::path> found;
    std::error_code none;
    for (const auto& entry : fs::directory_iterator{"/usr/lib/postgresql", none}) {
        if (fs::exists(entry.path() / "bin" / "initdb")) found.push_back(entry.path() / "bin");
    }
    if (found.empty()) {
        throw std::runtime_error{"PostgreSQL is not installed: these tests need the Debian package postgresql-15"};
    }
    return *std::ranges::max_element(found);
}

std::uint16_t free_port()
{
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    const bool bound = ::bind(listener, reinterpret_cast<sockaddr*>(&address), length) == 0 &&
                       ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length) == 0;
    ::close(listener);
    if (!bound) throw std::runtime_error{"no port is free on 127.0.0.1"};
    return ntohs(address.sin_port);
}

// PostgreSQL refuses to run as root.
std::vector<std::string> as_postgres(std::vector<std::string> command)
{
    if (::geteuid() != 0) return command;
    std::vector<std::string> whole{
        "setpriv", "--reuid", "postgres", "--regid", "postgres", "--clear-groups", "--pdeathsig", "INT"
    };
    whole.insert(whole.end(), command.begin(), command.end());
    return whole;
}

::pid_t spawn(const std::vector<std::string>& command, const fs::path& log)
{
    std::vector<char*> arguments;
    for (const std::string& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_addopen(&actions, 1, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
    ::posix_spawn_file_actions_adddup2(&actions, 1, 2);
    ::pid_t process = 0;
    const int failed = ::posix_spawnp(&process, arguments[0], &actions, nullptr, arguments.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    if (failed != 0) throw std::runtime_error{"cannot start " + command.front()};
    return process;
}

using Connection = std::unique_ptr<PGconn, decltype(&PQfinish)>;
using Answer = std::unique_ptr<PGresult, decltype(&PQclear)>;

Answer ask(const Connection& connection, const std::string& text)
{
    Answer answer{PQexec(connection.get(), text.c_str()), PQclear};
    const auto status = PQresultStatus(answer.get());
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
        throw std::runtime_error{PQerrorMessage(connection.get())};
    return answer;
}

Connection connect(const std::string& url)
{
    Connection connection{PQconnectdb(url.c_str()), PQfinish};
    if (PQstatus(connection.get()) != CONNECTION_OK) throw std::runtime_error{PQerrorMessage(connection.get())};
    PQsetNoticeProcessor(connection.get(), [](void*, const char*) {}, nullptr);
    return connection;
}

}  // namespace

PostgresServer::PostgresServer() : binaries_{newest_binaries()}
{
    std::string pattern = (fs::temp_directory_path() / "postgres-XXXXXX").string();
    if (!::mkdtemp(pattern.data())) throw std::runtime_error{"no temporary directory for PostgreSQL"};
    directory_ = pattern;
    const passwd* postgres = ::getpwnam("postgres");
    if (::geteuid() == 0 && (!postgres || ::chown(directory_.c_str(), postgres->pw_uid, postgres->pw_gid) != 0)) {
        throw std::runtime_error{"there is no user postgres to run PostgreSQL as"};
    }
    const auto command = as_postgres(
        {binary("initdb"),
         "-D",
         directory_ / "data",
         "-U",
         "postgres",
         "-A",
         "trust",
         "-N",
         "-E",
         "UTF8",
         "--locale=C.UTF-8"}
    );
    int status = 0;
    ::waitpid(spawn(command, directory_ / "initdb.log"), &status, 0);
    if (status != 0) throw std::runtime_error{"initdb failed, see " + (directory_ / "initdb.log").string()};
    port_ = free_port();
    start();
}

PostgresServer::~PostgresServer()
{
    stop();
    std::error_code ignored;
    fs::remove_all(directory_, ignored);
}

PostgresServer& PostgresServer::shared()
{
    static PostgresServer server;
    return server;
}

void PostgresServer::start()
{
    if (process_ != 0) return;
    const auto command = as_postgres(
        {binary("postgres"),
         "-D",
         directory_ / "data",
         "-p",
         std::to_string(port_),
         "-c",
         "listen_addresses=127.0.0.1",
         "-c",
         "unix_socket_directories=" + directory_.string(),
         "-c",
         "fsync=off",
         "-c",
         "max_connections=200",
         "-c",
         "shared_buffers=32MB"}
    );
    process_ = spawn(command, directory_ / "server.log");
    for (int i = 0; i < 600; ++i) {
        if (PQping(url("postgres").c_str()) == PQPING_OK) return;
        if (::waitpid(process_, nullptr, WNOHANG) == process_) {
            process_ = 0;
            break;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds{50});
    }
    throw std::runtime_error{"PostgreSQL did not start, see " + (directory_ / "server.log").string()};
}

void PostgresServer::stop()
{
    if (process_ == 0) return;
    ::kill(process_, SIGCONT);
    ::kill(process_, SIGQUIT);
    ::waitpid(process_, nullptr, 0);
    process_ = 0;
}

void PostgresServer::freeze()
{
    ::kill(process_, SIGSTOP);
}

void PostgresServer::thaw()
{
    ::kill(process_, SIGCONT);
}

std::string PostgresServer::url(const std::string& database) const
{
    return "postgresql://postgres@127.0.0.1:" + std::to_string(port_) + "/" + database;
}

std::string PostgresServer::create_database()
{
    const std::string name = "test_" + std::to_string(++databases_);
    run_on_postgres(url("postgres"), "CREATE DATABASE " + name);
    return url(name);
}

void PostgresServer::drop_database(const std::string& url_of_it)
{
    run_on_postgres(url("postgres"), "DROP DATABASE " + url_of_it.substr(url_of_it.rfind('/') + 1) + " WITH (FORCE)");
}

fs::path PostgresServer::binary(const char* name) const
{
    return binaries_ / name;
}

void run_on_postgres(const std::string& url, const std::string& script)
{
    ask(connect(url), script);
}

std::int64_t number_on_postgres(const std::string& url, const std::string& query)
{
    const Connection connection = connect(url);
    const Answer answer = ask(connection, query);
    return std::stoll(PQgetvalue(answer.get(), 0, 0));
}

}  // namespace entrepot
