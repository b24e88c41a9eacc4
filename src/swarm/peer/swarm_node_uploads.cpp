#include "swarm/peer/swarm_node.hpp"

#include "swarm/peer/swarm_node_links.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace entrepot {

std::optional<UploadOrder> SwarmNode::next_upload()
{
    return next_upload([](ConnectionId) { return true; });
}

std::optional<UploadOrder> SwarmNode::next_upload(const std::function<bool(ConnectionId)>& may_go)
{
    while (auto upload = uploads_.next(may_go)) {
        auto* const connection = find(upload->link);
        const auto swarm = swarms_.find(upload->swarm);
        if (connection == nullptr || swarm == swarms_.end()) continue;
        return UploadOrder{
            .connection = upload->link,
            .swarm = swarm->second.session->id,
            .handle = connection->memberships.at(upload->swarm).ours,
            .request = upload->request,
            .extents = std::move(upload->extents),
            .bytes = upload->bytes,
        };
    }
    return std::nullopt;
}

void SwarmNode::sent(const UploadOrder& order, SwarmTime now)
{
    auto* const connection = find(order.connection);
    if (connection == nullptr) return;
    connection->promised_bytes -= std::min(connection->promised_bytes, order.bytes);
    const auto index = index_of(order.swarm);
    if (!index) return;
    auto& session = *swarms_.at(*index).session;
    if (connection->across && !session.seed) across_.spent(order.bytes, now);
    const auto membership = connection->memberships.find(*index);
    if (!session.seed || membership == connection->memberships.end() || !membership->second.slot) return;
    for (const auto extent : order.extents)
        session.seed->sent(*membership->second.slot, session.layout.piece_of_chunk(extent.first), now);
    settle(now);
}

void SwarmNode::set_up(double bytes_per_second)
{
    settings_.up = bytes_per_second;
    bound_uploads();
    for (auto& [index, part] : swarms_) {
        if (part.session->seed) part.session->seed->set_up(bytes_per_second / static_cast<double>(swarm_second));
    }
}

// Pieces of the coarsest image that we serve fit the queue as often as those of the finest. A seed is asked for what it
// shows, and for what nobody else could give: that is bounded by itself.
void SwarmNode::bound_uploads() noexcept
{
    const auto time = static_cast<double>(peer_policy_.upload_queue_time) / static_cast<double>(swarm_second);
    auto limit = static_cast<std::uint64_t>(settings_.up * time);
    for (const auto& [index, part] : swarms_) {
        const auto pieces = peer_policy_.upload_queue_pieces * part.session->layout.piece_bytes();
        limit = part.session->seed ? no_upload_limit : std::max(limit, pieces);
    }
    uploads_.set_limit(limit);
}

std::uint16_t SwarmNode::load_ms() const noexcept
{
    if (settings_.up <= 0) return 0;
    const auto wait = static_cast<double>(uploads_.bytes()) / settings_.up * 1000;
    return static_cast<std::uint16_t>(std::min(wait, double{std::numeric_limits<std::uint16_t>::max()}));
}

}  // namespace entrepot
