#pragma once

#include "cli/ctl_config.hpp"
#include "cli/ctl_io.hpp"
#include "core/error.hpp"

#include <boost/json/value.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace entrepot {

// An answer of the management API: its body (null when there is none, a string when it is plain text) and what else
// counts.
struct CtlAnswer {
    boost::json::value body;
    std::string location;
    std::string etag;
    std::int64_t total = -1;        // of a list's entries, where it says so
    std::int64_t next_cursor = -1;  // where a list that is read by a cursor goes on
};

// The management API of one server, as one caller. Paths are relative to /api/v2.0 and already encoded.
// Errors: not_found, denied, unauthorized, conflict, precondition_failed, unprocessable (any other refusal),
// unavailable (nobody there, or the server can't just now), internal (what answers is no such API).
class CtlApi {
public:
    CtlApi(CtlIo& io, CtlContext context);

    Result<boost::json::value> get(std::string_view path);
    Result<CtlAnswer> call(
        std::string_view method,
        std::string_view path,
        const boost::json::value& body = {},
        std::string_view if_match = {}
    );
    // All entries of a list, page after page, at most `limit` where that is above 0. `path` may have a query.
    Result<> each(
        std::string_view path,
        std::int64_t limit,
        const std::function<Result<>(const boost::json::object& entry)>& visit
    );
    Result<boost::json::array> all(std::string_view path);
    // A stream of server-sent events from after `last_id` (empty: from now on), piece by piece as they come, until it
    // ends or `take` answers false.
    Result<>
    stream(std::string_view path, std::string_view last_id, const std::function<bool(std::string_view bytes)>& take);

    const CtlContext& context() const noexcept { return context_; }

private:
    ClientRequest request(std::string_view method, std::string_view path) const;

    CtlIo& io_;
    CtlContext context_;
    HttpClientOptions options_;
    std::string authorization_;
};

}  // namespace entrepot
