// A line between two network namespaces, for kernels without netem: hands packets from one tun device to the other at a
// rate and after a delay. The devices are there and up: entrepot_link --left NETNS:DEVICE --right NETNS:DEVICE
// --delay-us 10000 --bits-a-second 200000000 --queue-ms 100. Runs until a signal ends it.
#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace {

using Clock = std::chrono::steady_clock;

struct Line {
    std::chrono::nanoseconds delay{0};
    double nanoseconds_a_byte = 0;
    std::chrono::nanoseconds longest_queue{0};
};

[[noreturn]] void give_up(const std::string& what)
{
    throw std::runtime_error{what + ": " + std::strerror(errno)};
}

int open_device(const std::string& place)
{
    const auto colon = place.find(':');
    if (colon == std::string::npos) throw std::runtime_error{"NETNS:DEVICE is wanted, not " + place};
    const auto file = "/run/netns/" + place.substr(0, colon);
    const int space = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (space < 0 || ::setns(space, CLONE_NEWNET) != 0) give_up(file);
    ::close(space);
    const int device = ::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (device < 0) give_up("/dev/net/tun");
    ifreq request{};
    request.ifr_flags = IFF_TUN | IFF_NO_PI;
    place.copy(request.ifr_name, IFNAMSIZ - 1, colon + 1);
    if (::ioctl(device, TUNSETIFF, &request) != 0) give_up(place);
    return device;
}

// One way.
class Way {
public:
    Way(int from, int into, const Line& line) : from_{from}, into_{into}, line_{line} {}

    void take_in(Clock::time_point now)
    {
        for (;;) {
            const auto length = ::read(from_, buffer_.data(), buffer_.size());
            if (length <= 0) return;
            const auto start = std::max(now, free_at_);
            if (start - now > line_.longest_queue) continue;  // lost, as at a real line's end
            free_at_ = start + std::chrono::nanoseconds{
                                   static_cast<std::int64_t>(static_cast<double>(length) * line_.nanoseconds_a_byte)
                               };
            packets_.push_back({free_at_ + line_.delay, {buffer_.data(), buffer_.data() + length}});
        }
    }
    void hand_out(Clock::time_point now)
    {
        for (; !packets_.empty() && packets_.front().due <= now; packets_.pop_front()) {
            const auto& bytes = packets_.front().bytes;
            if (::write(into_, bytes.data(), bytes.size()) < 0 && errno == EAGAIN) return;
        }
    }
    Clock::time_point next_due() const { return packets_.empty() ? Clock::time_point::max() : packets_.front().due; }

private:
    struct Packet {
        Clock::time_point due;
        std::vector<char> bytes;
    };
    const int from_;
    const int into_;
    const Line line_;
    Clock::time_point free_at_{};
    std::deque<Packet> packets_;
    std::array<char, 65536> buffer_{};
};

void carry(int left, int right, const Line& line)
{
    Way there{left, right, line};
    Way back{right, left, line};
    std::array<pollfd, 2> polled{{{left, POLLIN, 0}, {right, POLLIN, 0}}};
    for (;;) {
        const auto due = std::min(there.next_due(), back.next_due());
        timespec wait{};
        const bool waits = due != Clock::time_point::max();
        if (waits) {
            const auto left_over = std::max<std::int64_t>((due - Clock::now()).count(), 0);
            wait = {left_over / 1'000'000'000, left_over % 1'000'000'000};
        }
        if (::ppoll(polled.data(), polled.size(), waits ? &wait : nullptr, nullptr) < 0 && errno != EINTR) {
            give_up("ppoll");
        }
        const auto now = Clock::now();
        there.take_in(now);
        back.take_in(now);
        there.hand_out(now);
        back.hand_out(now);
    }
}

int run(int count, char** words)
{
    std::string left;
    std::string right;
    Line line;
    for (int i = 1; i + 1 < count; i += 2) {
        const std::string name = words[i];
        if (name == "--left") left = words[i + 1];
        if (name == "--right") right = words[i + 1];
        if (name == "--delay-us") line.delay = std::chrono::microseconds{std::atoll(words[i + 1])};
        if (name == "--bits-a-second") line.nanoseconds_a_byte = 8e9 / std::atof(words[i + 1]);
        if (name == "--queue-ms") line.longest_queue = std::chrono::milliseconds{std::atoll(words[i + 1])};
    }
    const int left_end = open_device(left);
    const int right_end = open_device(right);
    std::puts("ready");
    std::fflush(stdout);
    carry(left_end, right_end, line);
    return 0;
}

}  // namespace

int main(int count, char** words)
{
    try {
        return run(count, words);
    } catch (const std::exception& thrown) {
        std::fprintf(stderr, "entrepot_link: %s\n", thrown.what());
        return 1;
    }
}
