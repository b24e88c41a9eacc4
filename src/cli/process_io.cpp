#include "cli/ctl.hpp"

#include "core/clock.hpp"
#include "core/file_descriptor.hpp"
#include "core/host_name.hpp"
#include "core/random.hpp"
#include "core/run_to_end.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <thread>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

namespace entrepot {
namespace {

constexpr std::size_t most_input = 1024 * 1024;

std::unexpected<Error> system_failure(const std::string& path)
{
    return fail(Errc::internal, fmt::format("{}: {}", path, std::strerror(errno)));
}

// Turns the terminal's echo off while it lives.
class Silence {
public:
    explicit Silence(bool wanted)
    {
        if (!wanted || ::tcgetattr(STDIN_FILENO, &before_) != 0) return;
        auto silent = before_;
        silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
        active_ = ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) == 0;
    }
    ~Silence()
    {
        if (active_) ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
    }
    Silence(const Silence&) = delete;
    Silence& operator=(const Silence&) = delete;

private:
    termios before_{};
    bool active_ = false;
};

Result<> write_all(int descriptor, std::string_view text, const std::string& path)
{
    while (!text.empty()) {
        const auto count = ::write(descriptor, text.data(), text.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return system_failure(path);
        text.remove_prefix(static_cast<std::size_t>(count));
    }
    return {};
}

class ProcessIo final : public CtlIo {
public:
    void out(std::string_view text) override { std::fwrite(text.data(), 1, text.size(), stdout); }
    void error(std::string_view text) override
    {
        std::fflush(stdout);
        std::fwrite(text.data(), 1, text.size(), stderr);
    }

    std::optional<std::string> variable(const char* name) const override
    {
        const char* const value = std::getenv(name);
        return value != nullptr && *value != '\0' ? std::optional<std::string>{value} : std::nullopt;
    }

    std::string host_name() const override
    {
        const auto name = entrepot::host_name();
        return name.empty() ? "localhost" : name;
    }

    Micros now() const override { return clock_.now(); }

    void pause(std::chrono::milliseconds time) override { std::this_thread::sleep_for(time); }

    std::string random_word() override { return SystemRandom{}.hex(4); }

    bool interactive() const override { return ::isatty(STDIN_FILENO) == 1 && ::isatty(STDERR_FILENO) == 1; }

    bool draws() const override { return ::isatty(STDOUT_FILENO) == 1; }

    Result<std::string> ask(std::string_view question, bool hidden) override
    {
        error(question);
        std::fflush(stderr);
        const Silence silence{hidden};
        std::string answer;
        for (char byte = 0;;) {
            const auto count = ::read(STDIN_FILENO, &byte, 1);
            if (count < 0 && errno == EINTR) continue;
            if (count <= 0 && answer.empty()) return fail(Errc::cancelled, "no answer");
            if (count <= 0 || byte == '\n') break;
            answer += byte;
        }
        if (hidden) error("\n");
        return answer;
    }

    Result<std::string> read_input() override
    {
        std::string text;
        std::array<char, 4096> piece{};
        for (;;) {
            const auto count = ::read(STDIN_FILENO, piece.data(), piece.size());
            if (count < 0 && errno == EINTR) continue;
            if (count < 0) return system_failure("standard input");
            if (count == 0) return text;
            text.append(piece.data(), static_cast<std::size_t>(count));
            if (text.size() > most_input) return fail(Errc::bad_request, "standard input is too long");
        }
    }

    Result<> write_private(const std::string& path, std::string_view text) override
    {
        const auto directory = std::filesystem::path{path}.parent_path();
        std::error_code error;
        if (!directory.empty() && std::filesystem::create_directories(directory, error))
            std::filesystem::permissions(directory, std::filesystem::perms::owner_all, error);
        const auto draft = fmt::format("{}.{}", path, ::getpid());
        ::unlink(draft.c_str());
        {
            constexpr int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
            const FileDescriptor file{::open(draft.c_str(), flags, 0600)};
            if (!file) return system_failure(draft);
            CHECK(write_all(file.get(), text, draft));
            if (::fsync(file.get()) != 0) return system_failure(draft);
        }
        if (::rename(draft.c_str(), path.c_str()) != 0) return system_failure(path);
        return {};
    }

    Result<std::string> read_file(const std::string& path) const override
    {
        std::error_code error;
        if (!std::filesystem::exists(path, error))
            return fail(Errc::not_found, fmt::format("there is no file {}", path));
        std::ifstream file{path, std::ios::binary};
        std::ostringstream text;
        text << file.rdbuf();
        if (!file) return fail(Errc::internal, fmt::format("{} can't be read", path));
        return std::move(text).str();
    }

    Result<ClientResponse> exchange(const HttpClientOptions& options, ClientRequest request) override
    {
        TRY(auto* const client, client_of(options));
        return run_to_end(client->send(std::move(request)));
    }

    Result<ClientResponse> stream(
        const HttpClientOptions& options, ClientRequest request, const std::function<bool(std::string_view bytes)>& take
    ) override
    {
        TRY(auto* const client, client_of(options));
        return run_to_end(take_stream(*client, std::move(request), take));
    }

private:
    Result<HttpClient*> client_of(const HttpClientOptions& options)
    {
        const auto key = fmt::format("{}{}", options.insecure ? '!' : '=', options.ca_file);
        auto found = clients_.find(key);
        if (found == clients_.end()) {
            TRY(auto client, HttpClient::create(options));
            found = clients_.emplace(key, std::move(client)).first;
        }
        return &found->second;
    }

    static Task<ClientResponse>
    take_stream(HttpClient& client, ClientRequest request, const std::function<bool(std::string_view)>& take)
    {
        CO_TRY(auto stream, co_await client.open(std::move(request)));
        ClientResponse response;
        static_cast<ClientAnswerHead&>(response) = stream;
        if (response.status >= 300) {
            CO_TRY(response.body, co_await read_all(*stream.body, longest_refusal));
            co_return response;
        }
        std::string piece(4096, '\0');
        while (true) {
            const auto count = co_await stream.body->read(std::as_writable_bytes(std::span{piece}));
            if (!count || *count == 0) co_return response;
            const bool goes_on = take(std::string_view{piece}.substr(0, *count));
            // Whoever reads it shall not have to wait for more.
            std::fflush(stdout);
            if (!goes_on) co_return response;
        }
    }

    static constexpr std::size_t longest_refusal = 64 * 1024;
    SystemClock clock_;
    std::map<std::string, HttpClient> clients_;
};

}  // namespace

std::unique_ptr<CtlIo> make_process_io()
{
    return std::make_unique<ProcessIo>();
}

}  // namespace entrepot
