#include "api/management/swarm_images_api.hpp"

#include "api/management/short_list.hpp"
#include "api/management/swarm_json.hpp"
#include "api/management/swarm_stream.hpp"
#include "core/ascii.hpp"

#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace entrepot {
namespace {

constexpr std::uint64_t longest_stream = 86'400;
constexpr std::size_t most_digests = 100;

// The value of that name; nullopt where it is absent or empty.
template <class State, std::size_t count>
Result<std::optional<State>> state_of(const Query& query, const std::array<State, count>& states)
{
    const auto text = query.first("state");
    if (!text || text->empty()) return std::nullopt;
    const auto found = std::ranges::find(states, *text, [](State state) { return name_of(state); });
    if (found == states.end()) return fail(Errc::bad_request, "there is no such state");
    return *found;
}

bool is_in(const SeenSwarm& swarm, std::string_view repository)
{
    return std::ranges::find(swarm.repositories, repository, &SeenSwarm::Repository::name) != swarm.repositories.end();
}

// "sha256:…,sha256:…"
Result<std::set<Digest>> digests_of(const Query& query)
{
    std::set<Digest> digests;
    auto text = query.first("image").value_or("");
    while (!text.empty()) {
        const auto end = std::min(text.find(','), text.size());
        TRY(auto digest, Digest::parse(text.substr(0, end)));
        digests.insert(std::move(digest));
        text.remove_prefix(std::min(end + 1, text.size()));
        if (digests.size() > most_digests) return fail(Errc::bad_request, "image is at most 100 digests");
    }
    return digests;
}

// What is no digest names nothing.
Result<Digest> digest_of_path(const ApiCall& call)
{
    auto digest = Digest::parse(call.path.at(0));
    if (!digest) return fail(Errc::not_found, "there is no such image under way");
    return digest;
}

}  // namespace

void SwarmImagesApi::add_to(ApiRouter& router)
{
    router.get("swarm/images", [this](ApiCall call) { return list(std::move(call)); });
    router.get("swarm/images/{digest}", [this](ApiCall call) { return show(std::move(call)); });
    router.get("swarm/images/{digest}/nodes", [this](ApiCall call) { return nodes(std::move(call)); });
    router.get("swarm/stream", [this](ApiCall call) { return follow(std::move(call)); });
}

Task<Response> SwarmImagesApi::list(ApiCall call)
{
    CO_TRY(const auto query, short_list_query_of(call.query));
    constexpr std::array states{SwarmImageState::idle, SwarmImageState::active, SwarmImageState::complete};
    CO_TRY(const auto state, state_of(call.query, states));
    CO_TRY(const auto repository, call.query.plain("repository"));
    auto swarms = images_.seen(call.caller, *images_.picture());
    std::erase_if(swarms, [&](const SeenSwarm& swarm) {
        return (state && swarm.state() != *state) || (!repository.empty() && !is_in(swarm, repository));
    });
    co_return short_list_response(call.request, swarms, query, [this](const SeenSwarm& swarm) {
        return swarm_json(swarm, images_.instance());
    });
}

Task<Response> SwarmImagesApi::show(ApiCall call)
{
    CO_TRY(const auto digest, digest_of_path(call));
    CO_TRY(const auto swarm, images_.find(call.caller, digest));
    CO_TRY(const auto slowest, co_await images_.slowest(call.caller, swarm.image));
    co_return json_response(swarm_json(swarm, images_.instance(), slowest));
}

Task<Response> SwarmImagesApi::nodes(ApiCall call)
{
    CO_TRY(const auto query, short_list_query_of(call.query));
    constexpr std::array states{SwarmNodeState::active, SwarmNodeState::complete, SwarmNodeState::silent};
    SwarmNodeQuery wanted;
    CO_TRY(wanted.state, state_of(call.query, states));
    CO_TRY(wanted.zone, call.query.plain("zone"));
    CO_TRY(wanted.name, call.query.plain("name"));
    wanted.offset = static_cast<std::size_t>(query.offset);
    wanted.limit = static_cast<std::size_t>(query.limit);
    CO_TRY(const auto digest, digest_of_path(call));
    auto task = images_.nodes(call.caller, digest, std::move(wanted));
    CO_TRY(const auto seen, co_await std::move(task));
    boost::json::array items;
    for (const auto& node : seen.nodes) items.push_back(swarm_node_json(node));
    co_return list_response(call.request, std::move(items), query, static_cast<std::int64_t>(seen.total));
}

Task<Response> SwarmImagesApi::follow(ApiCall call)
{
    CO_TRY(auto digests, digests_of(call.query));
    const auto seconds = call.query.first("seconds");
    const auto lifetime = parse_decimal(seconds.value_or("1"));
    if (!lifetime || *lifetime < 1 || *lifetime > longest_stream)
        co_return fail(Errc::bad_request, "seconds is from 1 to 86400");
    if (open_streams() >= needs_.most_streams) co_return fail(Errc::unavailable, "too many streams are open");
    const auto loop = co_await asio::this_coro::executor;
    SwarmStream::Parts parts{
        .images = images_,
        .caller = call.caller,
        .only = std::move(digests),
        .clock = needs_.clock,
        .count = streams_,
        .lifetime = std::chrono::seconds{seconds ? *lifetime : 0},
    };
    Response response;
    response.add("Content-Type", "text/event-stream");
    response.add("Cache-Control", "no-cache");
    response.add("X-Accel-Buffering", "no");
    response.body = std::make_shared<SwarmStream>(std::move(parts), loop);
    co_return response;
}

}  // namespace entrepot
