#pragma once

#include "cli/ctl_api.hpp"
#include "cli/ctl_command.hpp"
#include "cli/ctl_io.hpp"
#include "cli/ctl_line.hpp"
#include "cli/ctl_text.hpp"

#include <boost/json/value.hpp>

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace entrepot {

// One run of one command: its words, its server, and how it answers.
class CtlRun {
public:
    CtlRun(CtlIo& io, const CtlLine& line) : io_{io}, line_{line} {}

    CtlIo& io() noexcept { return io_; }
    const CtlLine& line() const noexcept { return line_; }
    std::string_view value(std::string_view name) const { return line_.value(name); }
    bool has(std::string_view name) const { return line_.has(name); }
    bool quiet() const { return has("quiet"); }

    Result<CtlApi*> api();  // made when first asked for; unauthorized where there is no context
    // The same for what only a password can do, where a token is kept: the environment's, else it is asked for.
    // unauthorized where nobody is there.
    Result<CtlApi*> api_with_password();
    void use_password(const std::string& password);  // in the place of a token; only after api()

    // "projects/{project}/members/{user:member}": each part is a value of the line, percent-encoded, or what the
    // look-up of that name makes of it (ctl_lookup.hpp).
    Result<std::string> path(std::string_view pattern);
    // The request's body: of every argument and option with a field, what was given.
    Result<boost::json::object> body();

    // A list from the server, as it comes; --limit, --query and --sort count. `conditions` go into the query, too.
    // `adorn` changes a row before it goes into a table.
    using Adorn = std::function<Result<>(boost::json::object& row)>;
    Result<> print_list(
        std::string_view path, std::span<const CtlColumn> columns, std::string conditions = {}, const Adorn& adorn = {}
    );
    Result<> print_rows(const boost::json::array& rows, std::span<const CtlColumn> columns);
    void print_object(const boost::json::value& object, std::span<const CtlColumn> columns);
    // "tenant acme: created", unless --quiet.
    void say(std::string_view text);
    // The new object where -o asks for one, otherwise what happened to it.
    Result<> print_change(const CtlAnswer& answer, std::string_view text);

    // bad_request when the answer is no, or when nobody is there to give one and --yes is missing.
    Result<> confirm(const std::string& what);
    // A secret that must not stand on the command line: from standard input with --NAME-stdin, from the variable, or
    // asked for.
    Result<std::string> secret(std::string_view option, const char* variable, std::string_view question);

private:
    std::string_view format() const { return has("output") ? value("output") : std::string_view{"table"}; }

    CtlIo& io_;
    const CtlLine& line_;
    std::optional<CtlApi> api_;
};

// What an option's text means: "10GiB" → 10737418240. `now` for moments that are told as a distance. bad_request.
Result<boost::json::value> ctl_value(const CtlOption& option, std::string_view text, Micros now);

}  // namespace entrepot
