#pragma once

#include "agent/node_credentials.hpp"
#include "client/http_client.hpp"
#include "core/task.hpp"

#include <boost/asio/thread_pool.hpp>

#include <filesystem>
#include <string>

namespace entrepot {

// What a node asks for its first certificate with.
struct NodeApplication {
    std::string registry{};              // its address: http or https, without a path
    std::filesystem::path token_file{};  // read anew each time: an operator may have put another there
    std::string name{};
    std::string zone{};     // empty: not known
    std::string request{};  // NodeKey::request()
};

// POST /swarm/v1/nodes (docs/formats/swarm-http.md). `client`, `clock` and `pool` outlive it. unauthorized: the token,
// or there is none; unsupported: there is no swarm; bad_request: name or zone, or an answer that makes no sense; and
// HttpClient's. An error says so where this machine's clock is wrong by more than `most_clock_error` as well.
inline constexpr Micros most_clock_error = Micros{10} * 60 * 1'000'000;
Task<NodeEnrolment>
enrol_node(HttpClient& client, NodeApplication application, const Clock& clock, asio::thread_pool& pool);

// GET /swarm/v1/nodes/<id>: the enrolment with the place where the registry has control streams now. `client` outlives
// it. not_found: the registry doesn't know this node; bad_request: an answer that makes no sense; HttpClient's.
Task<NodeEnrolment> find_control(HttpClient& client, std::string registry, std::string node, NodeEnrolment enrolment);

}  // namespace entrepot
