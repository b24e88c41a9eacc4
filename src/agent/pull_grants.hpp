#pragma once

#include "agent/puller.hpp"
#include "agent/served_image.hpp"
#include "core/clock.hpp"
#include "oci/names.hpp"

#include <cstddef>
#include <list>
#include <map>
#include <mutex>
#include <string>
#include <utility>

namespace entrepot {

// Who has shown the registry a right to which images, of late: no byte leaves the node's disk without it. A grant is of
// one puller, one repository and one image, and keeps the image open. Bounded; safe from any thread.
class PullGrants {
public:
    static constexpr Micros longest = 300'000'000;  // and a token's own end, where that is earlier

    // `clock` outlives this.
    PullGrants(std::size_t most, const Clock& clock) : most_{most}, clock_{clock} {}

    // The registry has just confirmed it.
    void grant(const Puller& puller, const RepositoryName& repository, ServedImagePtr image);
    // An image with that blob that the puller may pull from the repository; null: that is not known.
    ServedImagePtr find(const Puller& puller, const RepositoryName& repository, const Sha256& blob);
    // Nobody has a right to this image until the registry confirms it anew.
    void revoke(const SwarmId& image);
    // Lets go of what has ended.
    void sweep();
    std::size_t size() const;

private:
    using Key = std::pair<std::string, std::string>;  // puller, repository
    struct Entry {
        Key key;
        ServedImagePtr image;
        Micros ends = 0;
    };
    using Entries = std::list<Entry>;  // the last used first

    void erase(Entries::iterator entry);
    template <class Matches>
    void erase_if(Matches matches);

    const std::size_t most_;
    const Clock& clock_;
    mutable std::mutex mutex_;
    Entries entries_;
    std::multimap<Key, Entries::iterator> by_key_;
};

}  // namespace entrepot
