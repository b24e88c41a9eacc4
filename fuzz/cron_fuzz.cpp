// Whatever is taken for a schedule comes again, later, and on a full second.
#include "upkeep/jobs/cron.hpp"

#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const auto cron = entrepot::Cron::parse({reinterpret_cast<const char*>(data), size});
    if (!cron) return 0;
    entrepot::Micros at = 1'790'000'000'123'456;
    for (int i = 0; i < 4; ++i) {
        const auto next = cron->next(at);
        if (next <= at || next % 1'000'000 != 0) std::abort();
        at = next;
    }
    return 0;
}
