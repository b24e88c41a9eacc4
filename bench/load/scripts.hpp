#pragma once

#include "options.hpp"

namespace entrepot::load {

// Each is one kind of load. The options must outlive the run.
ScriptFactory fetch_scripts(const Load& load, const FetchOptions& options);
ScriptFactory push_scripts(const Load& load, const PushOptions& options);
ScriptFactory image_scripts(const Load& load, const ImagesOptions& options);

// Opens all connections and asks on each; when all have their answer's head, reads all bodies at the pace that makes
// them last `hold_seconds`. Plain HTTP only. Every connection that does not get all its bytes is an error.
Statistics pull_slowly(const Load& load, const SlowPullOptions& options);

// "METHOD PATH HTTP/1.1" with Host, the token if there is one, the further fields (each ended by CRLF), and the end.
std::string request_head(
    const Load& load,
    std::string_view method,
    std::string_view path,
    std::string_view token,
    std::string_view fields = {}
);
// "Content-Length: N" with CRLF.
std::string length_field(std::uint64_t length);
// The path in a Location, which may be a whole URL.
std::string path_in(std::string_view location);
// The Location of an upload with the digest that ends it.
std::string closing_path(std::string_view location, std::string_view digest);
// What is wrong with an answer that should have had another status.
std::string wrong_status(std::string_view what, int expected, const ResponseReader& response);

}  // namespace entrepot::load
