#pragma once

#include "client/http_client.hpp"
#include "core/clock.hpp"
#include "core/error.hpp"

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace entrepot {

// What `entrepot ctl` touches outside of itself, so that tests can stand in for all of it. Used on one thread.
class CtlIo {
public:
    virtual ~CtlIo() = default;

    virtual void out(std::string_view text) = 0;    // standard output
    virtual void error(std::string_view text) = 0;  // standard error
    virtual std::optional<std::string> variable(const char* name) const = 0;
    virtual std::string host_name() const = 0;
    virtual Micros now() const = 0;
    virtual void pause(std::chrono::milliseconds time) = 0;
    virtual std::string random_word() = 0;  // lower-case hexadecimal, another one each time

    // Somebody is there to answer questions.
    virtual bool interactive() const = 0;
    virtual Result<std::string> ask(std::string_view question, bool hidden) = 0;
    virtual Result<std::string> read_input() = 0;  // standard input to its end
    // A file that only its owner can read, put in place as a whole.
    virtual Result<> write_private(const std::string& path, std::string_view text) = 0;
    virtual Result<std::string> read_file(const std::string& path) const = 0;  // not_found

    virtual Result<ClientResponse> exchange(const HttpClientOptions& options, ClientRequest request) = 0;
    // The same with the body of a success handed over as it comes, until it ends or `take` answers false. A connection
    // that is lost after its head ends it, too.
    virtual Result<ClientResponse> stream(
        const HttpClientOptions& options, ClientRequest request, const std::function<bool(std::string_view bytes)>& take
    ) = 0;

    // Standard output is a terminal, on which lines can be drawn again.
    virtual bool draws() const = 0;
};

}  // namespace entrepot
