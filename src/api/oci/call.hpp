#pragma once

#include "access/identity.hpp"
#include "http/message.hpp"
#include "oci/names.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace entrepot {

// One admitted request to a repository.
struct OciCall {
    const Request& request;
    ByteSource& body;
    RepositoryName repository;
    std::string_view last;  // the path's last part, as OciRoute
    Caller caller;
    std::int64_t home_epoch = 0;  // of what the home of the project sends to this follower; else 0
    std::string asked_as{};       // the other name that the repository was asked for by; else empty
    // Where lists look as well: sources of the project that the caller may pull from.
    std::vector<RepositoryName> sources{};

    const std::string& shown_name() const noexcept { return asked_as.empty() ? repository.text() : asked_as; }
    bool is_head() const noexcept { return request.method == Method::head; }
};

// A request's query, decoded. bad_request when it is malformed.
class Query {
public:
    static Result<Query> of(const Request& request);

    // The first value of that name; empty text when it has none, nullopt when the name is absent.
    std::optional<std::string_view> first(std::string_view name) const noexcept;
    // The first value, empty where the name is absent; bad_request for what no name in a database can be compared with.
    Result<std::string> plain(std::string_view name) const;
    std::vector<std::string_view> all(std::string_view name) const;

private:
    std::vector<FormField> fields_;
};

}  // namespace entrepot
