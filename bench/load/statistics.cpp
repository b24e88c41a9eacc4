#include "statistics.hpp"

#include <algorithm>
#include <cstdio>
#include <iostream>

namespace entrepot::load {
namespace {

constexpr std::uint64_t errors_printed = 5;

double percentile(std::vector<float>& values, double share)
{
    if (values.empty()) return 0;
    const auto rank = static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1));
    std::nth_element(values.begin(), values.begin() + rank, values.end());
    return static_cast<double>(values[static_cast<std::size_t>(rank)]);
}

}  // namespace

void Statistics::error(std::string_view what)
{
    if (errors++ < errors_printed) std::cerr << "load: " << what << '\n';
}

std::string Statistics::json()
{
    char line[512];
    std::snprintf(
        line,
        sizeof line,
        R"({"units":%zu,"requests":%llu,"bytes_in":%llu,"bytes_out":%llu,"errors":%llu,"reconnects":%llu,)"
        R"("open_at_once":%llu,"seconds":%.6f,"p50_ms":%.4f,"p99_ms":%.4f})",
        latencies_ms.size(),
        static_cast<unsigned long long>(requests),
        static_cast<unsigned long long>(bytes_in),
        static_cast<unsigned long long>(bytes_out),
        static_cast<unsigned long long>(errors),
        static_cast<unsigned long long>(reconnects),
        static_cast<unsigned long long>(open_at_once),
        seconds,
        percentile(latencies_ms, 0.5),
        percentile(latencies_ms, 0.99)
    );
    return line;
}

}  // namespace entrepot::load
