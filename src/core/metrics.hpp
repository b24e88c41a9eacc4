#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace entrepot {

// The text of one /metrics answer (Prometheus text exposition format 0.0.4), built anew for each and thrown away: the
// numbers stay with those who count them. Not thread-safe. Samples of one name are gathered under one HELP and TYPE.
class MetricsText {
public:
    using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

    // A number as it is written: whole ones exactly.
    class Value {
    public:
        template <std::integral Number>
        Value(Number number) : text_{std::to_string(number)}  // NOLINT: converts on purpose
        {
        }
        Value(double number);  // NOLINT: converts on purpose
        const std::string& text() const noexcept { return text_; }

    private:
        std::string text_;
    };

    // How many observations were at most `bound`, smaller buckets included; bounds rise.
    struct Bucket {
        double bound = 0;
        std::uint64_t count = 0;
    };

    // A counter's name ends in _total.
    void counter(std::string_view name, std::string_view help, const Value& value, Labels labels = {});
    void gauge(std::string_view name, std::string_view help, const Value& value, Labels labels = {});
    // `count` counts all observations, those above the last bound too; `sum` adds them up.
    void histogram(
        std::string_view name,
        std::string_view help,
        std::span<const Bucket> buckets,
        std::uint64_t count,
        double sum,
        Labels labels = {}
    );

    std::string text() const;

    static constexpr std::string_view media_type = "text/plain; version=0.0.4; charset=utf-8";

private:
    struct Family {
        std::string name;
        std::string head;
        std::string samples;
    };
    std::string& samples_of(std::string_view name, std::string_view help, std::string_view type);

    std::vector<Family> families_;
};

// The metrics every process has: memory, processor time, descriptors, start. From /proc; those it cannot read are
// left out.
void add_process_metrics(MetricsText& metrics);

}  // namespace entrepot
