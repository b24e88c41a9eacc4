#include "scripts.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <thread>

namespace entrepot::load {
namespace {

constexpr std::chrono::milliseconds tick{100};
constexpr std::chrono::seconds longest{60};
// Small, so that the server keeps what has not been read.
constexpr int receive_buffer = 64 * 1024;

struct Download {
    std::unique_ptr<Stream> stream;
    ResponseReader reader;
    bool failed = false;
    bool has_head() const { return reader.status() != 0; }
    bool open() const { return !failed && !reader.done(); }
};

class SlowPull {
public:
    SlowPull(const Load& load, const SlowPullOptions& options)
        : options_(options), head_(request_head(load, "GET", options.path, options.token))
    {
        downloads_.resize(static_cast<std::size_t>(load.connections));
        for (auto& download : downloads_) {
            download.stream = std::make_unique<Stream>(load.target, nullptr);
            ::setsockopt(download.stream->descriptor(), SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
            download.reader.start(true);
        }
    }

    Statistics run()
    {
        const auto began = Clock::now();
        for (auto& download : downloads_) ask(download);
        // A little of each, until every answer has begun.
        read_until([](const Download& d) { return d.failed || d.has_head(); }, 1024, began + longest);
        statistics_.open_at_once =
            static_cast<std::uint64_t>(std::ranges::count_if(downloads_, [](const Download& d) { return d.open(); }));
        const auto ticks = std::max(1.0, options_.hold_seconds / std::chrono::duration<double>(tick).count());
        const auto pace = static_cast<std::size_t>(static_cast<double>(options_.length) / ticks) + 1;
        const auto hold =
            std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(options_.hold_seconds));
        read_until([](const Download& d) { return !d.open(); }, pace, Clock::now() + hold + longest);
        for (const auto& download : downloads_) judge(download, began);
        statistics_.seconds = std::chrono::duration<double>(Clock::now() - began).count();
        return std::move(statistics_);
    }

private:
    void ask(Download& download)
    {
        iovec piece{.iov_base = head_.data(), .iov_len = head_.size()};
        std::size_t written = 0;
        const auto moved = download.stream->write(std::span{&piece, 1}, written);
        download.failed = moved != Moved::bytes || written != head_.size();
    }

    template <typename Done>
    void read_until(Done done, std::size_t bytes_a_tick, Clock::time_point deadline)
    {
        auto next = Clock::now();
        while (!std::ranges::all_of(downloads_, done) && Clock::now() < deadline) {
            for (auto& download : downloads_) {
                if (!done(download)) read_some(download, bytes_a_tick);
            }
            next += tick;
            std::this_thread::sleep_until(next);
        }
    }

    void read_some(Download& download, std::size_t most)
    {
        while (most > 0 && download.open()) {
            std::size_t count = 0;
            const auto moved = download.stream->read(std::span{buffer_}.first(std::min(most, buffer_.size())), count);
            if (moved == Moved::nothing_now) return;
            const auto taken = moved == Moved::bytes ? download.reader.feed({buffer_.data(), count}) : std::nullopt;
            if (!taken) {
                download.failed = true;
                return;
            }
            most -= count;
        }
    }

    void judge(const Download& download, Clock::time_point began)
    {
        ++statistics_.requests;
        statistics_.bytes_in += download.reader.body_bytes();
        if (download.failed || !download.reader.done()) {
            statistics_.error("download broke off or was not done in time");
        } else if (download.reader.status() != 200 || download.reader.length() != options_.length) {
            statistics_.error(wrong_status("slow pull", 200, download.reader));
        } else {
            const std::chrono::duration<float, std::milli> took = Clock::now() - began;
            statistics_.latencies_ms.push_back(took.count());
        }
    }

    const SlowPullOptions& options_;
    std::string head_;
    std::vector<Download> downloads_;
    std::array<char, 64 * 1024> buffer_{};
    Statistics statistics_;
};

}  // namespace

Statistics pull_slowly(const Load& load, const SlowPullOptions& options)
{
    SlowPull pull{load, options};
    wait_for_go(load.wait_for_go);
    return pull.run();
}

}  // namespace entrepot::load
