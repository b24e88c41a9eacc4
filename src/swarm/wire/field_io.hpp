#pragma once

#include "core/error.hpp"
#include "swarm/wire/frame_type.hpp"

#include <array>
#include <cassert>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

namespace entrepot {

// How one list of a frame's fields (peer_fields.hpp, control_fields.hpp) both writes and reads it: the functions of
// FieldWriter and FieldReader have the same names and arguments. The reader fails once, and does nothing from then on;
// the writer asserts what the reader checks. For the codecs alone, also those of descriptors and tickets.

template <class Number>
constexpr Number largest = std::numeric_limits<Number>::max();

class FieldWriter {
public:
    static constexpr bool reads = false;
    template <class Value>
    using Ref = const Value&;

    explicit FieldWriter(std::string& into) noexcept : into_{into} {}

    bool failed() const noexcept { return false; }
    // Whether a frame of an earlier version ends here: nothing behind is written or read.
    bool ends(bool rest_is_usual) const noexcept { return rest_is_usual; }
    void require(const char*, [[maybe_unused]] bool holds, const char*) { assert(holds); }

    template <std::unsigned_integral Number>
    void
    number(const char*, Number value, [[maybe_unused]] Number least = 0, [[maybe_unused]] Number most = largest<Number>)
    {
        assert(value >= least && value <= most);
        put(value);
    }

    // A number that has fewer bytes on the wire than in memory.
    template <std::unsigned_integral Wire, std::unsigned_integral Number>
    void narrow(const char* field, Number value, Wire least, Wire most)
    {
        number<Wire>(field, static_cast<Wire>(value), least, most);
        assert(value <= most);
    }

    void handle(const char*, SwarmHandle value)
    {
        assert(value != SwarmHandle::connection);
        put(static_cast<std::uint16_t>(value));
    }

    void boolean(const char*, bool value) { put(static_cast<std::uint8_t>(value)); }

    template <class... Bools>
    void flags(const char*, Bools... values)
    {
        unsigned bits = 0;
        unsigned at = 0;
        ((bits |= static_cast<unsigned>(values) << at++), ...);
        put(static_cast<std::uint8_t>(bits));
    }

    template <class Enum>
    void choice(const char*, Enum value, [[maybe_unused]] Enum last)
    {
        assert(value <= last && static_cast<std::uint8_t>(value) != 0);
        put(static_cast<std::uint8_t>(value));
    }

    template <class Enum>
    void reason(const char*, Enum value, [[maybe_unused]] Enum last)
    {
        assert(value <= last);
        put(static_cast<std::uint8_t>(value));
    }

    template <class Kind>
    void bytes32(const char*, const Bytes32<Kind>& value)
    {
        into_.append(reinterpret_cast<const char*>(value.bytes.data()), value.bytes.size());
    }

    template <std::unsigned_integral Length>
    void text(const char* field, const std::string& value, std::size_t most, std::size_t least = 0)
    {
        blob<Length>(field, value, most, least);
    }

    template <std::unsigned_integral Length>
    void blob(
        const char*, const std::string& value, [[maybe_unused]] std::size_t most, [[maybe_unused]] std::size_t least = 0
    )
    {
        assert(value.size() >= least && value.size() <= most);
        put(static_cast<Length>(value.size()));
        into_ += value;
    }

    void endpoint(const char*, const PeerEndpoint& value, bool may_be_none);

    template <std::unsigned_integral Length, class List, class Visit>
    void list(
        const char*,
        const List& items,
        [[maybe_unused]] std::size_t least,
        [[maybe_unused]] std::size_t most,
        std::size_t,
        Visit&& visit
    )
    {
        assert(items.size() >= least && items.size() <= most);
        put(static_cast<Length>(items.size()));
        for (const auto& item : items) visit(item);
    }

private:
    template <std::unsigned_integral Number>
    void put(Number value)
    {
        std::array<char, sizeof(Number)> bytes;
        for (std::size_t at = 0; at < sizeof(Number); ++at) bytes[at] = static_cast<char>(value >> (8 * at) & 0xffU);
        into_.append(bytes.data(), bytes.size());
    }

    std::string& into_;
};

class FieldReader {
public:
    static constexpr bool reads = true;
    template <class Value>
    using Ref = Value&;

    explicit FieldReader(std::span<const std::byte> body) noexcept : rest_{body} {}

    bool failed() const noexcept { return why_ != nullptr; }
    bool ends(bool) const noexcept { return rest_.empty(); }
    // "HAVE: ranges: go beyond the image", of a reader that has failed.
    Error error(FrameType type) const { return error(name_of(type)); }
    Error error(std::string_view what) const;

