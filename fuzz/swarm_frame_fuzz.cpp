// Frames of the swarm protocol: whatever a connection brings, it falls into the same frames wherever it is cut, little
// is allocated for it, and what can be read is written and read again as the same.
#include "core/bytes.hpp"
#include "swarm/wire/control_frames.hpp"
#include "swarm/wire/frame_splitter.hpp"
#include "swarm/wire/peer_frames.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include <sanitizer/allocator_interface.h>

namespace {

using namespace entrepot;

// A frame that came in parts, and strings that grow by doubling.
constexpr std::size_t largest_allocation = 4 * WireLimits::control_frame;
bool watched = false;

void on_malloc(const volatile void*, std::size_t size)
{
    if (watched && size > largest_allocation) std::abort();
}

void on_free(const volatile void*) {}

void demand(bool holds)
{
    if (!holds) std::abort();
}

struct Whole {
    FrameHead head;
    std::string body;

    bool operator==(const Whole&) const = default;
};

// What a stream holds: its frames, those of DATA too, their bytes, and whether it broke.
struct Seen {
    std::vector<Whole> wholes;
    std::vector<DataFrame> data;
    std::uint64_t ends = 0;
    std::string bytes;
    bool broken = false;

    bool operator==(const Seen&) const = default;
};

bool take_items(FrameSplitter& splitter, Seen& seen)
{
    for (;;) {
        const auto item = splitter.next();
        if (!item) {
            seen.broken = true;
            return false;
        }
        if (!*item) return true;
        if (const auto* whole = std::get_if<WholeFrame>(&**item)) {
            seen.wholes.push_back({whole->head, std::string{as_text(whole->body)}});
        } else if (const auto* data = std::get_if<DataFrame>(&**item)) {
            seen.data.push_back(*data);
        } else if (const auto* part = std::get_if<DataBytes>(&**item)) {
            seen.bytes += as_text(part->bytes);
        } else {
            ++seen.ends;
        }
    }
}

Seen split(std::string_view stream, std::size_t step)
{
    Seen seen;
    FrameSplitter splitter;
    for (; !stream.empty(); stream.remove_prefix(std::min(step, stream.size()))) {
        splitter.feed(as_bytes(stream.substr(0, step)));
        if (!take_items(splitter, seen)) break;
    }
    return seen;
}

template <class Family, class Decode>
void check_frame(const Whole& whole, Decode decode)
{
    watched = true;
    const auto frame = decode(whole.head, as_bytes(whole.body));
    watched = false;
    if (!frame) demand(frame.error().code() == Errc::bad_request);
    if (!frame || !*frame) return;
    std::string written;
    append_frame(written, **frame);
    demand(written.size() <= frame_head_bytes + whole.body.size());
    const auto seen = split(written, written.size());
    demand(seen.wholes.size() == 1 && seen.wholes.front().head.handle == whole.head.handle);
    const auto again = decode(seen.wholes.front().head, as_bytes(seen.wholes.front().body));
    demand(again && *again == *frame);
}

void check_map(const Whole& whole)
{
    const auto frame = decode_peer_frame(whole.head, as_bytes(whole.body));
    if (!frame || !*frame) return;
    const auto* map = std::get_if<HaveMapFrame>(&**frame);
    if (map == nullptr) return;
    std::vector<std::uint64_t> words((map->pieces + 63) / 64);
    std::uint32_t end = map->start;
    map->for_each_range([&](PieceRange range) {
        demand(range.count > 0 && range.first >= end && range.first + range.count <= map->start + map->count);
        end = range.first + range.count;
        for (auto at = range.first; at < end; ++at) words[at / 64] |= std::uint64_t{1} << (at % 64);
    });
    if (map->start != 0 || map->count != map->pieces) return;
    std::vector<PieceRange> ranges;
    std::vector<PieceRange> again;
    map->for_each_range([&ranges](PieceRange range) { ranges.push_back(range); });
    for (const auto& other : have_maps_of(map->handle, map->pieces, words)) {
        demand(other.coded.size() <= map->coded.size());
        other.for_each_range([&again](PieceRange range) { again.push_back(range); });
    }
    demand(ranges == again);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    static const int hooked = __sanitizer_install_malloc_and_free_hooks(on_malloc, on_free);
    demand(hooked != 0);
    if (size < 2) return 0;
    const std::string_view stream{reinterpret_cast<const char*>(data) + 1, size - 1};
    watched = true;
    const auto seen = split(stream, stream.size());
    const auto in_parts = split(stream, data[0] + std::size_t{1});
    watched = false;
    demand(seen == in_parts);
    for (const auto& whole : seen.wholes) {
        check_frame<PeerFrame>(whole, decode_peer_frame);
        check_frame<ControlFrame>(whole, decode_control_frame);
        check_map(whole);
    }
    std::uint64_t announced = 0;
    for (const auto& frame : seen.data) {
        announced += frame.bytes;
        std::string head;
        append_frame(head, frame);
        demand(split(head, head.size()).data == std::vector{frame});
    }
    demand(seen.bytes.size() <= announced);
    return 0;
}
