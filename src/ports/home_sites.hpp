#pragma once

#include "core/task.hpp"
#include "ports/copy_site.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace entrepot {

// What the home of a project says of itself with all that it sends.
struct HomeClaim {
    std::int64_t epoch = 0;
    std::string home;  // its address
};

// Registries elsewhere, as the home of a project writes to them. Safe from any loop.
class HomeSites {
public:
    virtual ~HomeSites() = default;

    // As Upstreams::open(). What is written carries the claim: a site that knows a later home refuses it
    // (precondition_failed).
    virtual Task<std::shared_ptr<CopySite>> open_as_home(std::int64_t endpoint_id, HomeClaim claim) = 0;
    // Tells the site who the project's home is; the project is made where it isn't there. conflict: it knows a later
    // one. A registry of another kind is told nothing.
    virtual Task<> announce(std::int64_t endpoint_id, std::string project, HomeClaim claim) = 0;
    // The project is nobody's copy there any more. Gone already: success.
    virtual Task<> dismiss(std::int64_t endpoint_id, std::string project, HomeClaim claim) = 0;
};

}  // namespace entrepot
