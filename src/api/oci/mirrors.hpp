#pragma once

#include "core/error.hpp"
#include "http/message.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace entrepot {

// Which project answers for which registry elsewhere: clients that know this one as a mirror ask it for the name that
// the repository has there, and say with `ns` where that is (distribution-spec after 1.1, "Registry proxying").
class Mirrors {
public:
    // Of lines "host[:port]=project". bad_request.
    static Result<Mirrors> parse(const std::vector<std::string>& lines);

    struct Found {
        std::string host;        // as the client said it
        std::string repository;  // what `name` is called here, not yet parsed
    };
    // nullopt where the request names no registry that is mirrored: then the name is meant as it is.
    std::optional<Found> find(const Request& request, std::string_view name) const;

private:
    std::map<std::string, std::string, std::less<>> projects_;  // by host, in lower case
};

}  // namespace entrepot
