#include "simulator/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace entrepot {
namespace {

constexpr double microseconds = 1e6;

std::string seconds(const std::optional<SwarmTime>& time)
{
    return time ? fmt::format("{:.6f}", static_cast<double>(*time) / microseconds) : std::string{};
}

std::string csv_text(std::string_view text)
{
    std::string out = "\"";
    for (const char byte : text) {
        if (byte == '"') out += '"';
        out += byte;
    }
    return out + '"';
}

std::string nodes_csv(const RunReport& report)
{
    std::string out = "node,zone,kind,arrived_s,first_s,done_s,of_bound,streamable,from_origin,from_zone,across,sent,"
                      "wasted\n";
    std::size_t number = 0;
    for (const auto& node : report.outcome.nodes) {
        const auto kind = node.died ? "died" : node.ordinary ? "ordinary" : "odd";
        const auto took = node.done ? std::optional{*node.done - node.arrived} : std::nullopt;
        const auto first = node.first ? std::optional{*node.first - node.arrived} : std::nullopt;
        const auto of_bound =
            took ? fmt::format("{:.4f}", static_cast<double>(*took) / static_cast<double>(report.outcome.bound))
                 : std::string{};
        fmt::format_to(
            std::back_inserter(out),
            "{},{},{},{},{},{},{},{:.3f},{},{},{},{},{}\n",
            number++,
            node.zone,
            kind,
            seconds(node.arrived),
            seconds(first),
            seconds(took),
            of_bound,
            node.streamable,
            node.from_origin,
            node.from_zone,
            node.across,
            node.sent,
            node.wasted
        );
    }
    return out;
}

std::string runs_csv(std::span<const RunReport> reports)
{
    std::string out = "name,label,nodes,image_bytes,layers,bound_s,p50_s,p90_s,p99_s,p99_9_s,last_s,first_p50_s,"
                      "streamable,origin_copies,across_share,wasted_share,refusals_per_request,tracker_messages,events,"
                      "counted,never_finished,wall_s,processor_s\n";
    for (const auto& report : reports) {
        fmt::format_to(
            std::back_inserter(out),
            "{},{},{},{},{},{},{},{},{},{},{},{},{:.3f},{:.3f},{:.4f},{:.4f},{:.4f},{},{},{},{},{:.2f},{:.2f}\n",
            csv_text(report.name),
            csv_text(report.label),
            report.scenario.nodes,
            report.outcome.image_bytes,
            report.scenario.layers.size(),
            seconds(report.outcome.bound),
            seconds(report.times.p50),
            seconds(report.times.p90),
            seconds(report.times.p99),
            seconds(report.times.p999),
            seconds(report.times.last),
            seconds(report.first_byte.p50),
            report.streamable,
            report.origin_copies,
            report.across_share,
            report.wasted_share,
            report.refusals_per_request,
            report.outcome.tracker_messages,
            report.outcome.events,
            report.counted,
            report.unfinished,
            report.cost.wall_seconds,
            report.cost.processor_seconds
        );
    }
    return out;
}

}  // namespace

std::string csv_of(std::span<const RunReport> reports)
{
    return reports.size() == 1 ? nodes_csv(reports.front()) : runs_csv(reports);
}

}  // namespace entrepot
