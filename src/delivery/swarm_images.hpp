#pragma once

#include "access/policy.hpp"
#include "delivery/swarm_view.hpp"
#include "oci/digest.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace entrepot {

enum class SwarmImageState : std::uint8_t { idle, active, complete };
std::string_view name_of(SwarmImageState state) noexcept;

// What one caller sees of one image under way.
struct SeenSwarm {
    struct Zone {
        std::string zone{};
        std::uint32_t members = 0;
        std::uint32_t complete = 0;
        std::array<std::uint32_t, 11> tenths{};
        SwarmReceived received{};
        std::uint64_t rate = 0;
    };
    struct Repository {
        std::string tenant{};
        std::string name{};  // in full
    };

    SwarmImageViewPtr image;
    std::vector<Repository> repositories{};
    std::vector<Zone> zones{};  // by name
    Zone all{};                 // without a name
    SwarmPace pace{};
    std::array<std::uint32_t, SwarmTally::steps> percents{};

    SwarmImageState state() const noexcept;
    // Of half of the members, at least: whole percents. 0 where there are none.
    std::uint32_t half_way() const noexcept;
    std::optional<double>
    efficiency() const noexcept;  // 0 to 1 and sometimes above; nullopt: nobody has come to an end
    std::optional<std::uint64_t> seconds_left() const noexcept;  // at this rate; nullopt: nothing comes
};

enum class SwarmNodeState : std::uint8_t { active, complete, silent };
std::string_view name_of(SwarmNodeState state) noexcept;

// What of the nodes is wanted; what is empty doesn't narrow.
struct SwarmNodeQuery {
    std::string zone{};
    std::string name{};
    std::optional<SwarmNodeState> state{};
    std::size_t offset = 0;
    std::size_t limit = 0;
};
struct SeenNode {
    std::string name{};
    std::string zone{};
    SwarmNodeState state{};
    std::uint16_t progress = 0;  // thousandths
    std::uint8_t neighbours = 0;
    std::uint8_t idle = 0;  // percent
    SwarmReceived received{};
    std::uint64_t uploaded = 0;
    Micros since = 0;
    Micros complete_at = 0;  // 0: it isn't
    Micros heard_at = 0;
};
struct SeenNodes {
    std::vector<SeenNode> nodes;  // the slowest first
    std::size_t total = 0;        // that the query would give without a page
};

// Which images go from node to node by this instance, and how they get on, as a caller may know it: all of them who may
// list the swarm's nodes (preheat-instance, on the platform), others those of repositories that they may pull, and of
// these the nodes that have them from there. Names of nodes hears only who was given the right to pull, not who has it
// because the project is public. Safe from any loop.
class SwarmImages {
public:
    // `view`: null where this instance has no swarm: there are no images then.
    SwarmImages(SwarmView* view, const AccessPolicy& policy) : view_{view}, policy_{policy} {}

    // Of this instance of the registry; empty without a swarm.
    std::string_view instance() const noexcept;
    // The number of the picture that all of the following look at; one more each second.
    SwarmPicturePtr picture() const;
    std::vector<SeenSwarm> seen(const Caller& caller, const SwarmPicture& picture) const;
    std::optional<SeenSwarm> seen(const Caller& caller, const SwarmImageViewPtr& image) const;
    Result<SeenSwarm> find(const Caller& caller, const Digest& manifest) const;  // not_found
    // not_found; denied: the caller may know of the image, but not of nodes; unavailable
    Task<SeenNodes> nodes(Caller caller, Digest manifest, SwarmNodeQuery query) const;
    // The one that is farthest behind. nullopt: all have everything, or the caller may not know it, or nobody answers.
    Task<std::optional<SeenNode>> slowest(Caller caller, SwarmImageViewPtr image) const;
    bool stands(const Caller& caller) const { return policy_.is_current(caller); }

private:
    enum class Sight : std::uint8_t { image, nodes };
    bool may(const Caller& caller, Sight sight, const std::string& repository) const;
    // Ids of the image's repositories that the caller sees; nullopt: all, and those without a name.
    std::optional<std::vector<std::uint64_t>>
    visible(const Caller& caller, Sight sight, const SwarmImageView& image) const;
    SeenSwarm::Repository called(const std::string& name) const;

    SwarmView* const view_;
    const AccessPolicy& policy_;
};

}  // namespace entrepot
