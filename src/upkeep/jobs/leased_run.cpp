#include "upkeep/jobs/leased_run.hpp"

#include "core/utf8.hpp"

#include <iterator>
#include <utility>

namespace entrepot {

namespace {

// Between two times of writing them.
constexpr std::size_t most_unwritten = 4000;
constexpr std::size_t longest_checkpoint = 1 << 20;

}  // namespace

std::string storable_text(std::string_view text, std::size_t most)
{
    std::string plain;
    plain.reserve(std::min(text.size(), most));
    while (!text.empty()) {
        const auto point = next_code_point(text);
        if (plain.size() + point.length > most) break;
        if (point.value == not_utf8 || point.value == 0) {
            plain += '?';
        } else {
            plain += text.substr(0, point.length);
        }
        text.remove_prefix(point.length);
    }
    return plain;
}

Task<> LeasedRun::save(std::string checkpoint, std::string progress)
{
    if (stop_ == Stop::lost) co_return fail(Errc::conflict, "another worker has this job now");
    if (checkpoint.size() > longest_checkpoint || progress.size() > longest_checkpoint) {
        co_return fail(Errc::payload_too_large, "a checkpoint is longer than 1 MiB");
    }
    auto lines = take_lines();
    auto saved = co_await store_.save(
        job_.lease, storable_text(checkpoint, longest_checkpoint), storable_text(progress, longest_checkpoint), lines
    );
    if (!saved && saved.error().code() == Errc::conflict) stop(Stop::lost);
    if (!saved) keep_lines(std::move(lines));
    co_return saved;
}

void LeasedRun::log(std::string line)
{
    auto text = storable_text(line, JobCatalog::longest_line);
    const std::lock_guard lock{mutex_};
    if (lines_.size() >= most_unwritten) {
        ++left_out_;
    } else {
        lines_.push_back({.at = clock_.now(), .text = std::move(text)});
    }
}

void LeasedRun::stop(Stop why) noexcept
{
    Stop now = stop_;
    while (now < why && !stop_.compare_exchange_weak(now, why)) {
    }
}

void LeasedRun::keep_lines(std::vector<JobLine> lines)
{
    const std::lock_guard lock{mutex_};
    lines_.insert(lines_.begin(), std::make_move_iterator(lines.begin()), std::make_move_iterator(lines.end()));
}

std::vector<JobLine> LeasedRun::take_lines()
{
    const std::lock_guard lock{mutex_};
    if (left_out_ != 0) {
        lines_.push_back({.at = clock_.now(), .text = "(" + std::to_string(left_out_) + " lines were left out)"});
        left_out_ = 0;
    }
    return std::exchange(lines_, {});
}

}  // namespace entrepot
