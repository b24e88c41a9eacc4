#include "simulator/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace entrepot {
namespace {

constexpr double width = 860;
constexpr double left = 64;
constexpr double right = 24;
constexpr double top = 48;
constexpr double plot_height = 340;
constexpr double legend_line = 18;
constexpr std::size_t colours = 6;
constexpr std::size_t points_of_curve = 400;

// Six colours that are told apart on white and on black, also by who sees red and green alike; the seventh curve is the
// first colour dashed.
constexpr std::string_view style = R"(<style>
svg { background: #ffffff; }
text { font: 13px system-ui, sans-serif; fill: #1d2430; }
.title { font-weight: 600; font-size: 15px; }
.grid { stroke: #d5dae2; stroke-width: 1; }
.axis { stroke: #5b6675; stroke-width: 1; }
.curve { fill: none; stroke-width: 2; }
.bound { stroke-width: 1.5; stroke-dasharray: 2 4; }
.c0 { stroke: #0063b8; } .c1 { stroke: #c04a00; } .c2 { stroke: #007a5e; }
.c3 { stroke: #a0359b; } .c4 { stroke: #7a6a00; } .c5 { stroke: #4b5563; }
.dashed { stroke-dasharray: 8 4; }
@media (prefers-color-scheme: dark) {
svg { background: #12161c; } text { fill: #e3e8ef; } .grid { stroke: #2d3541; } .axis { stroke: #97a3b4; }
.c0 { stroke: #5cb3ff; } .c1 { stroke: #ff9a5c; } .c2 { stroke: #3fd1ab; }
.c3 { stroke: #e08bdc; } .c4 { stroke: #d9c84a; } .c5 { stroke: #b6c0cd; }
}
</style>
)";

std::string escaped(std::string_view text)
{
    std::string out;
    for (const char byte : text) {
        switch (byte) {
            case '<': out += "&lt;"; break;
            case '>': out += "&gt;"; break;
            case '&': out += "&amp;"; break;
            case '"': out += "&quot;"; break;
            default: out += byte;
        }
    }
    return out;
}

double seconds(SwarmTime time)
{
    return static_cast<double>(time) / 1e6;
}

// 1, 2 or 5 times a power of ten: about seven steps to `most`.
double step_for(double most)
{
    constexpr double steps = 7;
    const auto raw = most / steps;
    const auto power = std::pow(10, std::floor(std::log10(raw)));
    for (const double factor : {1.0, 2.0, 5.0}) {
        if (factor * power >= raw) return factor * power;
    }
    return 10 * power;
}

class Plot {
public:
    explicit Plot(std::span<const RunReport> reports) : reports_{reports}
    {
        constexpr double air = 1.05;
        double most = 0;
        for (const auto& report : reports) {
            most = std::max(most, seconds(report.outcome.bound));
            if (!report.sorted.empty()) most = std::max(most, seconds(report.sorted.back()));
        }
        most_ = std::max(most * air, 1e-3);
    }

    std::string draw()
    {
        constexpr double below = 64;
        const auto height = top + plot_height + below + legend_line * static_cast<double>(reports_.size());
        out_ = fmt::format(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {:.0f} {:.0f}\" role=\"img\">\n", width, height
        );
        const auto& name = escaped(reports_.empty() ? "nothing" : reports_.front().name);
        out_ += fmt::format("<title>{}: nodes done over time, simulated</title>\n{}", name, style);
        out_ += fmt::format("<text class=\"title\" x=\"{}\" y=\"26\">{}, simulated</text>\n", left, name);
        axes();
        for (std::size_t at = 0; at < reports_.size(); ++at) curve(at);
        return out_ + "</svg>\n";
    }

private:
    double x(double time) const { return left + time / most_ * (width - left - right); }
    static double y(double share) { return top + (1 - share) * plot_height; }

    void line(std::string_view kind, double x1, double y1, double x2, double y2)
    {
        out_ += fmt::format(
            "<line class=\"{}\" x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\"/>\n", kind, x1, y1, x2, y2
        );
    }

    void text(std::string_view anchor, double at_x, double at_y, std::string_view what)
    {
        out_ += fmt::format(
            "<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\">{}</text>\n", at_x, at_y, anchor, escaped(what)
        );
    }

    void axes()
    {
        constexpr std::array shares{0.0, 0.25, 0.5, 0.75, 1.0};
        for (const auto share : shares) {
            line("grid", left, y(share), width - right, y(share));
            text("end", left - 8, y(share) + 4, fmt::format("{:.0f} %", share * 100));
        }
        const auto step = step_for(most_);
        for (int tick = 0; tick * step <= most_; ++tick) {
            line("axis", x(tick * step), y(0), x(tick * step), y(0) + 5);
            text("middle", x(tick * step), y(0) + 20, fmt::format("{:g}", tick * step));
        }
        line("axis", left, y(0), width - right, y(0));
        line("axis", left, y(0), left, y(1));
        text("middle", (left + width - right) / 2, y(0) + 40, "seconds since a node's arrival");
        out_ += fmt::format(
            "<text x=\"18\" y=\"{0:.1f}\" text-anchor=\"middle\" transform=\"rotate(-90 18 {0:.1f})\">nodes "
            "done</text>\n",
            y(0.5)
        );
    }

    void curve(std::size_t at)
    {
        const auto& report = reports_[at];
        const auto kind = fmt::format("c{}{}", at % colours, at / colours % 2 == 1 ? " dashed" : "");
        const auto bound = seconds(report.outcome.bound);
        line(fmt::format("bound c{}", at % colours), x(bound), y(0), x(bound), y(1));
        const auto done = report.sorted.size();
        const auto stride = std::max<std::size_t>(done / points_of_curve, 1);
        std::string points = fmt::format("{:.1f},{:.1f}", x(0), y(0));
        const auto add = [&](std::size_t rank) {
            const auto share = static_cast<double>(rank) / report.counted;
            points += fmt::format(" {:.1f},{:.1f}", x(seconds(report.sorted[rank - 1])), y(share));
        };
        if (done > 0) points += fmt::format(" {:.1f},{:.1f}", x(seconds(report.sorted.front())), y(0));
        for (std::size_t rank = 1; rank < done; rank += stride) add(rank);
        if (done > 0) add(done);
        out_ += fmt::format("<polyline class=\"curve {}\" points=\"{}\"/>\n", kind, points);
        const auto line_y = top + plot_height + 60 + legend_line * static_cast<double>(at);
        line("curve " + kind, left, line_y - 4, left + 28, line_y - 4);
        const auto& title = report.label.empty() ? report.name : report.label;
        const auto never = report.unfinished > 0 ? fmt::format(", {} never finished", report.unfinished) : "";
        text("start", left + 36, line_y, fmt::format("{} (bound {:.2f} s, dotted{})", title, bound, never));
    }

    std::span<const RunReport> reports_;
    double most_ = 1;
    std::string out_;
};

}  // namespace

std::string svg_of(std::span<const RunReport> reports)
{
    return Plot{reports}.draw();
}

}  // namespace entrepot
