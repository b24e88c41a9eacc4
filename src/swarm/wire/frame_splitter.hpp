#pragma once

#include "core/error.hpp"
#include "swarm/wire/peer_frames.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>

namespace entrepot {

// Any frame but DATA. For decode_peer_frame() or decode_control_frame().
struct WholeFrame {
    FrameHead head{};
    std::span<const std::byte> body{};  // valid until the splitter is touched again
};
// Some of a DATA frame's bytes, in order, as they came. Valid as long as what was fed.
struct DataBytes {
    std::span<const std::byte> bytes{};
};
struct DataEnd {};

// DataFrame begins what DataBytes go on with and DataEnd ends. On a control stream DATA has no business: BYE(protocol).
using SplitItem = std::variant<WholeFrame, DataFrame, DataBytes, DataEnd>;

// Cuts one direction of a connection into frames. Sans-I/O. Holds the part of one frame that came before its rest, at
// most WireLimits::control_frame bytes, and never bytes of DATA. One thread at a time.
class FrameSplitter {
public:
    // What came from the connection: any number of bytes, cut anywhere. They stay where they are until next() has
    // answered nullopt, which it has to have done since the call before.
    void feed(std::span<const std::byte> bytes) noexcept;

    // nullopt: the next item needs more bytes. bad_request, now and for ever: this is no stream of frames, and
    // BYE(protocol) is due.
    Result<std::optional<SplitItem>> next();

    // Nothing of a frame is waiting for its rest: a connection may end here.
    bool between_frames() const noexcept;

private:
    enum class Stage : std::uint8_t { head, body, data_head, data_rest_of_head, data };

    bool gather(std::size_t size);
    std::span<const std::byte> take(std::uint32_t& left) noexcept;
    void read_head();
    void read_data_head();

    std::span<const std::byte> input_;
    std::span<const std::byte> gathered_;
    std::string kept_;    // the front of what gather() was asked for, when it came in parts
    bool given_ = false;  // kept_ has been given out, and may go
    FrameHead head_;
    DataFrame data_;
    std::uint32_t left_ = 0;     // bytes of the body that have not come
    std::uint32_t unknown_ = 0;  // bytes of DATA's head that a newer sender has added
    Stage stage_ = Stage::head;
    std::optional<Error> broken_;
};

}  // namespace entrepot
