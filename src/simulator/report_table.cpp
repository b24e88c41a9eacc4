#include "simulator/report.hpp"
#include "simulator/scenario_units.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace entrepot {
namespace {

constexpr double hundred = 100;

std::string shown(const std::optional<SwarmTime>& time)
{
    return time ? show_seconds(static_cast<double>(*time)) : "never";
}

std::string of_bound(const RunReport& report, const std::optional<SwarmTime>& time)
{
    if (!time) return "–";
    return fmt::format("{:.3f}", static_cast<double>(*time) / static_cast<double>(report.outcome.bound));
}

std::string title(const RunReport& report)
{
    return report.label.empty() ? report.name : report.name + " " + report.label;
}

std::string line(std::string_view name, std::string_view value)
{
    return fmt::format("  {:<28}{}\n", name, value);
}

std::string head(const RunReport& report)
{
    const auto& scenario = report.scenario;
    return fmt::format(
        "{}: simulated, seed {}\n"
        "  {} nodes of {}/s up and {}/s down; the registry has {} × {}/s\n"
        "  {} in {} {} and {} pieces of {}\n",
        title(report),
        scenario.seed,
        scenario.nodes,
        show_bytes(scenario.up),
        show_bytes(scenario.down),
        scenario.origins,
        show_bytes(scenario.origin_up),
        show_bytes(static_cast<double>(scenario.image_bytes())),
        scenario.layers.size(),
        scenario.layers.size() == 1 ? "layer" : "layers",
        report.pieces,
        show_binary(report.piece_bytes)
    );
}

std::string who_is_counted(const RunReport& report)
{
    auto text = fmt::format("  Times are those of {} nodes", report.counted);
    if (report.died + report.odd > 0)
        text += fmt::format("; left out: {} that died, {} slow, silent or lying", report.died, report.odd);
    text += ".\n";
    if (report.unfinished > 0) text += fmt::format("  {} OF THEM NEVER FINISHED.\n", report.unfinished);
    return text;
}

std::string in_full(const RunReport& report)
{
    const auto& outcome = report.outcome;
    auto text = head(report) + who_is_counted(report);
    text += fmt::format("\n  {:<28}{:>12}{:>14}\n", "", "time", "of the bound");
    const auto row = [&](std::string_view name, const std::optional<SwarmTime>& time) {
        text += fmt::format("  {:<28}{:>12}{:>14}\n", name, shown(time), of_bound(report, time));
    };
    row("bound", outcome.bound);
    row("half of the nodes are done", report.times.p50);
    row("90 %", report.times.p90);
    row("99 %", report.times.p99);
    row("99.9 %", report.times.p999);
    row("all", report.times.last);
    row("first byte, half", report.first_byte.p50);
    row("first byte, 99 %", report.first_byte.p99);
    text += "\n";
    text += line("can be streamed", fmt::format("{:.0f} % of what is held", report.streamable * hundred));
    text += line("the registry sent", fmt::format("{:.2f} copies", report.origin_copies));
    text += line(
        "bytes from",
        fmt::format(
            "{:.1f} % the registry, {:.1f} % the same zone, {:.1f} % other zones",
            report.origin_share * hundred,
            report.zone_share * hundred,
            report.across_share * hundred
        )
    );
    text += line("sent in vain", fmt::format("{:.2f} %", report.wasted_share * hundred));
    text += line(
        "refused", fmt::format("{:.2f} of each request; {} timed out", report.refusals_per_request, outcome.timeouts)
    );
    text += line(
        "neighbours",
        fmt::format(
            "{:.1f} on average, {} at most; {} were exchanged",
            outcome.mean_neighbours,
            outcome.most_neighbours,
            outcome.rewires
        )
    );
    text += line("messages to the tracker", fmt::format("{}", outcome.tracker_messages));
    const auto& cost = report.cost;
    text += line(
        "this run",
        fmt::format(
            "{} events in {:.1f} s ({:.1f} s of processor), {} of memory",
            outcome.events,
            cost.wall_seconds,
            cost.processor_seconds,
            show_bytes(static_cast<double>(cost.peak_bytes))
        )
    );
    return text;
}

std::string as_rows(std::span<const RunReport> reports)
{
    std::size_t width = 0;
    for (const auto& report : reports) width = std::max(width, title(report).size());
    auto text = fmt::format(
        "simulated; times in seconds and as multiples of the bound\n{:<{}}  {:>9} {:>9} {:>9} {:>9} {:>6} {:>6} {:>6} "
        "{:>7} {:>7} {:>6}\n",
        "",
        width,
        "bound",
        "50 %",
        "99 %",
        "all",
        "50 %",
        "99 %",
        "all",
        "copies",
        "across",
        "never"
    );
    for (const auto& report : reports) {
        const auto& times = report.times;
        text += fmt::format(
            "{:<{}}  {:>9} {:>9} {:>9} {:>9} {:>6} {:>6} {:>6} {:>7.2f} {:>5.1f} % {:>6}\n",
            title(report),
            width,
            shown(report.outcome.bound),
            shown(times.p50),
            shown(times.p99),
            shown(times.last),
            of_bound(report, times.p50),
            of_bound(report, times.p99),
            of_bound(report, times.last),
            report.origin_copies,
            report.across_share * hundred,
            report.unfinished
        );
    }
    return text;
}

}  // namespace

std::string table_of(std::span<const RunReport> reports)
{
    return reports.size() == 1 ? in_full(reports.front()) : as_rows(reports);
}

}  // namespace entrepot
