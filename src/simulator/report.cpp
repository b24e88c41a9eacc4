#include "simulator/report.hpp"

#include "swarm/piece_layout.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace entrepot {
namespace {

// The smallest that so many are not above; who is not in `sorted` comes after all that are.
std::optional<SwarmTime> percentile(const std::vector<SwarmTime>& sorted, std::size_t all, double share)
{
    const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(all)));
    const auto at = std::max<std::size_t>(rank, 1) - 1;
    return at < sorted.size() ? std::optional{sorted[at]} : std::nullopt;
}

RunTimes times_of(const std::vector<SwarmTime>& sorted, std::size_t all)
{
    return {
        .p50 = percentile(sorted, all, 0.5),
        .p90 = percentile(sorted, all, 0.9),
        .p99 = percentile(sorted, all, 0.99),
        .p999 = percentile(sorted, all, 0.999),
        .last = percentile(sorted, all, 1),
    };
}

double ratio(double part, double whole)
{
    return whole == 0 ? 0 : part / whole;
}

void count_nodes(RunReport& report)
{
    std::vector<SwarmTime> first;
    for (const auto& node : report.outcome.nodes) {
        if (node.died) {
            ++report.died;
            continue;
        }
        if (!node.ordinary) {
            ++report.odd;
            continue;
        }
        ++report.counted;
        report.streamable += node.streamable;
        if (node.first) first.push_back(*node.first - node.arrived);
        if (node.done)
            report.sorted.push_back(*node.done - node.arrived);
        else
            ++report.unfinished;
    }
    std::ranges::sort(report.sorted);
    std::ranges::sort(first);
    report.times = times_of(report.sorted, report.counted);
    report.first_byte = times_of(first, report.counted);
    report.streamable = ratio(report.streamable, report.counted);
}

void count_bytes(RunReport& report)
{
    double origin = 0;
    double zone = 0;
    double across = 0;
    double wasted = 0;
    for (const auto& node : report.outcome.nodes) {
        origin += static_cast<double>(node.from_origin);
        zone += static_cast<double>(node.from_zone);
        across += static_cast<double>(node.across);
        wasted += static_cast<double>(node.wasted);
    }
    const auto all = origin + zone + across;
    report.origin_share = ratio(origin, all);
    report.zone_share = ratio(zone, all);
    report.across_share = ratio(across, all);
    report.wasted_share = ratio(wasted, all);
    const auto& outcome = report.outcome;
    report.origin_copies = ratio(static_cast<double>(outcome.origin_bytes), static_cast<double>(outcome.image_bytes));
    report.refusals_per_request = ratio(static_cast<double>(outcome.refusals), static_cast<double>(outcome.requests));
}

}  // namespace

RunReport report_of(std::string name, std::string label, Scenario scenario, Outcome outcome, const RunCost& cost)
{
    RunReport report;
    report.name = std::move(name);
    report.label = std::move(label);
    report.scenario = std::move(scenario);
    report.outcome = std::move(outcome);
    report.cost = cost;
    const auto chunks = report.scenario.piece_chunks != 0
                            ? report.scenario.piece_chunks
                            : PieceLayout::chunks_of_piece_for(report.scenario.image_bytes());
    if (const auto layout = PieceLayout::of(report.scenario.layers, chunks)) {
        report.pieces = layout->pieces();
        report.piece_bytes = layout->piece_bytes();
    }
    count_nodes(report);
    count_bytes(report);
    return report;
}

}  // namespace entrepot
