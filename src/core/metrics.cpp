#include "core/metrics.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <system_error>

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

namespace entrepot {
namespace {

void append_escaped(std::string& text, std::string_view value, bool quotes)
{
    for (const char letter : value) {
        if (letter == '\\')
            text += "\\\\";
        else if (letter == '\n')
            text += "\\n";
        else if (letter == '"' && quotes)
            text += "\\\"";
        else
            text += letter;
    }
}

std::string label_text(MetricsText::Labels labels)
{
    std::string text;
    for (const auto& [name, value] : labels) {
        if (!text.empty()) text += ',';
        text += name;
        text += "=\"";
        append_escaped(text, value, true);
        text += '"';
    }
    return text;
}

void append_sample(std::string& text, std::string_view name, std::string_view labels, std::string_view value)
{
    text += name;
    if (!labels.empty()) text += fmt::format("{{{}}}", labels);
    text += ' ';
    text += value;
    text += '\n';
}

std::string read_file(const char* path)
{
    std::ifstream stream{path};
    return {std::istreambuf_iterator<char>{stream}, {}};
}

// The fields of /proc/self/stat that follow the name, which may hold blanks and brackets (proc(5): from field 3).
std::vector<std::string> own_statistics()
{
    const auto text = read_file("/proc/self/stat");
    const auto end_of_name = text.rfind(')');
    if (end_of_name == std::string::npos) return {};
    std::istringstream rest{text.substr(end_of_name + 1)};
    return {std::istream_iterator<std::string>{rest}, {}};
}

// Seconds since 1970 at which the machine started.
std::optional<double> boot_time()
{
    const auto text = read_file("/proc/stat");
    const auto at = text.find("\nbtime ");
    if (at == std::string::npos) return std::nullopt;
    return std::strtod(text.c_str() + at + 7, nullptr);
}

void add_descriptors(MetricsText& metrics)
{
    std::error_code failure;
    std::filesystem::directory_iterator entries{"/proc/self/fd", failure};
    if (!failure) {
        const auto open = std::distance(begin(entries), end(entries)) - 1;  // less the one that lists them
        metrics.gauge("process_open_fds", "Open file descriptors.", open);
    }
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        metrics.gauge("process_max_fds", "File descriptors that may be open.", limit.rlim_cur);
    }
}

}  // namespace

MetricsText::Value::Value(double number)
    : text_{
          std::isnan(number)   ? "NaN"
          : std::isinf(number) ? (number > 0 ? "+Inf" : "-Inf")
                               : fmt::format("{}", number)
      }
{
}

void MetricsText::counter(std::string_view name, std::string_view help, const Value& value, Labels labels)
{
    append_sample(samples_of(name, help, "counter"), name, label_text(labels), value.text());
}

void MetricsText::gauge(std::string_view name, std::string_view help, const Value& value, Labels labels)
{
    append_sample(samples_of(name, help, "gauge"), name, label_text(labels), value.text());
}

void MetricsText::histogram(
    std::string_view name,
    std::string_view help,
    std::span<const Bucket> buckets,
    std::uint64_t count,
    double sum,
    Labels labels
)
{
    auto& samples = samples_of(name, help, "histogram");
    const auto own = label_text(labels);
    const auto bucket = [&](const std::string& bound, std::uint64_t amount) {
        const auto all = (own.empty() ? "" : own + ",") + "le=\"" + bound + "\"";
        append_sample(samples, std::string{name} + "_bucket", all, std::to_string(amount));
    };
    for (const auto& [bound, amount] : buckets) bucket(Value{bound}.text(), amount);
    bucket("+Inf", count);
    append_sample(samples, std::string{name} + "_sum", own, Value{sum}.text());
    append_sample(samples, std::string{name} + "_count", own, std::to_string(count));
}

std::string MetricsText::text() const
{
    std::string text;
    for (const auto& family : families_) text += family.head + family.samples;
    return text;
}

std::string& MetricsText::samples_of(std::string_view name, std::string_view help, std::string_view type)
{
    const auto known = std::ranges::find(families_, name, &Family::name);
    if (known != families_.end()) return known->samples;
    auto& family = families_.emplace_back();
    family.name = name;
    family.head = fmt::format("# HELP {} ", name);
    append_escaped(family.head, help, false);
    family.head += fmt::format("\n# TYPE {} {}\n", name, type);
    return family.samples;
}

void add_process_metrics(MetricsText& metrics)
{
    constexpr std::size_t user_time = 11, system_time = 12, threads = 17, start_time = 19, resident = 21;
    const auto statistics = own_statistics();
    const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
    if (statistics.size() > resident) {
        const auto number = [&](std::size_t field) { return std::strtod(statistics[field].c_str(), nullptr); };
        const auto pages = static_cast<std::uint64_t>(number(resident));
        const auto page_bytes = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
        const auto processor = (number(user_time) + number(system_time)) / ticks;
        metrics.gauge("process_resident_memory_bytes", "Memory in use.", pages * page_bytes);
        metrics.counter("process_cpu_seconds_total", "Processor time used, user and system.", processor);
        metrics.gauge("process_threads", "Threads.", number(threads));
        if (const auto boot = boot_time()) {
            const auto started = *boot + number(start_time) / ticks;
            metrics.gauge("process_start_time_seconds", "Start of the process, seconds since 1970.", started);
        }
    }
    add_descriptors(metrics);
}

}  // namespace entrepot