    // For what has one form only, other than frames, which may grow.
    void end(const char* field) noexcept { require(field, rest_.empty(), "goes on behind its end"); }

    void require(const char* field, bool holds, const char* why) noexcept
    {
        if (holds || failed()) return;
        field_ = field;
        why_ = why;
    }

    template <std::unsigned_integral Number>
    void number(const char* field, Number& value, Number least = 0, Number most = largest<Number>) noexcept
    {
        const auto* from = take(field, sizeof(Number));
        if (from == nullptr) return;
        Number read = 0;
        for (std::size_t at = 0; at < sizeof(Number); ++at)
            read = static_cast<Number>(read | static_cast<Number>(static_cast<Number>(from[at]) << (8 * at)));
        require(field, read >= least, "too small");
        require(field, read <= most, "too large");
        value = read;
    }

    template <std::unsigned_integral Wire, std::unsigned_integral Number>
    void narrow(const char* field, Number& value, Wire least, Wire most) noexcept
    {
        Wire read = 0;
        number<Wire>(field, read, least, most);
        value = read;
    }

    void handle(const char* field, SwarmHandle& value) noexcept
    {
        std::uint16_t read = 0;
        number<std::uint16_t>(field, read, 1);
        value = SwarmHandle{read};
    }

    void boolean(const char* field, bool& value) noexcept
    {
        std::uint8_t read = 0;
        number<std::uint8_t>(field, read, 0, 1);
        value = read != 0;
    }

    // Bits that have no name yet are passed over.
    template <class... Bools>
    void flags(const char* field, Bools&... values) noexcept
    {
        std::uint8_t read = 0;
        number(field, read);
        unsigned at = 0;
        ((values = (read >> at++ & 1U) != 0), ...);
    }

    // One of 1 to `last`: nothing can be done with another.
    template <class Enum>
    void choice(const char* field, Enum& value, Enum last) noexcept
    {
        std::uint8_t read = 0;
        number(field, read);
        require(field, read != 0 && read <= static_cast<std::uint8_t>(last), "not known");
        value = Enum{read};
    }

    // What is not known is Enum::other.
    template <class Enum>
    void reason(const char* field, Enum& value, Enum last) noexcept
    {
        std::uint8_t read = 0;
        number(field, read);
        value = read <= static_cast<std::uint8_t>(last) ? Enum{read} : Enum::other;
    }

    template <class Kind>
    void bytes32(const char* field, Bytes32<Kind>& value) noexcept
    {
        if (const auto* from = take(field, value.bytes.size())) copy(from, value.bytes.size(), value.bytes.data());
    }

    // UTF-8 without control characters.
    template <std::unsigned_integral Length>
    void text(const char* field, std::string& value, std::size_t most, std::size_t least = 0)
    {
        blob<Length>(field, value, most, least);
        require_plain(field, value);
    }

    template <std::unsigned_integral Length>
    void blob(const char* field, std::string& value, std::size_t most, std::size_t least = 0)
    {
        Length size = 0;
        number(field, size);
        require(field, size >= least, "too short");
        require(field, size <= most, "too long");
        if (const auto* from = take(field, size)) value.assign(reinterpret_cast<const char*>(from), size);
    }

    void endpoint(const char* field, PeerEndpoint& value, bool may_be_none) noexcept;

    // `item_bytes`: of the shortest item, so that nothing is reserved that the body cannot hold.
    template <std::unsigned_integral Length, class List, class Visit>
    void
    list(const char* field, List& items, std::size_t least, std::size_t most, std::size_t item_bytes, Visit&& visit)
    {
        Length size = 0;
        number(field, size);
        require(field, size >= least, "too few");
        require(field, size <= most, "too many");
        require(field, size * item_bytes <= rest_.size(), cut_short);
        if (failed()) return;
        items.reserve(size);
        for (std::size_t at = 0; at < size && !failed(); ++at) visit(items.emplace_back());
    }

private:
    static constexpr const char* cut_short = "cut short";

    // The next `size` bytes, or nullptr.
    const std::byte* take(const char* field, std::size_t size) noexcept
    {
        require(field, size <= rest_.size(), cut_short);
        if (failed()) return nullptr;
        const auto* from = rest_.data();
        rest_ = rest_.subspan(size);
        return from;
    }

    static void copy(const std::byte* from, std::size_t size, std::uint8_t* into) noexcept;
    void require_plain(const char* field, std::string_view text) noexcept;

    std::span<const std::byte> rest_;
    const char* field_ = nullptr;
    const char* why_ = nullptr;
};

}  // namespace entrepot
