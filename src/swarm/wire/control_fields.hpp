#pragma once

#include "swarm/wire/control_frames.hpp"
#include "swarm/wire/peer_fields.hpp"

#include <cstdint>

namespace entrepot {

// The fields of the frames between agent and tracker, as in peer_fields.hpp.

template <class Io>
void visit_fields(Io& io, typename Io::template Ref<NodeRates> rates)
{
    io.number("up", rates.up);
    io.number("down", rates.down);
    io.number("across zones", rates.across_zones);
}

template <class Io>
void visit_fields(Io& io, typename Io::template Ref<RegisterFrame> frame)
{
    visit_fields(io, frame.versions);
    io.template text<std::uint8_t>("name", frame.name, WireLimits::node_name);
    io.template text<std::uint8_t>("zone", frame.zone, WireLimits::zone);
    io.number("plane", frame.plane);
    io.endpoint("endpoint", frame.endpoint, true);
    io.number("capabilities", frame.capabilities.bits);
    io.number("up", frame.up);
    io.number("down", frame.down);
    io.number("epoch", frame.holdings_epoch);
    if (io.ends(!frame.aside)) return;
    io.boolean("aside", frame.aside);
}

template <class Io>
void visit_fields(Io& io, typename Io::template Ref<WelcomeFrame> frame)
{
    visit_fields(io, frame.versions);
    io.number("epoch", frame.epoch);
    io.number("report interval", frame.report_ms, 1U);
    visit_fields(io, frame.rates);
}

template <class Io>
void visit_fields(Io& io, typename Io::template Ref<LimitsFrame> frame)
{
    visit_fields(io, frame.rates);
    io.boolean("polite", frame.polite);
}

template <class Io>
void visit_fields(Io& io, typename Io::template Ref<RenewFrame> frame)
{
    io.template blob<std::uint16_t>("request", frame.request, WireLimits::certificate_request);
}

template <class Io>
void visit_fields(Io& io, typename Io::template Ref<CertificateFrame> frame)
{
    io.template blob<std::uint16_t>("certificate", frame.certificate, WireLimits::certificate);
    io.template blob<std::uint16_t>("authorities", frame.authorities, WireLimits::authorities);
}

template <class Io>
void visit_fields(Io& io, typename Io::template Ref<TicketKeysFrame> frame)
{
    io.template list<std::uint8_t>("keys", frame.keys, 0, WireLimits::ticket_keys, 32, [&io](auto& key) {
        io.bytes32("keys", key);
    });
}

template <class Io>
void visit_fields(Io& io, typename Io::template Ref<AnnounceFrame> frame)
{
    io.bytes32("swarm", frame.swarm);
    io.number("progress", frame.progress, std::uint16_t{0}, WireLimits::permille);
    io.number("missing", frame.missing_bytes);
    io.number("neighbours", frame.neighbours);
    io.flags("flags", frame.seed, frame.preheat, frame.here);
    io.template blob<std::uint16_t>("ticket", frame.ticket, WireLimits::ticket);
}

template <class Io>
void visit_fields(Io& io, typename Io::template Ref<NeighboursFrame> frame)
{
    io.flags("flags", frame.replace);
    io.template list<std::uint8_t>(
        "peers",
        frame.peers,
        0,
        WireLimits::neighbours,
        least_peer_entry_bytes,
        [&io](auto& peer) { visit_fields(io, peer); }
    );
}

template <class Io>
void visit_fields(Io& io, typename Io::template Ref<SwarmProgress> swarm)
{
    io.handle("swarms", swarm.handle);
    io.number("swarms", swarm.progress, std::uint16_t{0}, WireLimits::permille);
    io.number("swarms", swarm.neighbours);
    io.number("swarms", swarm.idle, std::uint8_t{0}, WireLimits::percent);
    io.number("swarms", swarm.from_origin);
    io.number("swarms", swarm.from_zone);
    io.number("swarms", swarm.across_zones);
    io.number("swarms", swarm.uploaded);
}

template <class Io>
void visit_fields(Io& io, typename Io::template Ref<ProgressFrame> frame)
{
    io.template list<std::uint16_t>("swarms", frame.swarms, 1, WireLimits::progress_items, 38, [&io](auto& swarm) {
        visit_fields(io, swarm);
    });
}

template <class Io>
void visit_fields(Io& io, typename Io::template Ref<RefillFrame> frame)
{
    io.reason("reason", frame.reason, RefillReason::bad_chunks);
    io.template list<std::uint8_t>("dropped", frame.dropped, 0, WireLimits::dropped_neighbours, 32, [&io](auto& node) {
        io.bytes32("dropped", node);
    });
}

template <class Io>
void visit_fields(Io&, typename Io::template Ref<RetireFrame>)
{
}

template <class Io>
void visit_fields(Io& io, typename Io::template Ref<TicketFrame> frame)
{
    io.template blob<std::uint16_t>("ticket", frame.ticket, WireLimits::ticket, 1);
}

template <class Io>
void visit_fields(Io& io, typename Io::template Ref<RevokeFrame> frame)
{
    io.choice("kind", frame.kind, RevokedKind::blobs);
    io.number("epoch", frame.epoch);
    io.template list<std::uint16_t>("ids", frame.ids, 1, WireLimits::revoked, 32, [&io](auto& id) {
        io.bytes32("ids", id);
    });
}

template <class Io>
void visit_fields(Io& io, typename Io::template Ref<ReportFrame> frame)
{
    io.bytes32("node", frame.node);
    io.bytes32("swarm", frame.swarm);
    io.number("chunk", frame.chunk, 0U, WireLimits::chunks - 1);
    io.bytes32("expected", frame.expected);
    io.bytes32("found", frame.found);
}

template <class Io>
void visit_fields(Io& io, typename Io::template Ref<PreheatFrame> frame)
{
    io.number("job", frame.job);
    io.template text<std::uint8_t>("repository", frame.repository, WireLimits::repository, 1);
    io.bytes32("manifest", frame.manifest);
    io.number("deadline", frame.deadline);
    io.number("rate", frame.rate);
    io.number("priority", frame.priority);
    if (io.ends(frame.token.empty() && !frame.stop)) return;
    io.template text<std::uint16_t>("token", frame.token, WireLimits::token);
    io.flags("flags", frame.stop);
}

template <class Io>
void visit_fields(Io& io, typename Io::template Ref<PreheatProgressFrame> frame)
{
    io.number("job", frame.job);
    io.reason("state", frame.state, PreheatState::refused);
    io.number("done", frame.bytes_done);
    io.number("total", frame.bytes_total);
    io.template text<std::uint16_t>("message", frame.message, WireLimits::text);
}

template <class Io>
void visit_fields(Io& io, typename Io::template Ref<HoldersFrame> frame)
{
    io.number("others", frame.others);
}

template <class Io>
void visit_fields(Io& io, typename Io::template Ref<MovedFrame> frame)
{
    io.endpoint("control", frame.control, false);
}

template <class Io>
void visit_fields(Io& io, typename Io::template Ref<InstancesFrame> frame)
{
    io.template list<std::uint8_t>("others", frame.others, 0, WireLimits::instances, 7, [&io](auto& other) {
        io.endpoint("others", other, false);
    });
}

}  // namespace entrepot
