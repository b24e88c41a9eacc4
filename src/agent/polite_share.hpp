#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace entrepot {

// Bytes that have passed since any time, each way.
struct LinkBytes {
    std::uint64_t in = 0;
    std::uint64_t out = 0;
};

// What a polite agent leaves to the other traffic of its node. Of each direction of the link it takes nine tenths, less
// what others move; never less than a twentieth, so that pulls go on. It makes way at once, and takes back a tenth of
// the link at each look, so that traffic in bursts keeps its room. Not safe across threads.
class PoliteShare {
public:
    using Time = std::chrono::steady_clock::time_point;

    // `link`: bytes a second that the network carries, each way; at least 1.
    explicit PoliteShare(std::uint64_t link) noexcept;

    // What has passed on the interface, and of it the agent's own. The first look, and one behind which counters have
    // begun anew, changes nothing.
    void look(LinkBytes all, LinkBytes own, Time now) noexcept;

    // Bytes a second. Before the first look, and where nothing can be looked at: half of the link.
    std::uint64_t up() const noexcept { return up_; }
    std::uint64_t down() const noexcept { return down_; }

private:
    std::uint64_t next(std::uint64_t share, std::uint64_t others, double seconds) const noexcept;

    const std::uint64_t link_;
    std::uint64_t up_;
    std::uint64_t down_;
    std::optional<LinkBytes> others_;  // as of the last look
    Time looked_{};
};

// Where the interfaces of this machine are told of.
struct LinkFiles {
    std::string interfaces = "/sys/class/net";
    std::string routes = "/proc/net/route";
};

// The interface that carries a node's peers, by what the agent is bound to: the interface of that name or with that
// address; without a binding the one of the default route. Empty: none is known.
std::string interface_for(const std::string& binding, const LinkFiles& files = {});
// What has passed on it; nullopt: the kernel doesn't say.
std::optional<LinkBytes> bytes_of_interface(const std::string& name, const LinkFiles& files = {});

}  // namespace entrepot
