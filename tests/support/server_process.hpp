#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

namespace entrepot {

// A folder that goes with this object.
class ServerFolder {
public:
    ServerFolder()
    {
        const std::string pattern = (std::filesystem::temp_directory_path() / "server-XXXXXX").string();
        std::vector<char> name{pattern.begin(), pattern.end()};
        name.push_back('\0');
        if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error{"no folder can be made for a server"};
        path_ = name.data();
    }
    ~ServerFolder()
    {
        std::error_code unimportant;
        std::filesystem::remove_all(path_, unimportant);
    }
    ServerFolder(const ServerFolder&) = delete;
    ServerFolder& operator=(const ServerFolder&) = delete;
    const std::filesystem::path& path() const noexcept { return path_; }

private:
    std::filesystem::path path_;
};

inline std::uint16_t free_loopback_port()
{
    boost::asio::io_context loop;
    const boost::asio::ip::tcp::acceptor free{loop, {boost::asio::ip::address_v4::loopback(), 0}};
    return free.local_endpoint().port();
}

// A program that listens on 127.0.0.1:port, killed with this object or with the test. Throws std::runtime_error when it
// ends, or doesn't listen within half a minute.
class ServerProcess {
public:
    ServerProcess(std::vector<std::string> command, std::uint16_t port, const std::filesystem::path& log)
    {
        command.insert(command.begin(), {"setpriv", "--pdeathsig", "KILL"});
        std::vector<char*> arguments;
        for (const auto& each : command) arguments.push_back(const_cast<char*>(each.c_str()));
        arguments.push_back(nullptr);
        posix_spawn_file_actions_t files;
        ::posix_spawn_file_actions_init(&files);
        ::posix_spawn_file_actions_addopen(&files, 1, log.c_str(), O_WRONLY | O_CREAT, 0600);
        ::posix_spawn_file_actions_adddup2(&files, 1, 2);
        const auto failed = ::posix_spawnp(&pid_, "setpriv", &files, nullptr, arguments.data(), ::environ);
        ::posix_spawn_file_actions_destroy(&files);
        if (failed != 0) throw std::runtime_error{command[3] + " can't be started"};
        wait_for(port, command[3]);
    }
    ~ServerProcess() { stop(); }
    ServerProcess(const ServerProcess&) = delete;
    ServerProcess& operator=(const ServerProcess&) = delete;

private:
    void wait_for(std::uint16_t port, const std::string& name)
    {
        for (int tries = 0; tries < 600; ++tries) {
            boost::asio::io_context loop;
            boost::asio::ip::tcp::socket socket{loop};
            boost::system::error_code error;
            socket.connect({boost::asio::ip::address_v4::loopback(), port}, error);
            if (!error) return;
            if (::waitpid(pid_, nullptr, WNOHANG) == pid_) {
                pid_ = -1;
                throw std::runtime_error{name + " ends at once; is it installed (tools/install-test-deps.sh)?"};
            }
            std::this_thread::sleep_for(std::chrono::milliseconds{50});
        }
        stop();
        throw std::runtime_error{name + " does not listen"};
    }
    void stop()
    {
        if (pid_ <= 0) return;
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
        pid_ = -1;
    }

    ::pid_t pid_ = -1;
};

}  // namespace entrepot
