#include "simulator/scenario.hpp"

#include <numeric>

namespace entrepot {

std::uint64_t Scenario::image_bytes() const noexcept
{
    return std::accumulate(layers.begin(), layers.end(), std::uint64_t{0});
}

}  // namespace entrepot
