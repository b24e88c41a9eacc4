// docs/formats/swarm-wire-vectors.txt, read and written.
#include "core/bytes.hpp"
#include "swarm/test_vectors.hpp"
#include "swarm/wire/control_frames.hpp"
#include "swarm/wire/frame_splitter.hpp"
#include "swarm/wire/peer_frames.hpp"

#include <map>
#include <numeric>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace entrepot {
namespace {

template <class Name>
Name bytes_from(unsigned first)
{
    Name name;
    std::iota(name.bytes.begin(), name.bytes.end(), static_cast<std::uint8_t>(first));
    return name;
}

constexpr auto seven = SwarmHandle{7};
constexpr auto three = SwarmHandle{3};
constexpr CapabilitySet no_capabilities;
const auto node = bytes_from<NodeId>(0);
const auto swarm = bytes_from<SwarmId>(0x20);
const auto manifest = bytes_from<Sha256>(0x40);
const auto other_node = bytes_from<NodeId>(0xa0);
const std::string ticket{"\x00\xffticket", 8};

PeerEndpoint v4_endpoint()
{
    return {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 7}, 4433};
}

std::vector<PeerEntry> two_peers()
{
    return {
        {other_node, v4_endpoint(), "rack-1", 250, false},
        {node, {{0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 4434}, "", 1000, true},
    };
}

HelloFrame hello()
{
    return {
        .versions = {1, 1},
        .node = node,
        .capabilities = no_capabilities.with(Capability::serves).with(Capability::exchange),
        .plane = 2,
        .zone = "zone-a",
        .name = "node-17",
        .max_credit = 8 << 20,
    };
}

std::map<std::string, PeerFrame> peer_frames()
{
    using namespace std::string_literals;
    return {
        {"hello", hello()},
        {"bye", ByeFrame{ByeReason::version, "speak 2"}},
        {"ping", PingFrame{0x1122334455667788}},
        {"pong", PongFrame{0x1122334455667788}},
        {"join", JoinFrame{seven, swarm, ticket}},
        {"join without a ticket", JoinFrame{SwarmHandle{65535}, swarm, ""}},
        {"join_ok", JoinOkFrame{seven, true, false}},
        {"join_ok of a seed", JoinOkFrame{seven, true, true}},
        {"deny", DenyFrame{seven, DenyCode::full, 1500}},
        {"leave", LeaveFrame{seven}},
        {"have_map of bits", HaveMapFrame{seven, 12, 0, 12, MapCoding::bits, "\xa9\x0a"}},
        {"have_map of runs", HaveMapFrame{seven, 4096, 0, 4096, MapCoding::runs, "\x00\xe8\x07\x90\x18\x08"s}},
        {"have_map of a seed, its second part",
         HaveMapFrame{seven, 1 << 20, 1 << 18, 1 << 18, MapCoding::runs, "\x00\x80\x80\x10"s}},
        {"have", HaveFrame{seven, 40, {{5, 3}, {WireLimits::pieces - 1, 1}}}},
        {"interest", InterestFrame{seven, true}},
        {"request", RequestFrame{seven, 9, 200, {{64, 64}, {WireLimits::chunks - 1, 1}}}},
        {"busy", BusyFrame{three, 9, 250, 900}},
        {"cancel", CancelFrame{seven, 9}},
        {"credit", CreditFrame{4 << 20}},
        {"suggest", SuggestFrame{seven, two_peers()}},
        {"rate", RateFrame{125'000'000}},
        {"get_bundle", GetBundleFrame{seven, BundlePart::hash_lists, 65536, 16 << 20}},
        {"bundle", BundleFrame{three, BundlePart::manifest, 2, 7, "{\"a\":"}},
        {"bundle of what is not there", BundleFrame{three, BundlePart::config, 0, 0, ""}},
    };
}

std::map<std::string, ControlFrame> control_frames()
{
    const auto all = no_capabilities.with(Capability::serves).with(Capability::bundles).with(Capability::exchange);
    const auto expected = bytes_from<Sha256>(0x60);
    const auto found = bytes_from<Sha256>(0x80);
    return {
        {"register", RegisterFrame{{1, 1}, "node-17", "zone-a", 2, v4_endpoint(), all, 125'000'000, 1'250'000'000, 3}},
        {"register of a node that does not listen", RegisterFrame{.versions = {1, 3}, .name = "knoten-ä"}},
        {"register of a stream aside",
         RegisterFrame{
             .name = "node-17",
             .zone = "zone-a",
             .plane = 2,
             .endpoint = v4_endpoint(),
             .capabilities = no_capabilities.with(Capability::serves).with(Capability::moves),
             .up = 125'000'000,
             .down = 1'250'000'000,
             .holdings_epoch = 3,
             .aside = true,
         }},
        {"welcome", WelcomeFrame{{1, 1}, 12, 1000, {100'000'000, no_rate_limit, 0}}},
        {"limits", LimitsFrame{{1000, 2000, 3000}, true}},
        {"bye to the tracker", ByeFrame{ByeReason::shutdown, ""}},
        {"ping to the tracker", PingFrame{1}},
        {"pong to the tracker", PongFrame{1}},
        {"renew", RenewFrame{"request"}},
        {"certificate", CertificateFrame{"certificate", "authority and authority"}},
        {"certificate refused", CertificateFrame{}},
        {"ticket_keys", TicketKeysFrame{{bytes_from<TicketPublicKey>(0xc0), bytes_from<TicketPublicKey>(0xe0)}}},
        {"announce", AnnounceFrame{seven, swarm, 125, std::uint64_t{3} << 30U, 4, false, true, false, ticket}},
        {"announce without a ticket", AnnounceFrame{.handle = seven, .swarm = swarm, .seed = true}},
        {"announce to who has moved it", AnnounceFrame{.handle = seven, .swarm = swarm, .here = true}},
        {"neighbours", NeighboursFrame{seven, true, two_peers()}},
        {"neighbours where the tracker is", NeighboursFrame{seven, false, {{node, {{}, 4434}, "", 1000, true}}}},
        {"progress",
         ProgressFrame{
             {{seven, 500, 18, 5, 1 << 20, 2 << 20, 3 << 20, 4 << 20}, {SwarmHandle{8}, 1000, 255, 0, 0, 0, 0, ~0UL}}
         }},
        {"refill", RefillFrame{seven, RefillReason::idle, {other_node}}},
        {"retire", RetireFrame{seven}},
        {"ticket", TicketFrame{seven, ticket}},
        {"revoke", RevokeFrame{RevokedKind::blobs, 5, {manifest}}},
        {"report", ReportFrame{other_node, swarm, 77, expected, found}},
        {"preheat", PreheatFrame{42, "library/app", manifest, 1'800'000'000, no_rate_limit, 10, "token", true}},
        {"preheat of an earlier version",
         PreheatFrame{42, "library/app", manifest, 1'800'000'000, no_rate_limit, 10, "", false}},
        {"preheat_progress", PreheatProgressFrame{42, PreheatState::failed, 10, 20, "disk full"}},
        {"holders", HoldersFrame{seven, 2}},
        {"moved", MovedFrame{seven, v4_endpoint()}},
        {"instances", InstancesFrame{{v4_endpoint(), two_peers().back().endpoint}}},
    };
}

const DataFrame data{three, 9, {64, 2}, 6};
constexpr std::string_view data_bytes = "chunks";

// What a reader makes of one frame: the frame, nothing, or an error.
template <class Family, class Decode>
Result<std::optional<Family>> decode(std::string_view bytes, Decode decode_frame)
{
    FrameSplitter splitter;
    splitter.feed(as_bytes(bytes));
    TRY(auto item, splitter.next());
    if (!item) return fail(Errc::internal, "more bytes are needed");
    const auto* whole = std::get_if<WholeFrame>(&*item);
    if (whole == nullptr) return fail(Errc::internal, "DATA, and nothing is wrong with it");
    return decode_frame(whole->head, whole->body);
}

auto decode_peer(std::string_view bytes)
{
    return decode<PeerFrame>(bytes, decode_peer_frame);
}

auto decode_control(std::string_view bytes)
{
    return decode<ControlFrame>(bytes, decode_control_frame);
}

template <class Family, class Decode>
void check_vector(const TestVector& vector, const std::map<std::string, Family>& samples, Decode decode_frame)
{
    const auto decoded = decode_frame(vector.bytes);
    if (vector.kind.ends_with("-refused")) {
        ASSERT_FALSE(decoded);
        EXPECT_EQ(decoded.error().code(), Errc::bad_request);
        EXPECT_EQ(decoded.error().message(), vector.name);
        return;
    }
    ASSERT_TRUE(decoded) << decoded.error().message();
    if (vector.kind.ends_with("-skip")) {
        EXPECT_FALSE(decoded->has_value());
        return;
    }
    ASSERT_TRUE(samples.contains(vector.name));
    const auto& sample = samples.at(vector.name);
    EXPECT_EQ(*decoded, sample);
    if (vector.kind.ends_with("-as")) return;
    std::string written;
    append_frame(written, sample);
    EXPECT_EQ(to_hex(as_bytes(written)), to_hex(as_bytes(vector.bytes)));
}

void check_data(const TestVector& vector)
{
    FrameSplitter splitter;
    splitter.feed(as_bytes(vector.bytes));
    const auto head = splitter.next();
    ASSERT_TRUE(head) << head.error().message();
    ASSERT_TRUE(*head);
    EXPECT_EQ(std::get<DataFrame>(**head), data);
    const auto bytes = splitter.next();
    ASSERT_TRUE(bytes && *bytes);
    EXPECT_EQ(as_text(std::get<DataBytes>(**bytes).bytes), data_bytes);
    if (vector.kind == "data-as") return;
    std::string written;
    append_frame(written, data);
    written += data_bytes;
    EXPECT_EQ(to_hex(as_bytes(written)), to_hex(as_bytes(vector.bytes)));
}

TEST(WireVectors, MeanWhatTheySay)
{
    const auto peers = peer_frames();
    const auto controls = control_frames();
    std::set<std::string> seen;
    for (const auto& vector : read_vectors("swarm-wire-vectors.txt")) {
        SCOPED_TRACE(vector.kind + " " + vector.name);
        if (vector.kind.starts_with("data")) {
            check_data(vector);
        } else if (vector.kind.starts_with("peer")) {
            check_vector(vector, peers, decode_peer);
        } else {
            check_vector(vector, controls, decode_control);
        }
        seen.insert(vector.name);
    }
    EXPECT_TRUE(seen.contains("data"));
    for (const auto& [name, frame] : peers) EXPECT_TRUE(seen.contains(name)) << name;
    for (const auto& [name, frame] : controls) EXPECT_TRUE(seen.contains(name)) << name;
}

TEST(WireVectors, NameEveryFrame)
{
    std::set<std::size_t> peers;
    std::set<std::size_t> controls;
    for (const auto& [name, frame] : peer_frames()) peers.insert(frame.index());
    for (const auto& [name, frame] : control_frames()) controls.insert(frame.index());
    EXPECT_EQ(peers.size() + 1, std::variant_size_v<PeerFrame>) << "all but DATA";
    EXPECT_EQ(controls.size(), std::variant_size_v<ControlFrame>);
}

// Shortens a frame by bytes at its end, and its length with them.
std::string shortened(std::string_view frame, std::size_t by)
{
    std::string shorter{frame.substr(0, frame.size() - by)};
    const auto length = shorter.size() - 4;
    for (std::size_t at = 0; at < 4; ++at) shorter[at] = static_cast<char>(length >> (8 * at) & 0xffU);
    return shorter;
}

template <class Value>
std::optional<Errc> refusal(const Result<Value>& result)
{
    return result ? std::nullopt : std::optional{result.error().code()};
}

TEST(WireVectors, AreRefusedWhenBytesAreMissing)
{
    for (const auto& vector : read_vectors("swarm-wire-vectors.txt")) {
        if (vector.kind != "peer" && vector.kind != "control") continue;
        SCOPED_TRACE(vector.kind + " " + vector.name);
        for (std::size_t by = 1; by <= vector.bytes.size() - frame_head_bytes; ++by) {
            const auto shorter = shortened(vector.bytes, by);
            // PREHEAT may end where it did before it grew.
            if (vector.name == "preheat" && by == 8) continue;
            // And so may REGISTER.
            if (vector.name == "register of a stream aside" && by == 1) continue;
            const auto code = vector.kind == "peer" ? refusal(decode_peer(shorter)) : refusal(decode_control(shorter));
            EXPECT_EQ(code, Errc::bad_request) << by;
        }
    }
}

TEST(WireVectors, OfReasonsThatANewerSenderGivesAreOther)
{
    std::string bytes;
    append_frame(bytes, ByeFrame{ByeReason::shutdown, ""});
    bytes[frame_head_bytes] = '\xee';
    EXPECT_EQ(*decode_peer(bytes), PeerFrame{ByeFrame{}});
    bytes.clear();
    append_frame(bytes, ControlFrame{RefillFrame{seven, RefillReason::slow, {}}});
    bytes[frame_head_bytes] = '\xee';
    EXPECT_EQ(*decode_control(bytes), ControlFrame{RefillFrame{seven}});
}

}  // namespace
}  // namespace entrepot
