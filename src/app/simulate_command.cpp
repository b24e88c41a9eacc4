#include "app/simulate_command.hpp"

#include "app/exit_code.hpp"
#include "app/version.hpp"
#include "simulator/report.hpp"
#include "simulator/scenario_file.hpp"
#include "simulator/simulation.hpp"

#include <chrono>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

namespace entrepot {
namespace {

struct NamedRun {
    std::string name;
    ScenarioRun run;
};

double processor_seconds()
{
    timespec time{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

std::uint64_t peak_bytes()
{
    constexpr std::uint64_t kib = 1024;
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    return static_cast<std::uint64_t>(usage.ru_maxrss) * kib;
}

// One line that is written over, or a line a second where that can't be.
class ProgressLine {
public:
    ProgressLine(const SimulateCommand& command, std::string title)
        : is_terminal_{::isatty(STDERR_FILENO) == 1},
          shown_{!command.quiet && (command.progress || is_terminal_)},
          title_{std::move(title)}
    {
    }

    void tell(SwarmTime now, std::uint32_t done, std::uint32_t nodes)
    {
        const auto time = std::chrono::steady_clock::now();
        if (!shown_ || time - told_ < std::chrono::seconds{1}) return;
        told_ = time;
        const auto seconds = static_cast<double>(now) / 1e6;
        std::fprintf(
            stderr,
            "%s%s: %.2f s simulated, %u of %u nodes done%s",
            is_terminal_ ? "\r\x1b[K" : "",
            title_.c_str(),
            seconds,
            done,
            nodes,
            is_terminal_ ? "" : "\n"
        );
        open_ = is_terminal_;
    }

    void end()
    {
        if (open_) std::fputs("\r\x1b[K", stderr);
        open_ = false;
    }

private:
    bool is_terminal_;
    bool shown_;
    bool open_ = false;
    std::string title_;
    std::chrono::steady_clock::time_point told_ = std::chrono::steady_clock::now();
};

int complain(int code, const std::string& message)
{
    std::fprintf(stderr, "entrepot: %s\n", message.c_str());
    return code;
}

Result<std::string> read_scenario(const std::string& file)
{
    constexpr std::streamsize longest = 1 << 20;
    std::ifstream stream{file, std::ios::binary};
    std::string text(static_cast<std::size_t>(longest) + 1, '\0');
    stream.read(text.data(), longest + 1);
    if (stream.gcount() == 0 && !stream.eof()) return fail(Errc::not_found, "can't be read");
    if (stream.gcount() > longest) return fail(Errc::bad_request, "is longer than a mebibyte");
    text.resize(static_cast<std::size_t>(stream.gcount()));
    return text;
}

Result<std::vector<NamedRun>> read_runs(const SimulateCommand& command)
{
    std::vector<ScenarioOverride> overrides;
    for (const auto& [key, value] : command.settings) overrides.push_back({.key = key, .value = value});
    std::vector<NamedRun> all;
    for (const auto& file : command.scenarios) {
        const auto text = read_scenario(file);
        if (!text) return fail(text.error().code(), file + ": " + text.error().message());
        auto runs = parse_scenario_runs(*text, overrides);
        if (!runs) return fail(runs.error().code(), file + ": " + runs.error().message());
        for (auto& run : *runs) {
            auto name = run.scenario.name.empty() ? std::filesystem::path{file}.stem().string() : run.scenario.name;
            all.push_back({.name = std::move(name), .run = std::move(run)});
        }
    }
    return all;
}

Result<RunReport> carry_out(const SimulateCommand& command, NamedRun named)
{
    auto& [label, scenario] = named.run;
    ProgressLine line{command, label.empty() ? named.name : named.name + " " + label};
    const auto began = std::chrono::steady_clock::now();
    const auto processor = processor_seconds();
    auto outcome = simulate(scenario, [&](SwarmTime now, std::uint32_t done) { line.tell(now, done, scenario.nodes); });
    line.end();
    if (!outcome) return std::unexpected{std::move(outcome).error()};
    const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - began;
    const RunCost cost{
        .wall_seconds = wall.count(),
        .processor_seconds = processor_seconds() - processor,
        .peak_bytes = peak_bytes(),
    };
    return report_of(std::move(named.name), std::move(label), std::move(scenario), *std::move(outcome), cost);
}

bool write_text(const std::string& file, const std::string& text)
{
    if (file == "-") return std::fputs(text.c_str(), stdout) >= 0 && std::fflush(stdout) == 0;
    std::ofstream stream{file, std::ios::binary | std::ios::trunc};
    stream << text;
    stream.close();
    if (stream.good()) return true;
    complain(exit_code::failure, file + ": can't be written");
    return false;
}

// False: something could not be written, and that was said.
bool write_reports(const SimulateCommand& command, const std::vector<RunReport>& reports)
{
    const bool taken = command.json == "-" || command.csv == "-" || command.svg == "-";
    bool good = taken || write_text("-", table_of(reports));
    if (command.json) good &= write_text(*command.json, json_of(reports, std::string{"entrepot "} + version_text));
    if (command.csv) good &= write_text(*command.csv, csv_of(reports));
    if (command.svg) good &= write_text(*command.svg, svg_of(reports));
    return good;
}

}  // namespace

int run_simulate(const SimulateCommand& command)
{
    auto runs = read_runs(command);
    if (!runs) {
        const bool missing = runs.error().code() == Errc::not_found;
        return complain(missing ? exit_code::failure : exit_code::configuration, runs.error().message());
    }
    std::vector<RunReport> reports;
    std::uint64_t unfinished = 0;
    for (auto& run : *runs) {
        auto report = carry_out(command, std::move(run));
        if (!report) return complain(exit_code::failure, report.error().message());
        unfinished += report->unfinished;
        // Of many runs the nodes of each are not asked for, and would fill the memory.
        if (runs->size() > 1) report->outcome.nodes = {};
        reports.push_back(*std::move(report));
    }
    if (!write_reports(command, reports)) return exit_code::failure;
    if (unfinished == 0) return exit_code::success;
    return complain(exit_code::incomplete, fmt::format("{} nodes never finished", unfinished));
}

}  // namespace entrepot
