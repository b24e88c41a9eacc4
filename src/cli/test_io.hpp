#pragma once

#include "cli/ctl.hpp"
#include "cli/ctl_io.hpp"

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace entrepot {

// For tests: a terminal, a disk and a server that are all in memory. `answer` is the server; without one, nobody is
// there.
class TestIo final : public CtlIo {
public:
    using Server = std::function<ClientResponse(const ClientRequest&)>;

    void out(std::string_view text) override { said += text; }
    void error(std::string_view text) override { complained += text; }
    std::optional<std::string> variable(const char* name) const override
    {
        const auto found = variables.find(name);
        return found == variables.end() ? std::nullopt : std::optional{found->second};
    }
    std::string host_name() const override { return "desk"; }
    Micros now() const override { return 1'700'000'000'000'000; }
    void pause(std::chrono::milliseconds) override { ++pauses; }
    std::string random_word() override { return std::to_string(++random_words); }
    bool interactive() const override { return somebody; }
    bool draws() const override { return terminal; }
    Result<std::string> ask(std::string_view question, bool hidden) override
    {
        asked.push_back((hidden ? "hidden: " : "") + std::string{question});
        if (replies.empty()) return fail(Errc::cancelled, "no answer");
        auto reply = replies.front();
        replies.erase(replies.begin());
        return reply;
    }
    Result<std::string> read_input() override { return input; }
    Result<> write_private(const std::string& path, std::string_view text) override
    {
        files[path] = text;
        return {};
    }
    Result<std::string> read_file(const std::string& path) const override
    {
        const auto found = files.find(path);
        if (found == files.end()) return fail(Errc::not_found, "there is no file " + path);
        return found->second;
    }
    Result<ClientResponse> exchange(const HttpClientOptions&, ClientRequest request) override
    {
        requests.push_back(request);
        if (!answer) return fail(Errc::unavailable, "can't reach the server");
        return answer(request);
    }

    // The whole answer in one piece.
    Result<ClientResponse> stream(
        const HttpClientOptions& options, ClientRequest request, const std::function<bool(std::string_view bytes)>& take
    ) override
    {
        TRY(auto response, exchange(options, std::move(request)));
        if (response.status < 300) take(response.body);
        return response;
    }

    // Runs `entrepot ctl` with these words; what it says is only this run's.
    int run(std::vector<std::string> words)
    {
        said.clear();
        complained.clear();
        requests.clear();
        return run_ctl(*this, words);
    }

    std::map<std::string, std::string, std::less<>> variables{
        {"HOME", "/home/ada"},
        {"ENTREPOT_URL", "http://r:5000"},
        {"ENTREPOT_USER", "ada"},
        {"ENTREPOT_PASSWORD", "Secret1x"},
    };
    std::map<std::string, std::string> files;
    std::string input;
    int random_words = 0;
    int pauses = 0;
    bool somebody = false;
    bool terminal = false;
    std::vector<std::string> replies;
    Server answer;

    std::string said;
    std::string complained;
    std::vector<std::string> asked;
    std::vector<ClientRequest> requests;
};

inline ClientResponse json_answer(unsigned status, std::string body, std::vector<HttpField> fields = {})
{
    ClientResponse response;
    response.status = status;
    response.fields = std::move(fields);
    response.body = std::move(body);
    return response;
}

}  // namespace entrepot
