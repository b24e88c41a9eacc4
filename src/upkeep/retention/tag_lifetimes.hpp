#pragma once

#include "access/policy.hpp"
#include "core/clock.hpp"
#include "core/task.hpp"
#include "ports/tag_inventory.hpp"

#include <string>
#include <vector>

namespace entrepot {

// What makes single tags stay or go: the time at which a tag expires, and what is reported as in use. Every method with
// a caller checks what they may. Safe from any loop.
class TagLifetimes {
public:
    static constexpr std::size_t most_images = 10'000;

    TagLifetimes(TagInventory& inventory, const AccessPolicy& policy, const Clock& clock)
        : inventory_{inventory}, policy_{policy}, clock_{clock}
    {
    }

    Task<Micros> expiry(Caller caller, RepositoryName repository, Tag tag);  // 0: never
    Task<> set_expiry(Caller caller, RepositoryName repository, Tag tag, Micros at);

    // Replaces what the source said of the project before; no images: it says nothing any more.
    Task<> use(Caller caller, std::int64_t project_id, std::string source, std::vector<ImageInUse> images);
    Task<ListPage<ImageInUse>> in_use(Caller caller, std::int64_t project_id, ListQuery query);

    // A chore: removes the tags whose time has come, with the artifacts that have no other; immutable ones stay, and
    // are looked at again a day later.
    Task<> remove_expired();
    Task<> forget_unused();

private:
    Result<> require_on(const Caller& caller, std::int64_t project_id, std::string_view action) const;
    Task<> remove_one(ExpiredTag expired);

    TagInventory& inventory_;
    const AccessPolicy& policy_;
    const Clock& clock_;
};

}  // namespace entrepot
