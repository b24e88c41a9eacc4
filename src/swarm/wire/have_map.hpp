#pragma once

#include "swarm/wire/frame_type.hpp"

#include <bit>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace entrepot {

// How a HAVE_MAP writes its pieces: a bit for each, the lowest first, or the lengths of runs, LEB128, by turns of
// pieces that are missing and pieces that are there.
enum class MapCoding : std::uint8_t { bits = 1, runs = 2 };

// Which pieces of [start, start + count) the sender has. What is beyond is not spoken of. The pieces stay as they were
// written, which is never longer than count / 8 bytes: a receiver that wants them wider has a set of its own.
struct HaveMapFrame {
    static constexpr FrameType type = FrameType::have_map;
    SwarmHandle handle{};
    std::uint32_t pieces = 0;  // of the image, WireLimits::pieces at most
    PieceIndex start = 0;
    std::uint32_t count = 0;  // WireLimits::map_pieces at most; start + count <= pieces
    MapCoding coding = MapCoding::bits;
    std::string coded{};  // valid for `coding` and `count`: see wrong_with_coded_pieces

    bool operator==(const HaveMapFrame&) const noexcept = default;

    // Calls visit(PieceRange) for each maximal run of pieces that are there, in order.
    template <class Visitor>
    void for_each_range(Visitor&& visit) const;
};

// The pieces of an image as frames: as many as it takes, each in the shorter of both codings. `words` holds a bit for
// each piece, 64 to a word, the lowest first, at least `pieces` of them; `pieces` is at most WireLimits::pieces.
std::vector<HaveMapFrame> have_maps_of(SwarmHandle handle, std::uint32_t pieces, std::span<const std::uint64_t> words);

// Why `coded` is not a valid word about exactly `count` pieces; nullptr when it is one.
const char* wrong_with_coded_pieces(MapCoding coding, std::uint32_t count, std::string_view coded) noexcept;

// The next number of `coded`, which is moved behind it. Valid input only.
std::uint32_t take_run(std::string_view& coded) noexcept;

template <class Visitor>
void HaveMapFrame::for_each_range(Visitor&& visit) const
{
    std::string_view rest{coded};
    PieceIndex at = 0;
    if (coding == MapCoding::runs) {
        for (bool there = false; !rest.empty(); there = !there) {
            const auto length = take_run(rest);
            if (there) visit(PieceRange{start + at, length});
            at += length;
        }
        return;
    }
    PieceRange run{};
    for (const char octet : rest) {
        auto bits = static_cast<std::uint8_t>(octet);
        for (; bits != 0;) {
            const auto lowest = static_cast<unsigned>(std::countr_zero(bits));
            const auto length = static_cast<unsigned>(std::countr_one(static_cast<std::uint8_t>(bits >> lowest)));
            const PieceIndex first = start + at + lowest;
            if (run.count != 0 && run.first + run.count == first) {
                run.count += length;
            } else {
                if (run.count != 0) visit(run);
                run = {first, length};
            }
            bits = static_cast<std::uint8_t>(bits & ~(((1U << length) - 1U) << lowest));
        }
        at += 8;
    }
    if (run.count != 0) visit(run);
}

}  // namespace entrepot
